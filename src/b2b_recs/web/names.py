"""What people may call a connection, a job or a model, by page and by API."""

from __future__ import annotations

import unicodedata

from b2b_recs.engine.errors import BadInput

LONGEST_NAME = 100
_REFUSED = {"Cc", "Cs", "Zl", "Zp"}  # control, half of a pair, line and paragraph separators


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
            "A name has no spaces around it and no control characters.", field="name", advice="Write another one."
        )


def is_plain(name: str) -> bool:
    """Whether a name begins and ends with a sign that is seen, and holds no control character or line break.

    Joined emoji and marks of writing direction are plain.
    """
    return name == name.strip() and not any(unicodedata.category(sign) in _REFUSED for sign in name)
