"""Where files are, as users write it: a folder of this machine, or https addresses."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from b2b_recs.engine.errors import AddressForbidden
from b2b_recs.engine.sources.contract import Dialer

_SCHEME = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*:")
_DRIVE = re.compile(r"[A-Za-z]:(?:[\\/]|\Z)")
# Names of what must be kept secret in an address: X-Amz-Signature, sig, access_token, api-key and the like.
_SECRET = re.compile(r"(sig|signature|token|secret|password|passwd|pwd|key|code|credential|auth)\Z", re.IGNORECASE)
_MOST_CHARACTERS = 1000
MOST_ADDRESSES = 1000


def is_address(location: str) -> bool:
    """Whether a location is meant as addresses and not as a folder."""
    return location.startswith("https://")


def addresses(location: str) -> list[str]:
    """The addresses in ``location``, separated by blanks or lines. Raises ValueError in words for what is none."""
    found = [checked_address(part) for part in location.split()]
    if not 1 <= len(found) <= MOST_ADDRESSES:
        raise ValueError(f"must be 1 to {MOST_ADDRESSES:,} addresses")
    return found


def checked_address(text: str) -> str:
    """``text`` when it is the plain https address of a file. Raises ValueError in words."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("must be an https address") from None
    if not text.startswith("https://") or not parts.hostname:
        raise ValueError("must begin with https:// and a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or a password")
    if not text.isascii() or "\\" in text or any(ord(sign) <= 32 for sign in text) or port == 0:
        raise ValueError("must not hold blanks, backslashes or signs that are not ASCII")
    if not parts.path.rpartition("/")[2]:
        raise ValueError("must end with the name of a file")
    return text


def without_secrets(text: str) -> str:
    """``text`` when no part of its query looks like a key or a signature. Raises ValueError in words."""
    for part in urlsplit(text).query.split("&"):
        if _SECRET.search(part.partition("=")[0]):
            raise ValueError("must not hold a key or a signature; put what follows the ? into its own field")
    return text


def plain_signature(signature: SecretStr) -> SecretStr:
    """What is added to an address after its ``?``. Raises ValueError in words."""
    text = signature.get_secret_value().lstrip("?&")
    if not text.isascii() or "#" in text or any(ord(sign) <= 32 for sign in text):
        raise ValueError("must not hold blanks, # or signs that are not ASCII")
    return SecretStr(text)


def plain_path(path: str) -> str:
    """``path`` when it is a plain path of this machine, whether it exists or not. Raises ValueError in words."""
    if not isinstance(path, str) or not path.strip() or len(path) > _MOST_CHARACTERS:
        raise ValueError("must be a path")
    if path != path.strip() or any(ord(sign) < 32 for sign in path):
        raise ValueError("must not begin or end with a blank, or hold a control character")
    if _DRIVE.match(path):
        raise ValueError("must not be a path of another system; this installation reads folders of its own machine")
    if "\\" in path or path.startswith("//"):
        raise ValueError("must not be a network path")
    if _SCHEME.match(path):
        raise ValueError("must be a folder, or an address that begins with https://")
    if path.startswith("~") or ".." in PurePosixPath(path).parts:
        raise ValueError("must not lead to another folder than it names")
    return path


def _folder_or_addresses(location: str) -> str:
    if is_address(location):
        for address in addresses(location):
            without_secrets(address)
    else:
        plain_path(location)
    return location


Location = Annotated[str, AfterValidator(_folder_or_addresses)]
Signature = Annotated[SecretStr, AfterValidator(plain_signature)]
PlainPath = Annotated[str, AfterValidator(plain_path)]


def folder_behind(location: str, dial: Dialer) -> Path:
    """The real folder that the guard allows for ``location``. Raises AddressForbidden, BadInput."""
    allow = getattr(dial, "folder", None)
    if allow is None:
        raise AddressForbidden(
            f"The folder {location} may not be read from here.",
            advice="Files of this machine are read where the operator allowed folders.",
            field="location",
        )
    return Path(allow(location))
