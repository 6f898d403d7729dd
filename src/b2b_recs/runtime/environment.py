"""Values from environment variables; a bad one is refused with the variable's name, never guessed."""

from __future__ import annotations

import os
from collections.abc import Mapping

from b2b_recs.runtime.errors import KeysRefused, SettingRefused

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_KNOWN = ("changeme", "change-me", "change_me", "secret", "password", "django-insecure", "insecure", "example")
MIN_SECRET_LENGTH = 32
MIN_SECRET_VARIETY = 10


def envtext(name: str, default: str = "", environ: Mapping[str, str] | None = None) -> str:
    """The variable without surrounding blanks, ``default`` when it is unset or empty."""
    return (os.environ if environ is None else environ).get(name, "").strip() or default


def envbool(name: str, default: bool = False, environ: Mapping[str, str] | None = None) -> bool:
    """True or false. Raises SettingRefused for anything but true/false, yes/no, on/off, 1/0."""
    text = envtext(name, "", environ).lower()
    if not text:
        return default
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise SettingRefused(f"{name} is {text!r}.", advice=f"Set {name} to true or false.", field=name)


def envint(name: str, default: int, minimum: int, maximum: int, environ: Mapping[str, str] | None = None) -> int:
    """A whole number within the bounds. Raises SettingRefused otherwise."""
    text = envtext(name, "", environ)
    if not text:
        return default
    if text.isascii() and text.isdigit() and len(text) < 19 and minimum <= int(text) <= maximum:
        return int(text)
    raise SettingRefused(
        f"{name} is {text!r}.", advice=f"Set {name} to a number from {minimum} to {maximum}.", field=name
    )


def envport(name: str, default: int, environ: Mapping[str, str] | None = None) -> int:
    """A port number from 1 to 65535."""
    return envint(name, default, 1, 65535, environ)


def envlist(name: str, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The comma-separated parts, blanks removed, empty ones left out."""
    return tuple(part.strip() for part in envtext(name, "", environ).split(",") if part.strip())


def envsecrets(name: str, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The comma-separated secrets (the first is in use, later ones are old), empty when unset.

    Raises KeysRefused for a short or well known one; the value is never repeated.
    """
    parts = envlist(name, environ)
    for part in parts:
        refuse_weak(part, name)
    return parts


def refuse_weak(secret: str, name: str) -> None:
    """Raise KeysRefused naming ``name`` when the secret is short, repetitive or a well known one."""
    fault = ""
    if len(secret) < MIN_SECRET_LENGTH:
        fault = f"is shorter than {MIN_SECRET_LENGTH} characters"
    elif any(word in secret.lower() for word in _KNOWN):
        fault = "is a well known key"
    elif len(set(secret)) < MIN_SECRET_VARIETY:
        fault = "is too easy to guess"
    if fault:
        raise KeysRefused(
            f"{name} {fault}.",
            advice="Make one with: python -c 'import secrets; print(secrets.token_hex(32))'",
            field=name,
        )
