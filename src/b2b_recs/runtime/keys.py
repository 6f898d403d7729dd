"""The keys of an installation: random at the first start, kept in one file only its owner can read.

With ``B2B_RECS_SECRET_KEY`` set everything is derived from it instead, so that a container needs no file.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from b2b_recs.runtime.environment import envbool, envsecrets, refuse_weak
from b2b_recs.runtime.errors import KeysRefused
from b2b_recs.runtime.home import Home

VARIABLE = "B2B_RECS_SECRET_KEY"
ROLES = ("postgres", "owner", "web", "worker", "operator", "demo_owner", "demo_reader")
KEY_BYTES = 32


@dataclass(frozen=True, repr=False)
class Keys:
    """What the processes of one installation share.

    ``django_secret`` signs sessions, ``django_fallbacks`` are accepted still. ``ring`` holds 32-byte keys for
    secrets at rest, the first in use. ``passwords`` maps the roles of ROLES to database passwords.
    """

    django_secret: str
    ring: tuple[bytes, ...]
    passwords: Mapping[str, str]
    django_fallbacks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Keys ring of {len(self.ring)}>"


def load_keys(home: Home, *, create: bool = False, environ: Mapping[str, str] | None = None) -> Keys:
    """The installation's keys; with ``create`` a first start makes them.

    Raises KeysRefused naming the variable or the file that is missing, short, known or open to others.
    """
    given = envsecrets(VARIABLE, environ)
    if given:
        return _derived(given)
    if home.keys.exists():
        return _read(home.keys)
    if envbool("B2B_RECS_HOSTED", environ=environ):
        raise KeysRefused(
            f"{VARIABLE} is not set.",
            advice=f"A hosted installation needs it: set {VARIABLE} to at least 32 random characters.",
            field=VARIABLE,
        )
    if (home.postgres / "cluster.json").exists():
        raise KeysRefused(
            f"{home.keys} is missing, but a database made with it exists.",
            advice="Put the file back from a backup. Without it stored passwords cannot be opened.",
            field=str(home.keys),
        )
    if not create:
        raise KeysRefused(
            f"{home.keys} is missing.",
            advice="Start the installation once with: b2b-recs up",
            field=str(home.keys),
        )
    return _create(home.keys)


def rotate(home: Home) -> Keys:
    """Put a fresh key in front of the ring of the keys file; old secrets stay readable."""
    keys = _read(home.keys)
    fresh = Keys(
        keys.django_secret,
        (secrets.token_bytes(KEY_BYTES), *keys.ring),
        keys.passwords,
        keys.django_fallbacks,
    )
    _write(home.keys, fresh)
    return fresh


def derive(secret: str, purpose: str, length: int = KEY_BYTES) -> bytes:
    """Key material for one purpose (HKDF-SHA256, RFC 5869); different purposes tell nothing of each other."""
    deriver = HKDF(algorithm=hashes.SHA256(), length=length, salt=b"b2b-recs", info=purpose.encode())
    return deriver.derive(secret.encode())


def _derived(given: tuple[str, ...]) -> Keys:
    signing = tuple(derive(secret, "django").hex() for secret in given)
    passwords = {role: derive(given[0], f"role:{role}", 24).hex() for role in ROLES}
    return Keys(signing[0], tuple(derive(secret, "ring") for secret in given), passwords, signing[1:])


def _create(path: Path) -> Keys:
    keys = Keys(
        secrets.token_hex(48),
        (secrets.token_bytes(KEY_BYTES),),
        {role: secrets.token_hex(24) for role in ROLES},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = _write_fresh(path, keys)
    try:
        # Of two first starts at once, one wins and both use its keys.
        os.link(fresh, path)
    except FileExistsError:
        return _read(path)
    finally:
        fresh.unlink(missing_ok=True)
    return keys


def _write(path: Path, keys: Keys) -> None:
    _write_fresh(path, keys).replace(path)


def _write_fresh(path: Path, keys: Keys) -> Path:
    value = {
        "version": 1,
        "django_secret": keys.django_secret,
        "django_fallbacks": list(keys.django_fallbacks),
        "ring": [base64.b64encode(key).decode() for key in keys.ring],
        "passwords": dict(keys.passwords),
    }
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(6)}")
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as sink:
            json.dump(value, sink, indent=1)
            sink.flush()
            os.fsync(sink.fileno())
    except OSError as error:
        raise KeysRefused(
            f"{path} cannot be written: {error.strerror}.",
            advice="Check the owner and free space of the home folder.",
            field=str(path),
        ) from error
    return fresh


def _read(path: Path) -> Keys:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        value: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _broken(path, "cannot be read") from error
    if mode & 0o077:
        raise KeysRefused(
            f"{path} can be read by other users (mode {mode:03o}).",
            advice=f"Close it with: chmod 600 {path}",
            field=str(path),
        )
    try:
        ring = tuple(base64.b64decode(text, validate=True) for text in value["ring"])
        passwords = {role: str(value["passwords"][role]) for role in ROLES}
        secret = str(value["django_secret"])
        fallbacks = tuple(str(text) for text in value.get("django_fallbacks", ()))
    except (KeyError, TypeError, AttributeError, binascii.Error, ValueError) as error:
        raise _broken(path, "is not a complete keys file") from error
    refuse_weak(secret, f"django_secret in {path}")
    if not ring or any(len(key) != KEY_BYTES or len(set(key)) < 8 for key in ring):
        raise _broken(path, f"holds a key that is not {KEY_BYTES} random bytes")
    for role, password in passwords.items():
        refuse_weak(password, f"passwords.{role} in {path}")
    return Keys(secret, ring, passwords, fallbacks)


def _broken(path: Path, fault: str) -> KeysRefused:
    return KeysRefused(f"{path} {fault}.", advice="Put it back from a backup.", field=str(path))
