"""Which columns a page had shown when it was sent: the source may have been looked at again in the meantime."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.http import QueryDict

from b2b_recs.engine.counting import listed
from b2b_recs.engine.errors import BadInput

NAMED = 5  # columns that are told by name
EMPTY = "(empty)"  # among sample values


def shown_list(names: Sequence[str]) -> str:
    """The names as the page sends them along, in one field however many they are."""
    return json.dumps(list(names), ensure_ascii=False)


def shown_names(typed: QueryDict) -> list[str] | None:
    """The columns the page had shown, in its order; None when it does not say."""
    try:
        found = json.loads(typed["shown"])
    except (KeyError, ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and all(isinstance(name, str) for name in found) else None


def unseen(typed: QueryDict, names: Sequence[str]) -> list[str]:
    """The names among these that the page had not shown."""
    shown = shown_names(typed)
    known = set(names if shown is None else shown)
    return [name for name in names if name not in known]


def refuse_unseen(typed: QueryDict, names: Sequence[str], field: str, advice: str) -> None:
    """Raise BadInput when there are columns the page had not shown, so that nobody has decided on them."""
    new = unseen(typed, names)
    if new:
        one = len(new) == 1
        raise BadInput(
            f"{'A column was' if one else f'{len(new):,} columns were'} not there when this page was opened: "
            f"{listed(new[:NAMED], len(new))}.",
            field=field,
            advice=advice,
        )
