"""Snowflake against the contract on its emulator, and what only Snowflake has."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
import snowflake.connector
from contract.snowflake_arena import PYTHON, SnowflakeArena, SnowflakeServer, running_server
from contract.snowflake_matrix import MATRIX, NEVER_SHOWN, RARE
from contract.sources_contract import ANY_PARAMETERS, ODD_NAMES, SourceContract, request_for, table_of
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from servers import missing

from b2b_recs.engine import errors
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources import ahead, interrupting, small_answers
from b2b_recs.engine.sources.casting import cast_batch
from b2b_recs.engine.sources.contract import Source, Window
from b2b_recs.engine.sources.registry import SOURCE_TYPES, parse_parameters
from b2b_recs.engine.sources.snowflake import connection as snowflake_connection
from b2b_recs.engine.sources.snowflake.errors import statement_error
from b2b_recs.engine.sources.snowflake.moments import with_exact_times
from b2b_recs.engine.sources.snowflake.types import RULES, Form, base_name


@pytest.fixture(scope="session")
def snowflake_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnowflakeServer]:
    if not PYTHON.exists():
        missing("the servers' environment is not there; run make servers")
    with running_server(tmp_path_factory.mktemp("snowflake")) as server:
        yield server


class TestSnowflake(SourceContract):
    type = "snowflake"
    heavy_text = 4_000
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
    measured = (20_000, 4_000)

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls, snowflake_server: SnowflakeServer) -> SnowflakeArena:
        return SnowflakeArena(snowflake_server)

    @staticmethod
    def make_heavy(arena: SnowflakeArena, table: str, rows: int, text: int) -> None:
        arena.execute(
            f'CREATE OR REPLACE TABLE "{table}" AS SELECT SEQ4() AS "id", REPEAT(\'x\', {text}) AS "word" '
            f"FROM TABLE(GENERATOR(ROWCOUNT => {rows}))"
        )

    @pytest.fixture(autouse=True)
    def _servers(self, snowflake_server: SnowflakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = snowflake_server
        monkeypatch.setattr(snowflake_connection, "DOWNLOADS", 2)
        # The emulator hears nothing while it runs a query, which a busy machine makes long.
        monkeypatch.setattr(interrupting, "PATIENCE_SECONDS", 30.0)
        monkeypatch.setattr(ahead, "LEFT_SECONDS", 40.0)

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

    @pytest.mark.parametrize(("kind", "warehouse", "values"), MATRIX, ids=[kind for kind, _, _ in MATRIX])
    def test_every_type_is_read_exactly(
        self, source: Source, lines: SnowflakeArena, kind: str, warehouse: str, values: list[tuple[str, Any]]
    ) -> None:
        lines.execute(f'CREATE OR REPLACE TABLE "typed" ("id" NUMBER(18,0), "v" {kind})')
        for at, (value, _) in enumerate(values):
            lines.execute(f'INSERT INTO "typed" SELECT {at}, {value}')
        lines.execute(f'INSERT INTO "typed" ("id") VALUES ({len(values)})')
        request = request_for(source, lines, "typed", order_by=("id",))
        assert request.columns[1].warehouse_type.value == warehouse
        found = table_of(source, request).column("v").to_pylist()
        assert found.pop() is None
        for read, (_, wanted) in zip(found, values, strict=True):
            assert same(json.loads(read) if warehouse == "JSON" else read, wanted)

    def test_values_that_end_no_window_can_be_asked_for(self, source: Source, lines: SnowflakeArena) -> None:
        lines.execute('CREATE OR REPLACE TABLE "odd" ("v" FLOAT)')
        for value in ("1.5", "'NaN'::FLOAT", "'inf'::FLOAT", "'-inf'::FLOAT"):
            lines.execute(f'INSERT INTO "odd" SELECT {value}')
        request = request_for(source, lines, "odd", window=Window("v", "1.5", "1.5", lower_inclusive=True, beyond=True))
        assert source.max_cursor(lines.schema, "odd", "v") == "1.5"
        assert source.count(request) == 4

    def test_types_that_the_emulator_lacks_are_asked_for_and_read_as_text(self, lines: SnowflakeArena) -> None:
        listed = ", ".join(f'"r{at}" {held}' for at, (_, held, _, _, _) in enumerate(RARE))
        lines.execute(
            f'CREATE OR REPLACE TABLE "rare" ({listed})',
            f'INSERT INTO "rare" SELECT {", ".join(value for _, _, _, value, _ in RARE)}',
            'INSERT INTO "rare" ("r0") VALUES (NULL)',
        )
        lines.show({f"r{at}": shown for at, (shown, _, _, _, _) in enumerate(RARE)})
        try:
            with lines.open() as source:
                request = request_for(source, lines, "rare")
                found = table_of(source, request).to_pylist()
                assert source.samples(lines.schema, "rare", ["r3", "r4"], 2)["r4"]
        finally:
            lines.show({})
        assert [column.warehouse_type.value for column in request.columns] == [row[2] for row in RARE]
        read, empty = sorted(found, key=lambda row: row["r0"] is None)
        assert set(empty.values()) == {None}
        for at, (_, _, warehouse, _, wanted) in enumerate(RARE):
            value = read[f"r{at}"]
            assert (json.loads(value) if warehouse == "JSON" else value) == wanted

    def test_the_matrix_covers_every_type_that_has_a_rule(self) -> None:
        shown = {base_name(row[0]) for row in (*MATRIX, *RARE)}
        assert shown - set(RULES) == {"SOMETHING NEW"}
        assert shown & set(RULES) | NEVER_SHOWN | {"any other type"} == set(RULES)
        # What is never shown is the same under another name.
        assert {id(RULES[name]) for name in NEVER_SHOWN} <= {id(RULES[name]) for name in shown & set(RULES)}

    def test_a_key_pair_signs_in(self, lines: SnowflakeArena, snowflake_server: SnowflakeServer) -> None:
        with lines.open(password="", private_key=snowflake_server.private_key) as source:
            assert source.tables()

    def test_a_key_that_belongs_to_nobody_is_refused_without_its_text(self, lines: SnowflakeArena) -> None:
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = other.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"canary"),
        ).decode()
        with pytest.raises(errors.AuthenticationRefused) as caught:
            lines.open(password="", private_key=pem, private_key_passphrase="canary")
        assert caught.value.field == "private_key"
        with pytest.raises(errors.AuthenticationRefused) as caught:
            lines.open(password="", private_key=pem, private_key_passphrase="wrong canary")
        assert caught.value.field == "private_key_passphrase"
        assert "canary" not in str(caught.value)

    def test_the_environment_cannot_lead_past_the_guard(
        self, lines: SnowflakeArena, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "*")
        self.test_an_address_the_guard_refuses_is_never_dialled(lines)

    def test_what_is_asked_after_hanging_up_is_asked_in_a_new_session(self, lines: SnowflakeArena) -> None:
        with lines.open() as source:
            source._session.hang_up()  # type: ignore[attr-defined]
            started = time.monotonic()
            assert lines.named("lines") in {table.name for table in source.tables()}
            assert source.count(self.lines_request(source, lines)) == 10
            assert time.monotonic() - started < 20

    def test_a_list_longer_than_any_is_given_up(self, lines: SnowflakeArena, monkeypatch: pytest.MonkeyPatch) -> None:
        with lines.open() as source:
            with monkeypatch.context() as patch, pytest.raises(errors.SourceRefused, match="longer answer") as caught:
                patch.setattr(small_answers, "MOST_ROWS", 0)
                source.tables()
            assert caught.value.field == "account" and caught.value.advice
            assert lines.named("lines") in {table.name for table in source.tables()}

    def test_parts_of_a_result_are_fetched_through_the_guard(self, lines: SnowflakeArena) -> None:
        lines.make("parts", {"id": "integer"}, [(at,) for at in range(2_000)])
        asked: list[tuple[str, int]] = []

        def guarded(host: str, port: int) -> str:
            asked.append((host, port))
            return "127.0.0.1"

        parameters = parse_parameters("snowflake", lines.parameters())
        with self.declared().open(parameters, guarded) as source:
            before = len(asked)
            request = request_for(source, lines, "parts")
            assert table_of(source, request).num_rows == 2_000
        assert len(asked) > before

    @pytest.mark.parametrize(
        ("number", "words", "expected"),
        [
            (2003, "Object 'X' does not exist or not authorized.", errors.TableMissing),
            (904, "invalid identifier 'GONE'", errors.ColumnMissing),
            (3001, "Insufficient privileges to operate on table 'X'", errors.PermissionMissing),
            (606, "No active warehouse selected in the current session.", errors.PermissionMissing),
            (90073, "Warehouse 'W' cannot be resumed because resource monitor has exceeded.", errors.SourceRefused),
            (630, "Statement reached its statement or warehouse timeout", errors.SourceTimeout),
            (604, "SQL execution canceled", errors.SourceTimeout),
            (390111, "Session no longer exists. New login required", errors.ConnectionLost),
            (252010, "Chunk download failed canary", errors.ConnectionLost),
            (100038, "Numeric value 'x' is not recognized", errors.SourceRefused),
        ],
    )
    def test_a_failed_statement_has_its_class(
        self, number: int, words: str, expected: type[errors.EngineError]
    ) -> None:
        error = statement_error(snowflake.connector.errors.ProgrammingError(words, number), "shop", "S.T", ["canary"])
        assert type(error) is expected
        assert error.advice
        assert "canary" not in str(error)


def same(read: Any, wanted: Any) -> bool:
    """Whether a value is what was written; NaN is itself."""
    return read == wanted or (isinstance(wanted, float) and wanted != wanted and read != read)


@pytest.mark.parametrize(
    ("form", "text", "becomes"),
    [
        (Form.WALL, "2024-01-01 00:00:00.000001000", datetime(2024, 1, 1, 0, 0, 0, 1)),  # noqa: DTZ001
        (Form.WALL, "2024-01-01 00:00:00.000000001", None),
        (Form.MOMENT, "2024-01-01 00:00:00.000000000+00:00", datetime(2024, 1, 1, tzinfo=UTC)),
        (Form.MOMENT, "2024-01-01 00:00:00.123456789+00:00", None),
        (Form.TIME, "23:59:59.999999000", "23:59:59.999999"),
        (Form.TIME, "23:59:59.999999999", None),
    ],
)
def test_a_time_finer_than_a_microsecond_is_rejected_and_never_cut(form: Form, text: str, becomes: Any) -> None:
    kinds = {Form.WALL: "DATETIME", Form.MOMENT: "TIMESTAMP", Form.TIME: "TIME"}
    raw = pa.record_batch([pa.array([text])], names=["at"])
    column = ColumnMapping("at", "", WarehouseType(kinds[form]))
    batch = cast_batch(with_exact_times(raw, [form]), [column], "UTC")
    if becomes is None:
        assert batch.rows.num_rows == 0
        assert "finer than a microsecond" in batch.rejected[0].reason
    else:
        assert batch.rows.column(0).to_pylist() == [becomes]


@pytest.mark.parametrize("hangs_up", [False, True], ids=["silent", "hanging up"])
def test_a_server_that_opens_no_session_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch, hangs_up: bool) -> None:
    monkeypatch.setattr(snowflake_connection, "CONNECT_SECONDS", 2)
    place = {"account": "ab-c1", "warehouse": "W", "database": "shop", "username": "reader", "password": "canary-word"}
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(listener.accept()[0])
                    if hangs_up:
                        held.pop().close()

        threading.Thread(target=accept, daemon=True).start()
        given = parse_parameters("snowflake", {**place, "host": "quiet.example", "port": listener.getsockname()[1]})
        started = time.monotonic()
        with pytest.raises(errors.SourceTimeout) as caught:
            SOURCE_TYPES["snowflake"].open(given, lambda host, port: "127.0.0.1")
        assert time.monotonic() - started < 15
        listener.shutdown(socket.SHUT_RDWR)
    for end in held:
        end.close()
    assert caught.value.field == "host" and caught.value.advice
    assert "canary-word" not in str(caught.value)
