"""``b2b-recs runs-at-once``: how many runs of one organization may be under way at the same time."""

from __future__ import annotations

import click

from b2b_recs.cli.context import organization_named, set_up_django
from b2b_recs.cli.stack import needed
from b2b_recs.engine.errors import BadInput
from b2b_recs.runtime.fetching import MOST_RUNS, runs_per_organization

DEFAULT = "default"


@click.command()
@click.argument("organization", metavar="ORGANIZATION")
@click.argument("number", metavar="[NUMBER|default]", required=False)
def runs_at_once(organization: str, number: str | None) -> None:
    """Say or set how many runs of ORGANIZATION may be under way at the same time.

    0 allows any number, "default" what B2B_RECS_RUNS_PER_ORGANIZATION says. Runs that are under way go on; the number
    holds from the next one a worker takes.
    """
    with needed():
        set_up_django("web")
        click.echo(set_limit(organization, number))


def set_limit(name: str, number: str | None) -> str:
    """Set the number where one is given; returns what holds now, in words. Django is set up by the caller.

    Raises BadInput for an unknown organization, and for what is neither a number in the range nor "default".
    """
    from b2b_recs.web.tenancy import operating

    owner = organization_named(name)
    if number is not None:
        owner.runs_at_once = _number(number)
        with operating(audit={"command": "runs-at-once"}):
            owner.save(using="operator", update_fields=["runs_at_once"])
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
