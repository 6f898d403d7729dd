"""Makes sure that what a command needs is running: uses what ``b2b-recs up`` runs, else starts it for the command."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

from b2b_recs.cli.up import prepare
from b2b_recs.runtime.database import configured_externally
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.state import running
from b2b_recs.runtime.supervisor import Supervisor


@contextmanager
def database_running() -> Iterator[None]:
    """The control database, up to date, for as long as the command works."""
    with _started(children=False):
        yield


@contextmanager
def everything_running() -> Iterator[None]:
    """Database, pages, worker and endpoint, for as long as the command works."""
    with _started(children=True):
        yield


@contextmanager
def _started(children: bool) -> Iterator[None]:
    home = Home.current()
    if running(home) is not None or (configured_externally() and not children):
        yield
        return
    supervisor, _ = prepare()
    supervisor.say = _say_nothing
    if children:
        click.echo("Nothing is running here yet: starting it for this command.", err=True)
    else:
        supervisor.children = []
    with watched(supervisor):
        yield


@contextmanager
def watched(supervisor: Supervisor) -> Iterator[None]:
    """Everything started, kept running by a thread, and stopped at the end."""
    with supervisor:
        supervisor.start()
        threading.Thread(target=supervisor.watch, name="supervisor", daemon=True).start()
        yield


def _say_nothing(line: str) -> None:
    """A command's own output is what people asked for."""
