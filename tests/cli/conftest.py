"""One stack for the whole folder: a wholesaler's database, and an installation of its own that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Installation, Stack
from wholesale_shop import PASSWORD, READER, Shop, fill


@pytest.fixture(scope="session")
def shop(postgres_server: Any) -> Shop:
    postgres_server.execute(f"DROP ROLE IF EXISTS {READER}")
    postgres_server.execute(f"CREATE ROLE {READER} LOGIN PASSWORD '{PASSWORD}'")
    return Shop(postgres_server.port, fill(postgres_server.create_database("warenwirtschaft")))


@pytest.fixture(scope="session")
def installation(reachable_folder: Path) -> Installation:
    """An empty installation; nothing runs in it."""
    return Installation(reachable_folder / "command-line", {"LESER_PASSWORT": PASSWORD})


@pytest.fixture(scope="session")
def stack(installation: Installation, shop: Shop) -> Iterator[Stack]:
    """The installation with ``b2b-recs up`` running, the wholesaler's model applied, run and deployed."""
    with installation.up():
        file = installation.write("projekt.yaml", shop.project())
        installation("apply", file).well()
        out = installation.folder / "out.json"
        installation("run", "Großhandel", "--wait", "--json", str(out)).well()
        yield Stack(installation, file, json.loads(out.read_text("utf-8")), shop.project())
