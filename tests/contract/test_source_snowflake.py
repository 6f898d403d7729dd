"""Snowflake against the contract on its emulator, and what only Snowflake has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from contract.snowflake_arena import PYTHON, SnowflakeArena, SnowflakeServer, running_server
from contract.sources_contract import ANY_PARAMETERS, ODD_NAMES, SourceContract
from servers import missing

from b2b_recs.engine import errors


@pytest.fixture(scope="session")
def snowflake_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnowflakeServer]:
    if not PYTHON.exists():
        missing("the servers' environment is not there; run make servers")
    with running_server(tmp_path_factory.mktemp("snowflake")) as server:
        yield server


class TestSnowflake(SourceContract):
    type = "snowflake"
    bad_connections = (
        ("password", {"password": "wrong-canary"}, errors.AuthenticationRefused, "password"),
        ("user", {"username": "nobody-here"}, errors.AuthenticationRefused, "password"),
        ("host", {"host": "no-such-host.invalid"}, errors.HostUnknown, "host"),
        ("port", {"port": 1}, errors.ConnectionRefused, "host"),
        ("database", {"database": "no_such_database"}, errors.DatabaseMissing, "database"),
        ("role", {"role": "nobody"}, errors.PermissionMissing, "role"),
        (
            "key",
            {"password": "", "private_key": "-----BEGIN PRIVATE KEY-----canary-----END PRIVATE KEY-----"},
            errors.AuthenticationRefused,
            "private_key",
        ),
    )
    bad_parameters = (
        ({"account": None}, "account"),
        ({"account": "https://shop.example"}, "account"),
        ({"account": "shop.snowflakecomputing.com"}, "account"),
        ({"account": "a b"}, "account"),
        ({"host": "/var/run"}, "host"),
        ({"host": "https://shop.example"}, "host"),
        ({"port": 0}, "port"),
        ({"port": "many"}, "port"),
        ({"warehouse": ""}, "warehouse"),
        ({"database": "a\x00b"}, "database"),
        ({"password": "canary\x00"}, "password"),
        ({"password": ["canary"]}, "password"),
        ({"private_key": "canary"}, "private_key"),
        ({"authenticator": "externalbrowser"}, "authenticator"),
        *ANY_PARAMETERS,
    )
    # The emulator cannot say that it made a table with an apostrophe in its name.
    odd_names = tuple(name.replace("'", "") for name in ODD_NAMES)
    heavy_rows = 5_000

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls, snowflake_server: SnowflakeServer) -> SnowflakeArena:
        return SnowflakeArena(snowflake_server)

    @pytest.fixture(autouse=True)
    def _servers(self, snowflake_server: SnowflakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = snowflake_server
        # The client would try a lost part of a result again for minutes.
        monkeypatch.setattr("snowflake.connector.result_batch.MAX_DOWNLOAD_RETRY", 2)

    def dialled(self, arena: Any) -> tuple[dict[str, Any], tuple[str, int]]:
        # The emulator's certificate is for this name only.
        return {}, ("localhost", arena.server.port)

    @contextlib.contextmanager
    def private_server(self) -> Iterator[SnowflakeArena]:
        arena = SnowflakeArena(self.server, "PRIVATE")
        arena.execute(
            'CREATE TABLE "large" AS SELECT SEQ4() AS "id", REPEAT(\'x\', 500) AS "word" '
            "FROM TABLE(GENERATOR(ROWCOUNT => 60000))"
        )
        yield arena
