"""BigQuery against the contract on its double, and what only BigQuery has."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from contract.bigquery_arena import BigQueryArena, BigQueryServer, pem_of
from contract.sources_contract import ANY_PARAMETERS, SourceContract
from cryptography.hazmat.primitives.asymmetric import rsa

from b2b_recs.engine import errors
from b2b_recs.engine.sources.registry import SOURCE_TYPES


def key_with(**changes: Any) -> str:
    """The text of a key that no service knows."""
    return json.dumps(
        {
            "type": "service_account",
            "client_email": "canary@my-shop-1234.iam.gserviceaccount.com",
            "private_key": "canary",
            "token_uri": "https://oauth2.googleapis.com/token",
        }
        | changes
    )


UNKNOWN_KEY = key_with(private_key=pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048)))


@pytest.fixture(scope="session")
def bigquery_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BigQueryServer]:
    server = BigQueryServer(tmp_path_factory.mktemp("bigquery"))
    before, SOURCE_TYPES["bigquery"] = SOURCE_TYPES["bigquery"], server.declared
    yield server
    SOURCE_TYPES["bigquery"] = before
    server.stop()


class TestBigQuery(SourceContract):
    type = "bigquery"
    bad_connections = (
        ("key", {"credentials": UNKNOWN_KEY}, errors.AuthenticationRefused, "credentials"),
        ("damaged key", {"credentials": key_with()}, errors.AuthenticationRefused, "credentials"),
        ("project", {"project": "no-such-project"}, errors.DatabaseMissing, "project"),
        ("dataset", {"dataset": "no_such_dataset"}, errors.DatabaseMissing, "dataset"),
    )
    bad_parameters = (
        ({"project": "My Shop"}, "project"),
        ({"project": ""}, "project"),
        ({"project": "a`b; DROP"}, "project"),
        ({"dataset": "a.b"}, "dataset"),
        ({"dataset": "a\x00b"}, "dataset"),
        ({"location": "https://evil.example"}, "location"),
        ({"credentials": "canary"}, "credentials"),
        ({"credentials": "[]"}, "credentials"),
        ({"credentials": ["canary"]}, "credentials"),
        ({"credentials": key_with(type="external_account")}, "credentials"),
        ({"credentials": key_with(type="authorized_user")}, "credentials"),
        ({"credentials": key_with(token_uri="https://evil.example/token")}, "credentials"),
        ({"credentials": key_with(token_uri="https://googleapis.com.evil.example/token")}, "credentials"),
        ({"credentials": key_with(token_uri="http://oauth2.googleapis.com/token")}, "credentials"),
        ({"credentials": key_with(universe_domain="evil.example")}, "credentials"),
        ({"credentials": key_with(private_key="")}, "credentials"),
        ({"endpoint": "https://evil.example"}, "endpoint"),
        *ANY_PARAMETERS,
    )
    # What BigQuery allows in the names of tables and columns.
    odd_names = ("select", "ünïcode name", "with-dash", "日本語")

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls, bigquery_server: BigQueryServer) -> BigQueryArena:
        return BigQueryArena(bigquery_server)

    @pytest.fixture(autouse=True)
    def _servers(self, bigquery_server: BigQueryServer) -> None:
        self.server = bigquery_server

    def dialled(self, arena: Any) -> tuple[dict[str, Any], tuple[str, int]]:
        # Google's addresses are no setting; the double's stand in their place.
        return {}, ("localhost", arena.server.rest.server_port)

    @contextlib.contextmanager
    def private_server(self) -> Iterator[BigQueryArena]:
        arena = BigQueryArena(self.server, "private")
        arena.make("large", {"id": "integer", "word": "text"}, [(at, "x" * 500) for at in range(60_000)])
        yield arena
