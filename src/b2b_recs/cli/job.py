"""``b2b-recs job``: carries out one run in this process; the worker starts one child for each run."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import Any

import click

from b2b_recs.cli.context import set_up_django


@click.group()
def job() -> None:
    """Carry out one run."""


def _prepare() -> None:
    """Django as the worker's role; SIGTERM ends the process at a safe point, as a cancel or to be tried again."""
    set_up_django("worker")
    _stop_at_a_safe_point()


def _stop_at_a_safe_point() -> None:
    """Note SIGTERM at once, also while the main thread waits inside a driver, where Python runs no handler."""
    from b2b_recs.runtime.recording import shutting_down

    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, lambda number, frame: shutting_down.set())

    def listen() -> None:
        while signal.SIGTERM not in os.read(heard, 64):
            continue
        shutting_down.set()

    threading.Thread(target=listen, name="signals", daemon=True).start()


def _identity(function: click.decorators.FC) -> click.decorators.FC:
    function = click.option("--run", "run_id", type=int, required=True, help="Number of the run.")(function)
    organization = click.option(
        "--organization", "organization_id", type=int, required=True, help="Number of its organization."
    )
    return organization(function)


@job.command()
@click.option("--organization", "organization_id", type=int, help="Number of its organization.")
@click.option("--run", "run_id", type=int, help="Number of the run.")
@click.option(
    "--run-url",
    envvar="B2B_RECS_RUN_URL",
    help="Carry out a run of a platform elsewhere; its token is in B2B_RECS_RUN_TOKEN.",
)
def etl(organization_id: int | None, run_id: int | None, run_url: str | None) -> None:
    """Copy one table."""
    if organization_id is not None and run_id is not None:
        _prepare()
        from b2b_recs.web.etl.execution import execute

        sys.exit(execute(organization_id, run_id))
    if not run_url or organization_id is not None or run_id is not None:
        raise click.UsageError("Name a run with --organization and --run, or with --run-url.")
    from b2b_recs.runtime.remote_run import execute as execute_elsewhere

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)

    _stop_at_a_safe_point()
    sys.exit(execute_elsewhere(run_url))


@job.command()
@_identity
def pipeline(organization_id: int, run_id: int) -> None:
    """Build the dataset, train, evaluate, register and deploy."""
    _prepare()
    from b2b_recs.web.training.execution import execute

    sys.exit(execute(organization_id, run_id))


@job.command("wait", hidden=True)
@click.option("--channel", type=int, required=True, help="The open socket of the worker.")
def wait(channel: int) -> None:
    """Load what runs need and wait: each is done by a copy of this process."""
    set_up_django("worker")
    import socket

    from django.db import connections

    from b2b_recs.engine.etl import late
    from b2b_recs.runtime.prepared import serve
    from b2b_recs.web.etl.execution import execute as copy
    from b2b_recs.web.training.execution import execute as train

    def work(what: list[Any]) -> int:
        kind, organization_id, run_id = what
        _stop_at_a_safe_point()
        return {"etl": copy, "pipeline": train}[kind](int(organization_id), int(run_id))

    late.load()
    connections.close_all()
    sys.exit(serve(socket.socket(fileno=channel), work))
