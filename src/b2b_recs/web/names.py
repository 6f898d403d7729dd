"""What people may call things and themselves, by page, by API and in a project file; the only rule there is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.conflicts import NameTaken

if TYPE_CHECKING:
    from django.db.models import QuerySet

LONGEST_NAME = 100
LONGEST_TITLE = 200  # of people and organizations
_REFUSED = {"Cc", "Cs", "Zl", "Zp"}  # control, half of a pair, line and paragraph separators
_TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # would turn the sentence around the name


def refuse_bad_name(name: str, of: str, longest: int = LONGEST_NAME) -> None:
    """Raise BadInput unless ``name`` is one; ``of`` is what it names, such as "a job"."""
    if not name:
        raise BadInput(
            f"{of[:1].upper()}{of[1:]} needs a name.",
            field="name",
            advice=f"Write one of at most {longest} characters.",
        )
    refuse_too_long(name, longest)
    if not is_plain(name):
        raise BadInput(
            "A name has a sign that can be seen, no spaces around it and no control characters.",
            field="name",
            advice="Write another one.",
        )


def refuse_too_long(text: str, longest: int, what: str = "name", field: str = "name") -> None:
    """Raise BadInput that says by how much a text is too long."""
    if (beyond := len(text) - longest) > 0:
        raise BadInput(
            f"This {what} is {beyond:,} character{'s' if beyond > 1 else ''} too long: it has {len(text):,}, "
            f"and {longest:,} is the most.",
            field=field,
            advice="Shorten it.",
        )


def refuse_taken(rows: QuerySet[Any], name: str, kind: str, but: int | None = None) -> None:
    """Raise NameTaken when one of the rows is called so; capitals make no other name. ``but`` is the row itself."""
    others = rows.filter(name__iexact=name).exclude(id=but).order_by("id").values_list("name", flat=True)
    other = others.first()
    if other is None:
        return
    told = "" if other == name else "; a name that differs only in capitals is the same"
    raise _taken(kind, other, told)


@contextmanager
def naming(kind: str, name: str) -> Iterator[None]:
    """All or nothing. Raises NameTaken when somebody else gave the name at the same moment, which the database knows.

    Its constraints for names end in ``name_once_in_its_…``.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as refused:
        told = getattr(refused.__cause__, "diag", None)
        if told is None or "_name_once_in_its_" not in (told.constraint_name or ""):
            raise
        raise _taken(kind, name) from None


def _taken(kind: str, name: str, told: str = "") -> NameTaken:
    return NameTaken(f"There is a {kind} named “{name}” already{told}.", field="name", advice="Choose another name.")


def is_plain(name: str) -> bool:
    """Whether a name has a sign that is seen, no space around it, no control character or line break.

    Joined emoji and the marks of right-to-left writing are plain; what turns the text around the name is not.
    """
    kinds = {unicodedata.category(sign) for sign in name}
    seen = any(kind[0] not in "CZ" for kind in kinds)
    return seen and name == name.strip() and not kinds & _REFUSED and not _TURNING & set(name)
