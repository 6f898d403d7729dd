"""What a driver or a server said, without the secrets of the connection in it."""

from __future__ import annotations

# A shorter secret is part of ordinary words: hiding it would tear them, and show by the holes what it is.
_SHORTEST = 4
_HIDDEN = "•••"
_LEFT_OUT = "what it said is left out, because the password is too short to be hidden in it"


def redacted(text: str, *secrets: str) -> str:
    """The text with every secret in it hidden; for a secret of less than four characters, a sentence in its place."""
    given = [secret for secret in secrets if secret]
    if text and any(len(secret) < _SHORTEST for secret in given):
        return _LEFT_OUT
    for secret in sorted(given, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return text
