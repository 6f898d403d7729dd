"""``b2b-recs up``: starts everything on this machine and keeps it running until it is told to stop."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from b2b_recs.runtime.child import run_in_child
from b2b_recs.runtime.children import serving_child, web_child, worker_child
from b2b_recs.runtime.database import ControlDatabase, configured_externally
from b2b_recs.runtime.environment import envint, envport
from b2b_recs.runtime.errors import RuntimeRefused
from b2b_recs.runtime.file_folders import make_default_folder
from b2b_recs.runtime.home import VARIABLE, Home
from b2b_recs.runtime.keys import Keys, load_keys
from b2b_recs.runtime.postgres import EmbeddedPostgres
from b2b_recs.runtime.supervisor import Step, Stopped, Supervisor


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address the pages and the endpoint listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the pages (B2B_RECS_PORT, 8000).")
@click.option(
    "--serving-port", type=click.IntRange(1, 65535), help="Port of the endpoint (B2B_RECS_SERVING_PORT, 8001)."
)
def up(host: str, port: int | None, serving_port: int | None) -> None:
    """Start everything on this machine and keep it running.

    Starts the database, pages, worker and endpoint; restarts what ends. Ctrl-C stops all of it.
    """
    supervisor, first_start = prepare(host, port, serving_port)
    supervisor.install_signal_handlers()
    with supervisor:
        try:
            supervisor.start()
        except Stopped:
            click.echo("Stopped.")
            return
        if first_start:
            click.echo(run_command(supervisor.home, "sign-in-link").strip())
            note_first_start(supervisor.home)
        click.echo(f"Everything is running: {supervisor.address} (Ctrl-C stops it)")
        supervisor.watch()
        click.echo("Stopping")
    click.echo("Stopped.")


def prepare(
    host: str = "127.0.0.1",
    port: int | None = None,
    serving_port: int | None = None,
    *,
    extra_steps: Sequence[Step] = (),
    with_demo: bool = False,
) -> tuple[Supervisor, bool]:
    """The supervisor of this home, not yet started, and whether this is the home's first start.

    ``extra_steps`` run after the control database is up to date and before pages, worker and endpoint;
    ``with_demo`` makes the demo's source database when there is none.
    """
    home = Home.current().create()
    make_default_folder(home)
    first_start = not _first_start_note(home).exists()
    keys = load_keys(home, create=True)
    port = port or envport("B2B_RECS_PORT", 8000)
    serving_port = serving_port or envport("B2B_RECS_SERVING_PORT", 8001)
    if port == serving_port:
        raise RuntimeRefused(
            f"Pages and endpoint cannot share port {port}.",
            advice="Give B2B_RECS_PORT and B2B_RECS_SERVING_PORT different values.",
            field="B2B_RECS_SERVING_PORT",
        )
    web = web_child(home, host, port, threads=envint("B2B_RECS_WEB_THREADS", 8, 1, 256))
    worker = worker_child(home, envint("B2B_RECS_WORKER_CONCURRENCY", 2, 1, 32))
    serving = serving_child(home, host, serving_port, envint("B2B_RECS_SERVING_WORKERS", 1, 1, 64))
    os.environ["B2B_RECS_PORT"], os.environ["B2B_RECS_SERVING_PORT"] = str(port), str(serving_port)
    supervisor = Supervisor(
        home, [web, worker, serving], databases=databases_of(home, keys, with_demo), say=click.echo, address=web.address
    )
    supervisor.steps = [
        ("database roles: in order", lambda: ControlDatabase.current(home, keys).ensure()),
        (
            "database tables: up to date",
            lambda: run_command(home, "migrate", should_stop=supervisor.stopping.is_set),
        ),
        *extra_steps,
    ]
    return supervisor, first_start


def note_first_start(home: Home) -> None:
    """Remember that the owner has had the sign-in link of the first start."""
    _first_start_note(home).touch()


def _first_start_note(home: Home) -> Path:
    return home.run / "first-start"


def databases_of(home: Home, keys: Keys, with_demo: bool = False) -> dict[str, EmbeddedPostgres]:
    """The embedded databases of a home: the control database unless DATABASE_URL is set, and the demo's if made."""
    found: dict[str, EmbeddedPostgres] = {}
    if not configured_externally():
        found["database"] = EmbeddedPostgres(home.postgres, keys.passwords["postgres"], log=home.logs / "postgres.log")
    if with_demo or (home.demo / "cluster.json").exists():
        found["demo database"] = demo_database(home, keys)
    return found


def demo_database(home: Home, keys: Keys) -> EmbeddedPostgres:
    """The separate server that plays the seller's system in the demo; made at its first start."""
    return EmbeddedPostgres(home.demo, keys.passwords["demo_owner"], log=home.logs / "demo.log")


def run_command(home: Home, *arguments: str, should_stop: Callable[[], bool] = lambda: False) -> str:
    """What another b2b-recs command printed. Raises RuntimeRefused with its last words when it failed."""
    with tempfile.TemporaryDirectory(prefix="b2b-recs-") as folder:
        output = Path(folder) / "output"
        end = run_in_child(
            [sys.executable, "-m", "b2b_recs.cli.main", *arguments],
            env={**os.environ, VARIABLE: str(home.root)},
            should_stop=should_stop,
            stop_seconds=lambda: 4.0,
            output=output,
        )
        printed = output.read_text("utf-8", "replace")
    if end.code == 0:
        return printed
    words = [line for line in printed.splitlines() if line.strip()][-8:]
    raise RuntimeRefused(
        f"`b2b-recs {' '.join(arguments)}` failed:\n" + "\n".join(f"  {line}" for line in words),
        advice="`b2b-recs doctor` checks this machine.",
    )
