"""The demo's shop as a database somebody could connect: what to type in the wizard, and a line for the API."""

from __future__ import annotations

import json
import shlex
from typing import Any

import click

from b2b_recs.cli.access import fresh_key, web_address
from b2b_recs.cli.context import model_named, set_up_django, write_json
from b2b_recs.runtime.errors import RuntimeRefused
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.keys import load_keys
from b2b_recs.runtime.sample_source import DATABASE, READER
from b2b_recs.runtime.state import running

MODEL = "Giftware wholesale"  # as sample_data/project.yaml calls it
KEY_NAME = "demo shop"
SCHEMA = "public"


def show_shop(json_file: str | None) -> None:
    """Print the parameters of the shop and a curl line that tests them, with a fresh key in place of the last one.

    Raises RuntimeRefused when the demo does not run here.
    """
    parameters = shop_parameters(Home.current())
    line = _curl(parameters)
    write_json(json_file, {"type": "postgresql", "parameters": parameters, "curl": line})
    if json_file == "-":
        return
    click.echo("The demo's shop. In the connection wizard choose PostgreSQL and type:")
    for name, value in parameters.items():
        click.echo(f"  {name:<10}{value}")
    click.echo(f"The login can only read; the tables are in the schema {SCHEMA}.\n\nOver HTTP:\n  {line}")


def shop_parameters(home: Home) -> dict[str, Any]:
    """What a connection to the shop of the running demo asks for. Raises RuntimeRefused when none runs."""
    here = running(home)
    port = here.processes.get("demo database", {}).get("port") if here is not None else None
    if port is None:
        raise RuntimeRefused(f"No demo runs in {home.root}.", advice="Start it in another terminal with: b2b-recs demo")
    return {
        "host": "127.0.0.1",
        "port": port,
        "database": DATABASE,
        "username": READER,
        "password": load_keys(home).passwords["demo_reader"],
    }


def _curl(parameters: dict[str, Any]) -> str:
    set_up_django("web")
    from b2b_recs.web.accounts.bootstrap import ensure_owner
    from b2b_recs.web.tenancy import scope

    _, organization, _ = ensure_owner()
    with scope(organization.id):
        model_id = model_named(MODEL).id
    key = fresh_key(organization.id, MODEL, KEY_NAME, ("write",))
    body = json.dumps({"type": "postgresql", "parameters": parameters})
    return (
        f"curl -s {web_address()}/api/models/{model_id}/connections/test-wizard/ -H 'Authorization: Bearer {key}' "
        f"-H 'Content-Type: application/json' -d {shlex.quote(body)}"
    )
