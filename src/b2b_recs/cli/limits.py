"""``b2b-recs runs-at-once``: how many runs of one organization may be under way at the same time."""

from __future__ import annotations

import click

from b2b_recs.cli.context import organization_named, set_up_django
from b2b_recs.cli.stack import needed


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
        from b2b_recs.web.operations.limits import limit_words, set_limit

        owner = organization_named(organization)
        if number is not None:
            set_limit(owner, number)
        click.echo(limit_words(owner))
