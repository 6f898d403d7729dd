"""A value somebody gave, as a message repeats it."""

from __future__ import annotations

import unicodedata

# Control, format (among them direction), surrogate, private and unassigned signs, and breaks of lines.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def quoted(value: object, longest: int = 60) -> str:
    """The text of ``value`` in “…”, cut at ``longest`` signs; what cannot be seen or turns text is escaped."""
    text = str(value)
    shown = "".join(
        sign.encode("unicode_escape").decode() if unicodedata.category(sign) in _UNSEEN else sign
        for sign in text[:longest]
    )
    return f"“{shown}…”" if len(text) > longest else f"“{shown}”"
