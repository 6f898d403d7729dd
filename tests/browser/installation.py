"""A whole installation for the browser tests: home, database, seeded rows, a web server and a serving process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from b2b_recs.runtime.database import ControlDatabase
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.keys import load_keys

ROOT = Path(__file__).parents[2]
START_SECONDS = 120
KEPT = ("B2B_RECS_SECRET_KEY",)


@dataclass(frozen=True)
class Installation:
    """Where it answers, and what ``seed.py`` printed."""

    url: str
    seeded: dict[str, Any]
    environment: dict[str, str]

    def end_runs(self, model_id: int) -> None:
        """Let every run of a model end now, as the worker would write it."""
        run([str(Path(__file__).with_name("end_runs.py")), str(model_id)], self.environment)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def installation(
    folder: Path, database_url: str, seed: str = "seed.py", worker: bool = False, shop: str = "", **settings: str
) -> Iterator[Installation]:
    """Create it, run it, and stop it again; with a ``worker`` that carries out runs.

    ``shop`` is the address of the database that ``seed.py`` makes a connection to; ``settings`` are more of its own.
    """
    ports = free_port(), free_port()
    environment = {**environment_of(folder, database_url, *ports), **settings}
    seeded = filled(folder, database_url, environment, seed, shop)
    log = folder / "logs" / "browser-tests.log"
    with running(programs(*ports, worker=worker), environment, log):
        url, serving = (f"http://127.0.0.1:{port}" for port in ports)
        wait_for(f"{url}/health/", log)
        wait_for(f"{serving}/health", log, able=not worker)
        yield Installation(url, seeded, environment)


def environment_of(folder: Path, database_url: str, port: int, serving_port: int) -> dict[str, str]:
    """The settings of an installation in that folder."""
    return {
        # the key stays: roles belong to the whole server, and other tests use them with passwords made from it
        **{name: value for name, value in os.environ.items() if name in KEPT or not name.startswith("B2B_RECS_")},
        "B2B_RECS_HOME": str(folder),
        "DATABASE_URL": database_url,
        "B2B_RECS_PORT": str(port),
        "B2B_RECS_SERVING_PORT": str(serving_port),
        "B2B_RECS_DEBUG": "true",
        "DJANGO_SETTINGS_MODULE": "b2b_recs.web.settings",
        "PYTHONPATH": str(ROOT / "src"),
    }


def filled(folder: Path, database_url: str, environment: dict[str, str], seed: str, shop: str) -> dict[str, Any]:
    """Make home and tables, fill them with a seed; returns what it printed."""
    home = Home(folder).create()
    owner = {**environment, "B2B_RECS_ROLE": "owner"}
    ControlDatabase.at_url(database_url, load_keys(home, create=True)).ensure()
    run(["-m", "django", "migrate", "--verbosity", "0", "--skip-checks"], owner)
    printed = run([str(Path(__file__).with_name(seed))], {**environment, "BROWSER_SHOP": shop})
    seeded: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
    return seeded


def programs(port: int, serving_port: int, worker: bool) -> list[tuple[str, list[str]]]:
    """What runs, each with its role in the database and its arguments for Python."""
    web = [
        "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--blocking-threads", "4", "--no-ws", "--workers-kill-timeout", "3", "--log-level", "warning",
        "b2b_recs.web.wsgi:application",
    ]  # fmt: skip
    serving = ["-m", "b2b_recs.cli.main", "serve", "--host", "127.0.0.1", "--port", str(serving_port)]
    found = [("web", web), ("web", serving)]
    if worker:
        found.append(("worker", ["-m", "b2b_recs.cli.main", "worker", "--concurrency", "1"]))
    return found


@contextmanager
def running(arguments: list[tuple[str, list[str]]], environment: dict[str, str], log: Path) -> Iterator[None]:
    """These programs, from now until the end."""
    with log.open("wb") as output:
        children = [
            subprocess.Popen(
                [sys.executable, *words], env={**environment, "B2B_RECS_ROLE": role}, stdout=output, stderr=output
            )
            for role, words in arguments
        ]
        try:
            yield
        finally:
            for child in children:
                child.terminate()
            for child in children:
                try:
                    child.wait(10)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()


def run(arguments: list[str], environment: dict[str, str]) -> str:
    """What a Python process printed; its errors when it failed."""
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def wait_for(address: str, log: Path, able: bool = True) -> None:
    """Return once the address answers, with 200 unless it need not be ``able``; fail with the server's own words."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except urllib.error.HTTPError:
            if not able:  # there is no model yet, which it says
                return
            time.sleep(0.1)
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{address} did not answer: {log.read_text(errors='replace')[-2000:]}")
