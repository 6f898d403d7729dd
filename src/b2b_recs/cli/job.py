"""``b2b-recs job``: carries out one run in this process; the worker starts one child for each run."""

from __future__ import annotations

import signal
import sys

import click

from b2b_recs.cli.context import set_up_django


@click.group()
def job() -> None:
    """Carry out one run."""


def _prepare() -> None:
    """Django as the worker's role; SIGTERM ends the process at a safe point, as a cancel or to be tried again."""
    set_up_django("worker")
    from b2b_recs.web.runs.recorder import shutting_down

    signal.signal(signal.SIGTERM, lambda number, frame: shutting_down.set())


def _identity(function: click.decorators.FC) -> click.decorators.FC:
    function = click.option("--run", "run_id", type=int, required=True, help="Number of the run.")(function)
    organization = click.option(
        "--organization", "organization_id", type=int, required=True, help="Number of its organization."
    )
    return organization(function)


@job.command()
@_identity
def etl(organization_id: int, run_id: int) -> None:
    """Copy one table."""
    _prepare()
    from b2b_recs.web.etl.execution import execute

    sys.exit(execute(organization_id, run_id))


@job.command()
@_identity
def pipeline(organization_id: int, run_id: int) -> None:
    """Build the dataset, train, evaluate, register and deploy."""
    _prepare()
    from b2b_recs.web.training.execution import execute

    sys.exit(execute(organization_id, run_id))
