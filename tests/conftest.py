"""Servers and folders the tests share."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postgres_support import FAST, PostgresServer

from b2b_recs.runtime.postgres import EmbeddedPostgres

pytest_plugins = ["web_support", "mariadb_support", "object_store_servers"]


# What is compiled is kept, also where the environment forbids it: tests start hundreds of processes.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Tests of one file run in one process of a parallel run, so that what they share is made once. The files of these
# places share something costly too. By place: the mark xdist_group groups nothing with this pytest, since pytest-xdist
# cannot note it in a test's name any more.
TOGETHER = ("tests/cli/",)
# Here every test takes long and none shares anything, so each goes where there is room.
ALONE = ("tests/kill/", "tests/security/test_planted_secrets.py")
# What takes longest begins first, so that no process is left with it at the end.
FIRST = (
    "tests/browser/", "tests/cli/", "tests/kill/", "tests/security/", "tests/runtime/", "tests/contract/",
    "tests/tenancy/", "tests/engine/sources/", "tests/property/", "tests/web/training/", "tests/web/operations/",
)  # fmt: skip


def work_of(test: str) -> str:
    """The name of what is handed out in one piece: a place, a file or a single test."""
    return next(
        (place for place in TOGETHER if test.startswith(place)),
        test if test.startswith(ALONE) else test.partition("::")[0],
    )


def turn_of(work: str) -> int:
    """When a piece of work is handed out: the lower, the earlier."""
    return next((turn for turn, place in enumerate(FIRST) if work.startswith(place)), len(FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What hands tests to processes, the longest work first. None leaves it to others."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadGroupScheduling

    class LongestFirst(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return work_of(nodeid)

        def _assign_work_unit(self, node: Any) -> None:
            self.workqueue.move_to_end(min(self.workqueue, key=turn_of), last=False)
            super()._assign_work_unit(node)

    return LongestFirst(config, log)


@pytest.fixture(scope="session")
def reachable_folder() -> Iterator[Path]:
    """A folder the server's user can reach even when the tests run as root; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="b2b-recs-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(reachable_folder: Path) -> Iterator[PostgresServer]:
    """One server per test process (each worker of a parallel run has its own)."""
    embedded = EmbeddedPostgres(
        reachable_folder / "postgres", secrets.token_hex(16), settings=FAST, store=reachable_folder / "store"
    )
    with embedded:
        yield PostgresServer(embedded)


@pytest.fixture(scope="session")
def role_server(reachable_folder: Path) -> Iterator[PostgresServer]:
    """A second server for tests that change roles: those belong to a whole server, and others share the first."""
    folder = reachable_folder / "role-server"
    with EmbeddedPostgres(folder, secrets.token_hex(16), settings=FAST, store=reachable_folder / "store") as server:
        yield PostgresServer(server)
