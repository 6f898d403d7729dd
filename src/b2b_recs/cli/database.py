"""``b2b-recs migrate``: brings the control database up to date, as its owner."""

from __future__ import annotations

import click

from b2b_recs.cli.context import set_up_django


@click.command()
def migrate() -> None:
    """Bring the control database up to date and make sure that an owner account exists.

    In the database of DATABASE_URL the roles of the application are made first.
    """
    from b2b_recs.runtime.database import ControlDatabase, configured_externally
    from b2b_recs.runtime.home import Home
    from b2b_recs.runtime.keys import load_keys

    if configured_externally():  # roles of the embedded one are made where it is started
        home = Home.current().create()
        ControlDatabase.current(home, load_keys(home, create=True)).ensure()
    set_up_django("owner")
    from django.core.management import call_command

    from b2b_recs.web.accounts.bootstrap import ensure_owner

    call_command("migrate", interactive=False, verbosity=0)
    ensure_owner()
    click.echo("The database is up to date.")
