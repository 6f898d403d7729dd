"""A runner in a process of its own, without the database: it copies, reports, stops when told, and is fenced."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from remote_shop import ROWS, RemoteShop, make_remote_shop, platform
from run_rows import without_pool
from web_support import TestDatabase

from b2b_recs.runtime.home import Home
from b2b_recs.web.etl.execution import execute
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.remote.launching import PASSED
from b2b_recs.web.etl.remote.tokens import make_token
from b2b_recs.web.etl.services import start_run
from b2b_recs.web.tenancy import scope

COMMAND = [sys.executable, "-m", "b2b_recs.cli.main", "job", "etl"]
SECONDS = 120  # a limit for hopeless cases, not a measure


@pytest.fixture
def remote(platform_database: TestDatabase, postgres_server: Any) -> Iterator[RemoteShop]:
    with without_pool():
        yield make_remote_shop(postgres_server)
    postgres_server.drop_database("remote_source")


@pytest.fixture
def address(remote: RemoteShop, settings_of_pages: Any) -> Iterator[str]:
    with platform() as url:
        settings_of_pages.WEB_URL = url
        yield url


@pytest.fixture
def settings_of_pages() -> Iterator[Any]:
    from django.conf import settings

    before = settings.WEB_URL
    yield settings
    settings.WEB_URL = before


@pytest.fixture
def run(remote: RemoteShop) -> ETLRun:
    with scope(remote.id):
        return start_run(remote.shop.jobs[0])


def bare(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a machine that knows nothing of the platform's database and keys."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
    warehouse = str(Home.current().create().warehouse)
    python = os.pathsep.join(path for path in sys.path if path)
    return {**kept, "PYTHONPATH": python, "B2B_RECS_HOME": str(folder), "B2B_RECS_WAREHOUSE": warehouse, **more}


def runner(address: str, run: ETLRun, folder: Path, attempt: int, **more: str) -> subprocess.Popen[str]:
    """A runner on its way; the token is in its environment, never among its arguments."""
    token = make_token(run.organization_id, run.id, attempt)
    url = f"{address}/api/etl/runner/runs/{run.id}/"
    return subprocess.Popen(
        [*COMMAND, "--run-url", url],
        env=bare(folder, B2B_RECS_RUN_TOKEN=token, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + SECONDS
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_runner_without_database_copies_and_reports_as_one_here_does(
    remote: RemoteShop, address: str, run: ETLRun, tmp_path: Path
) -> None:
    process = runner(address, run, tmp_path, remote.begin(run))
    said, _ = process.communicate(timeout=SECONDS)
    ended = remote.run()
    assert (process.returncode, ended.status, ended.error) == (0, "completed", ""), said
    assert remote.loaded() == ROWS
    assert (ended.rows_read, ended.rows_loaded, ended.results["reconciled"]) == (500, 500, True)
    assert [(stage["name"], stage["state"]) for stage in ended.stages] == [
        (name, "done") for name in ("connect", "read", "load", "reconcile")
    ]
    assert all(stage["seconds"] >= 0 for stage in ended.stages)
    assert any("500 rows read" in line for line in remote.lines())
    with scope(remote.id):
        start_run(remote.shop.jobs[0])
    assert execute(remote.id, remote.run().id) == 0
    here = remote.run()
    assert (here.status, here.rows_read, [stage["name"] for stage in here.stages]) == (
        "completed", 500, [stage["name"] for stage in ended.stages],
    )  # fmt: skip


def test_the_worker_hands_runs_to_the_operators_command_and_writes_their_end(
    remote: RemoteShop, address: str, run: ETLRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = bare(tmp_path)
    for name in ("PYTHONPATH", "B2B_RECS_WAREHOUSE"):
        monkeypatch.setenv(name, own[name])
    # the runner needs no home of the platform: its own user's is an empty folder
    monkeypatch.setenv("HOME", own["B2B_RECS_HOME"])
    monkeypatch.setenv("B2B_RECS_RUNNER_ENVIRONMENT", "PYTHONPATH, B2B_RECS_WAREHOUSE")
    monkeypatch.setenv("B2B_RECS_RUNNER_COMMAND", " ".join(COMMAND))
    assert execute(remote.id, run.id) == 0
    assert (remote.run().status, remote.run().error) == ("completed", "")
    assert remote.loaded() == ROWS


def test_the_operators_command_sees_its_run_and_nothing_of_the_platforms_keys(
    remote: RemoteShop, address: str, run: ETLRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen.json"
    program = "import json, os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(json.dumps(dict(os.environ)))"
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    monkeypatch.setenv("SHOP_PASSWORD", "canary-of-the-operator")
    monkeypatch.setenv("B2B_RECS_RUNNER_ENVIRONMENT", "DOCKER_HOST")
    monkeypatch.setenv("B2B_RECS_RUNNER_COMMAND", shlex.join([sys.executable, "-c", program, str(seen)]))
    execute(remote.id, run.id)
    found = json.loads(seen.read_text())
    assert found.pop("DOCKER_HOST") and found.pop("PATH") == os.environ["PATH"]
    assert found.pop("B2B_RECS_RUN_TOKEN") and str(run.id) in found.pop("B2B_RECS_RUN_URL")
    assert [name for name in found if name not in PASSED] == []
    assert {"DATABASE_URL", "B2B_RECS_HOME", "B2B_RECS_SECRET_KEY", "SHOP_PASSWORD"} <= set(os.environ)


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (f"{sys.executable} -c 'raise SystemExit(3)'", 75, "ended without a last word, with exit code 3"),
        ("/no/such/program", 0, "could not be started"),
    ],
)
def test_a_runner_that_says_nothing_leaves_no_run_behind(
    remote: RemoteShop, run: ETLRun, monkeypatch: pytest.MonkeyPatch, command: str, code: int, words: str
) -> None:
    monkeypatch.setenv("B2B_RECS_RUNNER_COMMAND", command)
    assert execute(remote.id, run.id) == code
    now = remote.run()
    assert words in now.error
    assert now.status == ("pending" if code else "failed")


def test_a_runner_that_was_taken_over_stops_and_changes_nothing(
    remote: RemoteShop, address: str, run: ETLRun, tmp_path: Path
) -> None:
    attempt = remote.begin(run)
    with psycopg.connect(remote.source) as holder:
        holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")  # the runner waits at the source
        process = runner(address, run, tmp_path, attempt)
        wait_for(lambda: any("Connected to source" in line for line in remote.lines()), process)
        remote.begin(run)
        time.sleep(2.0)  # the runner hears of it with its next report
    said, _ = process.communicate(timeout=SECONDS)
    now = remote.run()
    assert (process.returncode, now.status, now.attempt) == (0, "running", 2), said
    assert "newer attempt" in said
    assert remote.loaded() == []
    again = runner(address, run, tmp_path, 2)
    again.communicate(timeout=SECONDS)
    assert (remote.run().status, remote.loaded()) == ("completed", ROWS)


def test_a_wish_to_stop_reaches_the_runner_with_its_progress(
    remote: RemoteShop, address: str, run: ETLRun, tmp_path: Path
) -> None:
    attempt = remote.begin(run)
    with psycopg.connect(remote.source) as holder:
        holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        process = runner(address, run, tmp_path, attempt)
        wait_for(lambda: any("Connected to source" in line for line in remote.lines()), process)
        with scope(remote.id):
            ETLRun.objects.update(cancel_requested=True)
        time.sleep(1.5)
    said, _ = process.communicate(timeout=SECONDS)
    assert (process.returncode, remote.run().status, remote.loaded()) == (0, "cancelled", []), said


def test_a_runner_told_to_end_says_so_and_that_is_no_try(
    remote: RemoteShop, address: str, run: ETLRun, tmp_path: Path
) -> None:
    attempt = remote.begin(run)
    with psycopg.connect(remote.source) as holder:
        holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        process = runner(address, run, tmp_path, attempt)
        wait_for(lambda: any("Connected to source" in line for line in remote.lines()), process)
        process.terminate()
        process.communicate(timeout=SECONDS)
    assert process.returncode == 75
    assert [attempt["outcome"] for attempt in remote.run().attempts] == ["interrupted"]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"B2B_RECS_WAREHOUSE": ""}, "does not know where the warehouse is"),
        ({"B2B_RECS_WAREHOUSE": "s3://bucket/warehouse"}, "writes into a shared folder only"),
        ({"B2B_RECS_WAREHOUSE": "{folder}"}, "is the warehouse of another installation"),
        ({"B2B_RECS_OUTGOING_GUARD": "true"}, "may not be reached from here"),
    ],
)
def test_what_a_runner_cannot_do_is_an_end_in_words(
    remote: RemoteShop, address: str, run: ETLRun, tmp_path: Path, variables: dict[str, str], words: str
) -> None:
    (tmp_path / ".warehouse").write_text("f" * 32)
    attempt = remote.begin(run)
    more = {name: value.format(folder=tmp_path) for name, value in variables.items()}
    process = runner(address, run, tmp_path, attempt, **more)
    said, _ = process.communicate(timeout=SECONDS)
    now = remote.run()
    assert (process.returncode, now.status) == (0, "failed"), said
    assert words in now.error
    assert now.advice
    assert remote.loaded() == []


def test_no_secret_is_printed_or_kept(remote: RemoteShop, address: str, run: ETLRun, tmp_path: Path) -> None:
    token = make_token(run.organization_id, run.id, remote.begin(run))
    process = runner(address, run, tmp_path, 1)
    arguments = Path(f"/proc/{process.pid}/cmdline").read_text()
    said, _ = process.communicate(timeout=SECONDS)
    with scope(remote.id):
        kept = f"{list(ETLRun.objects.values())} {remote.lines()}"
    for secret in (token, psycopg.conninfo.conninfo_to_dict(remote.source)["password"]):
        assert secret not in arguments + said + kept
