"""Oracle against the contract, and what only Oracle has: its types, and listeners that send a client on."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from certificates import Authority
from contract.mysql_matrix import Refused
from contract.oracle_arena import OracleArena
from contract.oracle_matrix import LEFT_OUT, MATRIX
from contract.sources_contract import ANY_PARAMETERS, HOST_PARAMETERS, SourceContract, request_for, table_of
from doubles import oracle_statements
from doubles.oracle_sql import Declared

from b2b_recs.engine import errors
from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources import small_answers
from b2b_recs.engine.sources.connect_watch import watched
from b2b_recs.engine.sources.contract import ColumnInfo, ReadRequest, Window
from b2b_recs.engine.sources.oracle import connection as oracle_connection
from b2b_recs.engine.sources.oracle.select import Writer
from b2b_recs.engine.sources.oracle.types import OTHER, RULES
from b2b_recs.engine.sources.registry import SOURCE_TYPES, parse_parameters


class TestOracle(SourceContract):
    type = "oracle"
    revokes = True
    heavy_text = 500
    heavy_rows = 8_000
    measured = (10_000, 3_000)
    # No name of Oracle's can hold a quotation mark.
    odd_names = (
        "a`b]c'd; DROP TABLE lines; --",
        "🛒 ünïcode",
        "back\\slash %s %(x)s {y} $1 :b0 ?",
        " spaces ",
        "select",
    )
    impossible_names = ("", "a\x00b", "x" * 200, "\ud800", 'a"b')
    bad_connections = (
        ("password", {"password": "wrong-canary"}, errors.AuthenticationRefused, "password"),
        ("user", {"username": "nobody-here"}, errors.AuthenticationRefused, "password"),
        ("host", {"host": "no-such-host.invalid"}, errors.HostUnknown, "host"),
        ("port", {"port": 1}, errors.ConnectionRefused, "host"),
        ("service", {"service_name": "NO_SUCH_SERVICE"}, errors.DatabaseMissing, "service_name"),
        ("locked", {"username": "locked"}, errors.AuthenticationRefused, "username"),
    )
    bad_parameters = (
        *HOST_PARAMETERS,
        ({"service_name": ""}, "service_name"),
        ({"service_name": "A)(HOST=other"}, "service_name"),
        ({"service_name": "a/b"}, "service_name"),
        ({"password": "canary\x00"}, "password"),
        ({"password": ["canary"]}, "password"),
        ({"dsn": "other/x"}, "dsn"),
        ({"wallet_location": "/etc"}, "wallet_location"),
        *ANY_PARAMETERS,
    )

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls) -> Iterator[OracleArena]:
        arena = OracleArena()
        yield arena
        arena.server.close()

    @contextlib.contextmanager
    def private_server(self) -> Iterator[OracleArena]:
        arena = OracleArena()
        arena.make("large", {"id": "integer", "word": "text"}, [(at, "x" * 500) for at in range(8_000)])
        yield arena
        arena.server.close()


@pytest.fixture(scope="module")
def arena() -> Iterator[OracleArena]:
    arena = OracleArena()
    yield arena
    arena.server.close()


def same(read: Any, wanted: Any) -> bool:
    """Whether a value is what was written; NaN is itself."""
    return read == wanted or (isinstance(wanted, float) and wanted != wanted and read != read)


def test_answers_without_an_end_are_given_up(arena: OracleArena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_answers, "MOST_ROWS", 2_000)
    arena.make("endless", {"id": "integer", "word": "text"}, [(at, "x") for at in range(50)])
    rows = oracle_statements.Cursor.rows

    def again(cursor: oracle_statements.Cursor, count: int) -> bytes:
        # Always one more than is asked for, so that the end is never told.
        cursor._rows, cursor._next = (cursor._rows * (count + 1))[: count + 1], 0
        return rows(cursor, count)

    with arena.open() as source:
        with monkeypatch.context() as patch:
            patch.setattr(oracle_statements.Cursor, "rows", again)
            for ask in (source.tables, lambda: source.samples(arena.schema, arena.named("endless"), ["id"])):
                with pytest.raises(errors.SourceRefused, match="longer answer than a database gives") as caught:
                    ask()
                assert caught.value.field == "host"
        assert arena.named("endless") in {table.name for table in source.tables()}


@pytest.mark.parametrize(("name", "declared", "warehouse", "cases"), MATRIX, ids=[case[0] for case in MATRIX])
def test_every_type_is_read_as_it_was_written_or_refused(
    arena: OracleArena, name: str, declared: Declared, warehouse: str, cases: list[tuple[Any, Any]]
) -> None:
    number = Declared("NUMBER", "BIGINT", 18, 0)
    rows = [(at, value) for at, (value, _) in enumerate(cases)]
    arena.server.shop.make("matrix", {"id": number, "value": declared}, rows)
    with arena.open() as source:
        request = request_for(source, arena, "matrix")
        assert request.columns[1].warehouse_type is WarehouseType(warehouse)
        batches = list(source.read(request))
    read = {row["id"]: row["value"] for batch in batches for row in batch.rows.to_pylist()}
    rejected = {int(str(row.row["id"])): row for batch in batches for row in batch.rejected}
    for at, (_, expected) in enumerate(cases):
        if isinstance(expected, Refused):
            assert expected.words in rejected.pop(at).reason
        else:
            assert same(read.pop(at), expected), at
    assert not read and not rejected


def test_the_matrix_covers_every_type_that_has_a_rule(arena: OracleArena) -> None:
    columns = {name: declared for name, declared, _, _ in MATRIX}
    arena.server.shop.make("all", columns, [])
    with arena.open() as source:
        covered = {column.base_type for column in source.columns(arena.schema, "all")}
    # The one for what is left out is tried below.
    assert covered | {OTHER} == set(RULES)


def test_a_window_ends_with_all_the_digits_of_its_last_row() -> None:
    columns = {"AT": ColumnInfo("AT", "TIMESTAMP(9)", nullable=False, scale=9, base_type="TIMESTAMP")}
    for text, bound in (
        ("2024-02-29 01:02:03.456789123", "2024-02-29 01:02:03.456789123"),
        ("2024-02-29 01:02:03.4567891+00:00", "2024-02-29 01:02:03.456789100"),
        ("2024-02-29 01:02:03", "2024-02-29 01:02:03.000000000"),
    ):
        request = ReadRequest("SHOP", "T", (), Window("AT", upper=text))
        assert list(Writer(request, columns).count().values.values()) == [bound]


def test_a_cursor_of_32_bits_is_told_with_the_digits_it_is_compared_by() -> None:
    columns = {"AT": ColumnInfo("AT", "BINARY_FLOAT", nullable=False, base_type="BINARY_FLOAT")}
    assert "TO_CHAR(TO_BINARY_DOUBLE(largest), 'TM9'" in Writer(ReadRequest("SHOP", "T", ()), columns).largest("AT").sql


def test_what_no_select_can_send_is_left_out_of_the_columns(arena: OracleArena) -> None:
    columns = {"id": Declared("NUMBER", "BIGINT", 18, 0), **{name: Declared(name, "VARCHAR") for name in LEFT_OUT}}
    arena.server.shop.make("partly", columns, [(1, "x", "y")])
    with arena.open() as source:
        assert [column.name for column in source.columns(arena.schema, "partly")] == ["id"]


def test_a_listener_may_not_send_the_client_to_an_address_the_guard_refuses(arena: OracleArena) -> None:
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.settimeout(0.2)
        arena.server.redirect_to = ("127.0.0.1", inside.getsockname()[1])

        def guarded(host: str, port: int) -> str:
            if port != arena.server.port:
                raise errors.AddressForbidden(f"{host} is not public.", advice="Use another.", field="host")
            return "127.0.0.1"

        try:
            with pytest.raises(errors.AddressForbidden):
                SOURCE_TYPES["oracle"].open(parse_parameters("oracle", arena.parameters()), guarded)
            with pytest.raises(TimeoutError):
                inside.accept()
        finally:
            arena.server.redirect_to = None


def test_a_listener_may_send_the_client_to_an_address_the_guard_allows(arena: OracleArena) -> None:
    front = OracleArena()
    front.server.redirect_to = ("127.0.0.1", arena.server.port)
    arena.make("behind", {"id": "integer"}, [(7,)])
    asked: list[tuple[str, int]] = []

    def guarded(host: str, port: int) -> str:
        asked.append((host, port))
        return "127.0.0.1"

    try:
        with SOURCE_TYPES["oracle"].open(parse_parameters("oracle", front.parameters()), guarded) as source:
            assert table_of(source, request_for(source, arena, "behind")).to_pylist() == [{"id": 7}]
    finally:
        front.server.close()
    assert asked == [("127.0.0.1", front.server.port), ("127.0.0.1", arena.server.port)]


def test_the_watch_asks_for_every_connection_of_its_own_thread_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        asked: list[tuple[str, int]] = []
        with watched(lambda host, port: asked.append((host, port))), socket.create_connection(("127.0.0.1", port)):
            pass
        with socket.create_connection(("127.0.0.1", port)):
            pass

        def refusing(host: str, port: int) -> None:
            raise errors.AddressForbidden("no")

        with watched(refusing), pytest.raises(errors.AddressForbidden):
            socket.create_connection(("127.0.0.1", port))
    assert asked == [("127.0.0.1", port)]


def test_the_certificate_is_verified_for_the_name_and_not_for_the_address() -> None:
    authority = Authority()
    arena = OracleArena(authority.server_context("shop.example"))
    arena.make("lines", {"id": "integer"}, [(1,)])
    good = {"host": "shop.example", "ssl_mode": "verify-full", "ca_certificate": authority.pem}

    def open_with(**changes: Any) -> list[str]:
        parameters = parse_parameters("oracle", arena.parameters(**{**good, **changes}))
        with SOURCE_TYPES["oracle"].open(parameters, lambda host, port: "127.0.0.1") as source:
            return [table.name for table in source.tables()]

    try:
        assert open_with() == ["lines"]
        assert open_with(ssl_mode="require", host="other.example", ca_certificate="") == ["lines"]
        for changes in ({"host": "other.example"}, {"ca_certificate": Authority().pem}, {"ca_certificate": ""}):
            with pytest.raises(errors.SourceRefused) as caught:
                open_with(**changes)
            assert caught.value.field == "ssl_mode"
    finally:
        arena.server.close()


def test_values_of_a_cursor_are_bound_and_never_written_into_the_statement(arena: OracleArena) -> None:
    from b2b_recs.engine.sources.contract import Window

    arena.make("bound", {"id": "integer", "word": "text"}, [(1, "a"), (2, "x' OR 1=1 --")])
    with arena.open() as source:
        request = request_for(source, arena, "bound", window=Window("word", "x' OR 1=1 -", "x' OR 1=1 --"))
        assert table_of(source, request).column("id").to_pylist() == [2]
        for text in ("1; DROP TABLE x", "NaN", ""):
            with pytest.raises(errors.BadInput):
                source.count(replace(request, window=Window("id", text)))


def _address(host: str, port: int) -> str:
    return "127.0.0.1"


@pytest.mark.parametrize("encryption", ["disable", "require"])
def test_a_listener_that_says_nothing_is_left_and_holds_up_no_other_connection(
    arena: OracleArena, monkeypatch: pytest.MonkeyPatch, encryption: str
) -> None:
    monkeypatch.setattr(oracle_connection, "CONNECT_SECONDS", 1.5)
    declared = SOURCE_TYPES["oracle"]
    caught: list[BaseException] = []

    def wait(port: int) -> None:
        given = parse_parameters("oracle", arena.parameters(port=port, ssl_mode=encryption))
        try:
            declared.open(given, _address)
        except errors.EngineError as error:
            caught.append(error)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        waiting = threading.Thread(target=wait, args=(listener.getsockname()[1],))
        waiting.start()
        with declared.open(parse_parameters("oracle", arena.parameters()), _address) as source:
            source.check()
        assert waiting.is_alive() and time.monotonic() - started < 3
        waiting.join(20)
    assert not waiting.is_alive()
    assert [type(error) for error in caught] == [errors.SourceTimeout]
    assert "did not answer in time" in str(caught[0])


def test_a_listener_that_answers_garbage_is_no_listener(arena: OracleArena) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20)
                        connection.recv(65536)

        threading.Thread(target=answer, daemon=True).start()
        given = parse_parameters("oracle", arena.parameters(port=listener.getsockname()[1]))
        with pytest.raises(errors.ConnectionRefused) as caught:
            SOURCE_TYPES["oracle"].open(given, _address)
        listener.shutdown(socket.SHUT_RDWR)
    assert caught.value.field == "host" and caught.value.advice
