"""``b2b-recs doctor``: checks everything and says what to mend."""

from __future__ import annotations

import json
import logging
import sys

import click

from b2b_recs.runtime.checkup import BAD, OK, Checkup
from b2b_recs.runtime.home import Home


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(as_json: bool) -> None:
    """Check everything and say what to mend; exit code 1 when something is bad."""
    checkup = Checkup(Home.current(), migrations=pending_migrations)
    found = []
    for finding in checkup.findings():
        found.append(finding)
        if as_json:
            continue
        mark = {OK: "ok  ", BAD: "bad "}.get(finding.state, "–   ")
        click.echo(f"{mark} {finding.name}: {finding.text}")
        if finding.mend:
            click.echo(f"     {finding.mend}")
    healthy = all(finding.state != BAD for finding in found)
    if as_json:
        click.echo(json.dumps({"ok": healthy, "findings": [finding.as_json() for finding in found]}, indent=2))
    elif healthy:
        click.echo("Nothing to mend.")
    sys.exit(0 if healthy else 1)


def pending_migrations() -> int:
    """How many migrations of the code are not applied to the control database."""
    from b2b_recs.cli.context import set_up_django

    # Remarks of libraries at start-up do not belong between the findings.
    logging.disable(logging.INFO)
    set_up_django("web")
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connections["default"])
    pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    logging.disable(logging.NOTSET)
    return pending
