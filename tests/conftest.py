"""Servers and folders the tests share."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postgres_support import FAST, PostgresServer

from b2b_recs.runtime.postgres import EmbeddedPostgres

pytest_plugins = ["web_support", "mariadb_support", "object_store_servers"]


# Tests that share something costly run in one process of a parallel run. By place: the mark xdist_group groups
# nothing with this pytest, since pytest-xdist cannot note it in a test's name any more.
TOGETHER = ("tests/browser/", "tests/cli/", "tests/security/test_canary.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What hands tests to processes: one by one, those of a shared place together. None leaves it to others."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadGroupScheduling

    class ByPlace(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((place for place in TOGETHER if nodeid.startswith(place)), super()._split_scope(nodeid))

    return ByPlace(config, log)


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
