"""``b2b-recs migrate``: brings the control database up to date, as its owner."""

from __future__ import annotations

import click

from b2b_recs.cli.context import set_up_django


@click.command()
def migrate() -> None:
    """Bring the control database up to date and make sure that an owner account exists."""
    set_up_django("owner")
    from django.core.management import call_command

    from b2b_recs.web.accounts.bootstrap import ensure_owner

    call_command("migrate", interactive=False, verbosity=0)
    ensure_owner()
    click.echo("The database is up to date.")
