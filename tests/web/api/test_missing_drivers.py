"""A source whose driver is not installed: refused with the command that installs it, the same one everywhere."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from web.api.api_client import Program

from b2b_recs.engine.sources import drivers
from b2b_recs.engine.sources.registry import SOURCE_TYPES

LOGIN = {"host": "127.0.0.1", "username": "reader", "password": "canary-1"}
SERVICE_ACCOUNT = json.dumps(
    {
        "type": "service_account",
        "client_email": "reader@shop-4711.iam.gserviceaccount.com",
        "private_key_id": "1",
        "private_key": "-----BEGIN PRIVATE KEY-----",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
)
PARAMETERS: dict[str, dict[str, Any]] = {
    "mysql": {**LOGIN, "database": "shop"},
    "mariadb": {**LOGIN, "database": "shop"},
    "sqlserver": {**LOGIN, "database": "shop"},
    "oracle": {**LOGIN, "service_name": "shop"},
    "snowflake": {
        "account": "shop-account1",
        "warehouse": "small",
        "database": "shop",
        "username": "reader",
        "password": "canary-1",
    },
    "bigquery": {"project": "shop-4711", "dataset": "shop", "credentials": SERVICE_ACCOUNT},
    "firestore": {"project": "shop-4711", "service_account": SERVICE_ACCOUNT},
    "mongodb": {"host": "127.0.0.1", "database": "shop"},
    "sftp": {**LOGIN, "format": "csv"},
    "excel": {"location": "/srv/files"},
}


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No driver can be imported."""

    def absent(module: str) -> Any:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr(drivers, "importlib", SimpleNamespace(import_module=absent, util=importlib.util))


@pytest.mark.parametrize("name", sorted(name for name, declared in SOURCE_TYPES.items() if declared.extra))
def test_a_missing_driver_is_a_refusal_with_the_command_that_installs_it(writer: Program, name: str) -> None:
    body = {"type": name, "parameters": PARAMETERS[name]}
    error = writer.post("connections/test-wizard/", body).refused(422, "driver_missing", "type")
    listed = {one["type"]: one for one in writer.get("/api/sources/").well()["items"]}
    assert listed[name]["install"] and listed[name]["install"] in error["advice"]
    assert sys.executable in error["advice"] and "canary" not in str(error)
    saved = writer.post("connections/create/", {"name": "new", **body}).refused(422, "driver_missing", "type")
    assert saved == error


def test_the_command_names_a_list_that_is_there() -> None:
    for declared in SOURCE_TYPES.values():
        if declared.extra:
            path = Path(drivers.install_command(declared.extra).rsplit(" ", 1)[1].strip('"'))
            assert path.is_absolute() and path.is_file(), path
