"""What people may call a connection, a job or a model, by page and by API."""

from __future__ import annotations

import unicodedata

from b2b_recs.engine.errors import BadInput

LONGEST_NAME = 100
_REFUSED = {"Cc", "Cs", "Zl", "Zp"}  # control, half of a pair, line and paragraph separators
_TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # would turn the sentence around the name


def refuse_bad_name(name: str, of: str) -> None:
    """Raise BadInput unless ``name`` is one; ``of`` is what it names, such as "a job"."""
    if not name or len(name) > LONGEST_NAME:
        raise BadInput(
            f"{of[:1].upper()}{of[1:]} needs a name of 1 to {LONGEST_NAME} characters.",
            field="name",
            advice="Write one.",
        )
    if not is_plain(name):
        raise BadInput(
            "A name has a sign that can be seen, no spaces around it and no control characters.",
            field="name",
            advice="Write another one.",
        )


def is_plain(name: str) -> bool:
    """Whether a name has a sign that is seen, no space around it, no control character or line break.

    Joined emoji and the marks of right-to-left writing are plain; what turns the text around the name is not.
    """
    kinds = {unicodedata.category(sign) for sign in name}
    seen = any(kind[0] not in "CZ" for kind in kinds)
    return seen and name == name.strip() and not kinds & _REFUSED and not _TURNING & set(name)
