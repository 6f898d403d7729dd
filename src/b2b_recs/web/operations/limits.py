"""How many runs of one organization may be under way at the same time, set by an operator from the command line."""

from __future__ import annotations

from b2b_recs.engine.errors import BadInput
from b2b_recs.runtime.fetching import MOST_RUNS, runs_per_organization
from b2b_recs.web.accounts.models import Organization
from b2b_recs.web.tenancy import operating

DEFAULT = "default"


def set_limit(owner: Organization, number: str) -> None:
    """Set the number; the audit says which command did. Raises BadInput for neither a number in range nor "default"."""
    owner.runs_at_once = _number(number)
    with operating(audit={"command": "runs-at-once"}):
        owner.save(using="operator", update_fields=["runs_at_once"])


def limit_words(owner: Organization) -> str:
    """What holds for the organization now."""
    own = owner.runs_at_once
    most = runs_per_organization() if own is None else own
    words = f"{most:,} at the same time" if most else "any number at the same time"
    return f"Runs of {owner.name}: {words}{' (the default)' if own is None else ''}."


def _number(text: str) -> int | None:
    if text == DEFAULT:
        return None
    if text.isascii() and text.isdigit() and len(text) <= len(str(MOST_RUNS)) and int(text) <= MOST_RUNS:
        return int(text)
    raise BadInput(
        f"{text[:60]} is not a number of runs.",
        field="NUMBER",
        advice=f"Give 0 to {MOST_RUNS:,}, where 0 is any number, or default.",
    )
