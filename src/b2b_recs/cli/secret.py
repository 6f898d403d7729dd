"""``b2b-recs secret``: keeps a secret for project files; it goes in and never comes out."""

from __future__ import annotations

import sys

import click

from b2b_recs.cli.context import organization_named, organization_option, set_up_django
from b2b_recs.cli.stack import needed


@click.command()
@click.argument("name")
@organization_option
def secret(name: str, organization: str | None) -> None:
    """Keep a secret under NAME, for {secret: NAME} in project files.

    The value is asked for without showing it, or read from standard input.
    """
    value = click.prompt("Value", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    with needed():
        set_up_django("web")
        from b2b_recs.web.connections.services import store_named_secret
        from b2b_recs.web.tenancy import scope

        owner = organization_named(organization)
        with scope(owner.id):
            created = store_named_secret(owner.id, name, value)
    click.echo(f"Secret “{name}” {'stored' if created else 'replaced'}. Use it as {{secret: {name}}}.")
