"""BigQuery against the contract on its double, and what only BigQuery has."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import requests
from contract.bigquery_arena import BigQueryArena, BigQueryServer, pem_of
from contract.bigquery_matrix import MATRIX
from contract.postgresql_arena import dial
from contract.sources_contract import ANY_PARAMETERS, SourceContract, request_for, table_of
from cryptography.hazmat.primitives.asymmetric import rsa
from doubles import bigquery_rest
from doubles.bigquery import Field
from doubles.bigquery_rest import Handler
from google.api_core import exceptions
from google.auth.exceptions import RefreshError
from relay import Relay

from b2b_recs.engine import errors
from b2b_recs.engine.sources import small_answers
from b2b_recs.engine.sources.bigquery import BigQuery, bodies
from b2b_recs.engine.sources.bigquery.errors import failed
from b2b_recs.engine.sources.bigquery.types import REPEATED, RULES, UNKNOWN
from b2b_recs.engine.sources.contract import Source, Window
from b2b_recs.engine.sources.registry import SOURCE_TYPES, parse_parameters


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


UNKNOWN_KEY = key_with(private_key=pem_of(rsa.generate_private_key(public_exponent=65537, key_size=1024)))


def of(account: str) -> Callable[[BigQueryArena], str]:
    """The key of another account of the project."""
    return lambda arena: arena.account(client_email=f"{account}@my-shop-1234.iam.gserviceaccount.com")


@pytest.fixture(scope="session")
def bigquery_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BigQueryServer]:
    server = BigQueryServer(tmp_path_factory.mktemp("bigquery"))
    before, SOURCE_TYPES.imported["bigquery"] = SOURCE_TYPES["bigquery"], server.declared
    yield server
    SOURCE_TYPES.imported["bigquery"] = before
    server.stop()


class TestBigQuery(SourceContract):
    type = "bigquery"
    revokes = True
    heavy_text = 500
    measured = (240_000, 500)
    bad_connections = (
        ("key", {"credentials": UNKNOWN_KEY}, errors.AuthenticationRefused, "credentials"),
        ("damaged key", {"credentials": key_with()}, errors.AuthenticationRefused, "credentials"),
        ("project", {"project": "no-such-project"}, errors.DatabaseMissing, "project"),
        ("dataset", {"dataset": "no_such_dataset"}, errors.DatabaseMissing, "dataset"),
        ("account", {"credentials": of("gone")}, errors.AuthenticationRefused, "credentials"),
        ("right", {"credentials": of("norights")}, errors.PermissionMissing, "credentials"),
        ("service", {"credentials": of("off")}, errors.SourceRefused, "project"),
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

    def prepared(self, arena: BigQueryArena) -> list[Any]:
        return ["contract.bigquery_arena:served_at", *arena.server.place]

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
    def relayed(self, arena: Any) -> Iterator[tuple[Relay, Callable[[], Source]]]:
        """A relay before the service that sends rows; the other answers as ever."""
        with contextlib.closing(Relay(self.server.storage.port)) as relay, pytest.MonkeyPatch.context() as patch:
            patch.setattr("b2b_recs.engine.sources.bigquery.connection._RESUMED", 1)
            behind = BigQuery(replace(self.server.services, storage=("localhost", relay.port)))
            yield relay, lambda: behind.open(parse_parameters("bigquery", arena.parameters()), dial)

    @contextlib.contextmanager
    def private_server(self) -> Iterator[BigQueryArena]:
        arena = BigQueryArena(self.server, "private")
        arena.make("large", {"id": "integer", "word": "text"}, [(at, "x" * 500) for at in range(60_000)])
        yield arena

    @pytest.mark.parametrize(
        ("field", "warehouse", "values"),
        MATRIX,
        ids=[f"{one.mode} {one.type} {one.precision or ''}" for one, _, _ in MATRIX],
    )
    def test_every_type_is_read_exactly(
        self, source: Source, lines: BigQueryArena, field: Field, warehouse: str, values: list[tuple[Any, Any]]
    ) -> None:
        rows = [(at, value) for at, (value, _) in enumerate(values)]
        lines.put("typed", (Field("id", "INTEGER"), field), rows)
        request = request_for(source, lines, "typed")
        assert request.columns[1].warehouse_type.value == warehouse
        found = table_of(source, request).column("v").to_pylist()
        assert all(same(read, wanted) for read, (_, wanted) in zip(found, values, strict=True))
        assert len(source.samples(lines.schema, "typed", ["v"], 5)["v"]) == len(values)

    def test_the_matrix_covers_every_type_that_has_a_rule(self, source: Source, lines: BigQueryArena) -> None:
        lines.put("every", [replace(one, name=f"c{at}") for at, (one, _, _) in enumerate(MATRIX)], [])
        columns = source.columns(lines.schema, "every")
        covered = {column.base_type for column in columns if column.type_kind != "repeated"}
        # A type that nobody knows cannot be made.
        assert covered | {REPEATED, UNKNOWN} == set(RULES)
        assert "repeated" in {column.type_kind for column in columns}

    def test_empty_values_are_read_as_such(self, source: Source, lines: BigQueryArena) -> None:
        fields = [replace(one, name=f"c{at}") for at, (one, _, _) in enumerate(MATRIX) if one.mode == "NULLABLE"]
        lines.put("nothing", fields, [(None,) * len(fields)])
        row = table_of(source, request_for(source, lines, "nothing")).to_pylist()[0]
        assert set(row.values()) == {None}

    def test_rows_are_asked_for_where_the_guard_allows_and_nowhere_else(self, lines: BigQueryArena) -> None:
        asked: list[tuple[str, int]] = []

        def guarded(host: str, port: int) -> str:
            asked.append((host, port))
            if port == self.server.storage.port:
                raise errors.AddressForbidden(f"{host} is not public.", advice="Use another.", field="host")
            return "127.0.0.1"

        with self.declared().open(parse_parameters("bigquery", lines.parameters()), guarded) as source:
            request = request_for(source, lines, "lines")
            with pytest.raises(errors.AddressForbidden):
                list(source.read(request))
        assert ("localhost", self.server.storage.port) in asked

    def test_the_environment_cannot_lead_past_the_guard(
        self, lines: BigQueryArena, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("NO_PROXY", "no_proxy", "no_grpc_proxy"):
            monkeypatch.setenv(name, "*")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/etc/hostname")
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "https://evil.example")
        self.test_an_address_the_guard_refuses_is_never_dialled(lines)
        with lines.open() as source:
            assert table_of(source, request_for(source, lines, "lines")).num_rows == 10

    def test_a_missing_permission_says_what_to_ask_for(self, source: Source) -> None:
        with pytest.raises(errors.PermissionMissing) as caught:
            source.columns("hidden", "lines")
        assert "Data Viewer" in caught.value.advice

    @pytest.mark.parametrize("full", [True, False])
    def test_answers_without_an_end_are_given_up(
        self, lines: BigQueryArena, monkeypatch: pytest.MonkeyPatch, full: bool
    ) -> None:
        monkeypatch.setattr(small_answers, "MOST_ROWS", 10)
        monkeypatch.setattr(small_answers, "MOST_EMPTY", 3)
        page, datasets = Handler.page, Handler.datasets

        def more(handler: Handler, version: Any, fields: Any) -> dict[str, Any]:
            found = page(handler, version, fields)
            return {**found, "rows": found.get("rows", []) if full else [], "pageToken": "more"}

        def named(handler: Handler) -> dict[str, Any]:
            return {"datasets": datasets(handler)["datasets"] if full else [], "nextPageToken": "more"}

        routes = [
            (verb, path, named if path == "/datasets" else answer) for verb, path, answer in bigquery_rest._ROUTES
        ]
        for dataset in (lines.schema, ""):
            with lines.open(dataset=dataset) as source, monkeypatch.context() as patch:
                patch.setattr(Handler, "page", more)
                patch.setattr(bigquery_rest, "_ROUTES", routes)
                with pytest.raises(errors.SourceRefused, match="longer answer than a database gives") as caught:
                    source.tables()
                assert caught.value.field == "dataset" and caught.value.advice

    def test_an_answer_that_never_ends_is_given_up(self, lines: BigQueryArena, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bodies, "MOST_BYTES", 2**20)
        sent: list[int] = []

        def send(handler: Handler, code: int, document: Any) -> None:
            handler.send_response(code)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            with contextlib.suppress(OSError):
                while len(sent) < 10_000:
                    handler.wfile.write(b"1000\r\n" + b" " * 4096 + b"\r\n")
                    sent.append(1)

        with lines.open() as source:
            monkeypatch.setattr(Handler, "send", send)
            with pytest.raises(errors.SourceRefused, match="longer answer than a database gives"):
                source.tables()
        assert len(sent) < 10_000

    def test_without_an_order_no_query_runs(self, source: Source, lines: BigQueryArena) -> None:
        request = request_for(source, lines, "lines", window=Window("at", upper="2024-01-04 00:00:00"))
        source.count(request)
        jobs = len(self.server.rest.jobs)
        assert table_of(source, request).num_rows == 6
        assert len(self.server.rest.jobs) == jobs

    def test_a_table_that_asks_for_a_partition_is_read_whole(self, source: Source, lines: BigQueryArena) -> None:
        fields = (Field("id", "INTEGER"), Field("day", "DATE"))
        rows = [(1, date(1, 1, 1)), (2, date(9999, 12, 31)), (3, None)]
        lines.put("parted", fields, rows, partition="day")
        request = request_for(source, lines, "parted")
        for asked in (request, replace(request, order_by=("id",)), replace(request, row_limit=3)):
            assert table_of(source, asked).num_rows == source.count(asked) == 3
        assert source.max_cursor(lines.schema, "parted", "id") == "3"
        assert source.totals(request, ["id"]) == {"id": 6}

    def test_values_that_end_no_window_can_be_asked_for(self, source: Source, lines: BigQueryArena) -> None:
        lines.put("odd", (Field("v", "FLOAT"),), [(1.5,), (float("nan"),), (float("inf"),), (-float("inf"),), (None,)])
        request = request_for(source, lines, "odd", window=Window("v", "1.5", "1.5", lower_inclusive=True, beyond=True))
        assert source.max_cursor(lines.schema, "odd", "v") == "1.5"
        assert source.count(request) == table_of(source, request).num_rows == 4


def same(read: Any, wanted: Any) -> bool:
    """Whether a value is what was written; NaN is itself."""
    return read == wanted or (isinstance(wanted, float) and wanted != wanted and read != read)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (exceptions.NotFound("Not found: Table p:d.t"), errors.TableMissing),
        (exceptions.NotFound("Not found: Project p"), errors.DatabaseMissing),
        (exceptions.Forbidden("Access Denied", errors=[{"reason": "accessDenied"}]), errors.PermissionMissing),
        (exceptions.Forbidden("too much", errors=[{"reason": "quotaExceeded"}]), errors.SourceRefused),
        (exceptions.TooManyRequests("Exceeded rate limits"), errors.SourceRefused),
        (exceptions.BadRequest("Unrecognized name: gone at [1:8]"), errors.ColumnMissing),
        (exceptions.BadRequest("request failed: No such field: gone"), errors.ColumnMissing),
        (exceptions.BadRequest("Division by zero"), errors.SourceRefused),
        (exceptions.Unauthorized("Invalid Credentials"), errors.AuthenticationRefused),
        (RefreshError("invalid_grant: Invalid JWT Signature."), errors.AuthenticationRefused),
        (exceptions.ServiceUnavailable("broken"), errors.ConnectionLost),
        (exceptions.RetryError("Timeout", exceptions.ServiceUnavailable("broken")), errors.ConnectionLost),
        (exceptions.GatewayTimeout("slow"), errors.SourceTimeout),
        (requests.ConnectionError("no way"), errors.ConnectionRefused),
    ],
    ids=str,
)
def test_a_failure_has_its_class(error: Exception, expected: type[errors.EngineError]) -> None:
    parameters = parse_parameters("bigquery", {"project": "my-shop-1234", "credentials": UNKNOWN_KEY})
    refusal = failed(error, parameters, "shop.lines")  # type: ignore[arg-type]
    assert type(refusal) is expected
    assert refusal.advice
    assert refusal.transient == (expected in (errors.ConnectionLost, errors.SourceTimeout) or "quota" in str(refusal))
