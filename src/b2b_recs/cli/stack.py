"""Makes sure that what a command needs is running: uses what ``b2b-recs up`` runs, else starts it for the command."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import click

from b2b_recs.cli.apart import work_apart
from b2b_recs.cli.up import prepare
from b2b_recs.runtime.children import answers
from b2b_recs.runtime.database import configured_externally
from b2b_recs.runtime.errors import AlreadyRunning
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.state import Running, running
from b2b_recs.runtime.supervisor import Supervisor

WORKER, SERVING = "worker", "serving"
WAIT_SECONDS = 90.0
TICK = 0.1


@contextmanager
def needed(*children: str) -> Iterator[None]:
    """The control database, up to date, and these processes, for as long as the command works.

    What runs already is used. While another command holds the home with less than that, or ``up`` is still starting,
    this one waits. Raises what starting raises, and AlreadyRunning when the other one does not end.
    """
    home = Home.current()
    until = time.monotonic() + WAIT_SECONDS
    waiting = False
    while True:
        here = running(home)
        if here is not None and _suffices(here, children):
            _follow(here)
            yield
            return
        if here is None and configured_externally() and not children:
            yield
            return
        if here is None and work_apart(home, worker=WORKER in children, serving=SERVING in children):
            yield
            return
        if here is None:
            supervisor = _started(children)
            if supervisor is not None:
                break
        if time.monotonic() > until:
            raise AlreadyRunning(
                f"Another command works in {home.root} and did not end within {WAIT_SECONDS:.0f} s.",
                advice="Try again when it has ended, or keep everything running with: b2b-recs up",
            )
        if not waiting:
            click.echo("Something is starting or another command is at work here: waiting for it.", err=True)
            waiting = True
        time.sleep(TICK)
    with supervisor:
        _watch(supervisor)
        yield


def _started(children: tuple[str, ...]) -> Supervisor | None:
    """Everything needed, running; None when somebody else was quicker to take the home."""
    supervisor, _ = prepare()
    supervisor.say = _say_nothing
    supervisor.children = [child for child in supervisor.children if child.spec.name in children]
    click.echo("Nothing is running here: starting what this command needs.", err=True)
    try:
        supervisor.start()
    except AlreadyRunning:
        return None
    except BaseException:
        supervisor.stop()
        raise
    return supervisor


def _suffices(here: Running, children: tuple[str, ...]) -> bool:
    """Whether what runs has got past the database's tables and has these processes, the endpoint answering."""
    started = {name for name, one in here.processes.items() if one.get("kind") == "process" and one.get("pid")}
    if not started or not started.issuperset(children):
        return False
    if SERVING not in children:
        return True
    place = urlsplit(here.processes[SERVING].get("address") or "")
    return place.port is not None and answers(place.port, "/health", place.hostname or "127.0.0.1")(0)


def _follow(here: Running) -> None:
    """Ask the ports of what runs, whichever it was started with."""
    for name, variable in (("web", "B2B_RECS_PORT"), (SERVING, "B2B_RECS_SERVING_PORT")):
        port = urlsplit(here.processes.get(name, {}).get("address") or "").port
        if port is not None:
            os.environ[variable] = str(port)


def _watch(supervisor: Supervisor) -> None:
    threading.Thread(target=supervisor.watch, name="supervisor", daemon=True).start()


def _say_nothing(line: str) -> None:
    """A command's own output is what people asked for."""
