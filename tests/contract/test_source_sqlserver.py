"""SQL Server against the contract, by Microsoft's own driver and a double of the protocol, and what it sends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contract.mysql_matrix import Refused
from contract.sources_contract import SourceContract, request_for
from contract.sqlserver_arena import PASSWORD, SQLServerArena
from contract.sqlserver_matrix import MATRIX, NEVER_LISTED, UNKNOWN
from doubles import tds
from doubles.tds_server import TDSServer
from doubles.tsql_table import TypedTable
from doubles.tsql_types import Type, type_of
from servers import missing

from b2b_recs.engine import errors
from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.sources.sqlserver.types import OTHER_TYPE, RULES


@contextlib.contextmanager
def running() -> Iterator[SQLServerArena]:
    """An arena of its own."""
    if not SOURCE_TYPES["sqlserver"].installed:
        missing("mssql-python is not installed")
    server = TDSServer(PASSWORD)
    try:
        yield SQLServerArena(server)
    finally:
        server.close()


class TestSQLServer(SourceContract):
    type = "sqlserver"
    revokes = True
    heavy_text = 500
    bad_connections = (
        ("password", {"password": "wrong-canary"}, errors.AuthenticationRefused, "password"),
        ("user", {"username": "nobody-here"}, errors.AuthenticationRefused, "password"),
        ("host", {"host": "no-such-host.invalid"}, errors.HostUnknown, "host"),
        ("port", {"port": 1}, errors.ConnectionRefused, "host"),
        ("database", {"database": "no_such_database"}, errors.DatabaseMissing, "database"),
        ("encryption", {"ssl_mode": "verify-full"}, errors.SourceRefused, "ssl_mode"),
    )

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls) -> Iterator[SQLServerArena]:
        with running() as arena:
            yield arena

    @contextlib.contextmanager
    def private_server(self) -> Iterator[SQLServerArena]:
        with running() as arena:
            rows = [(at, "x" * 500) for at in range(60_000)]
            arena.make("large", {"id": "integer", "word": "text"}, rows)
            yield arena

    def test_a_last_change_is_that_of_the_rows_for_a_login_that_may_see_it(self, lines: SQLServerArena) -> None:
        lines.make("changed", {"id": "integer"}, [(1,)])
        lines.make("untouched", {"id": "integer"}, [])
        with lines.open() as source:
            found = {table.name: table.last_change for table in source.tables()}
            assert found["changed"] is not None and abs(datetime.now(UTC) - found["changed"]) < timedelta(minutes=10)
            assert found["untouched"] is None
            lines.server.answers.append(("VIEW SERVER STATE", _texts(2), [("1", "0")]))
            try:
                assert {table.last_change for table in source.tables()} == {None}
            finally:
                lines.server.answers.pop()
            lines.server.failures.append(("dm_db_index_usage_stats", 300, "VIEW SERVER STATE permission was denied."))
            try:
                told = source.tables()
            finally:
                lines.server.failures.pop()
            assert {table.last_change for table in told} == {None} and len(told) == len(found)


def _texts(count: int) -> list[tds.Column]:
    return [tds.Column(f"c{at}", "short text") for at in range(count)]


class TestTypes:
    """The type matrix: expressions and values as the vendor's pages have them, sent as the protocol sends them."""

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls) -> Iterator[SQLServerArena]:
        with running() as arena:
            yield arena

    @pytest.fixture(scope="class")
    @classmethod
    def opened(cls, arena: SQLServerArena) -> Iterator[Source]:
        with arena.open() as source:
            yield source

    @pytest.mark.parametrize(("declared", "warehouse", "values"), MATRIX, ids=[str(row[0]) for row in MATRIX])
    def test_what_is_read_equals_what_was_written_or_is_rejected(
        self, arena: SQLServerArena, opened: Source, declared: Type | str, warehouse: str, values: list[tuple[Any, Any]]
    ) -> None:
        kind = declared if isinstance(declared, Type) else type_of(declared)
        rows = [*enumerate(given for given, _ in values), (1000, None)]
        arena.server.typed["typed"] = TypedTable({"id": type_of("int"), "value": kind}, rows)
        request = request_for(opened, arena, "typed", order_by=("id",))
        assert str(request.columns[1].warehouse_type) == warehouse
        batches = list(opened.read(request))
        good = {row["id"]: row["value"] for batch in batches for row in batch.rows.to_pylist()}
        refused = {int(str(row.row["id"])): row for batch in batches for row in batch.rejected}
        assert good.pop(1000) is None
        for at, (_, expected) in enumerate(values):
            if isinstance(expected, Refused):
                assert expected.words in refused[at].reason
                assert refused.pop(at).column == "value"
            else:
                assert good.pop(at) == expected
        assert not good and not refused
        # Of every type some values can be shown.
        shown = opened.samples(arena.schema, "typed", ["value"], 100)["value"]
        assert [text is None for text in shown] == [given is None for _, given in rows]

    def test_the_matrix_covers_every_type_that_has_a_rule(self, arena: SQLServerArena, opened: Source) -> None:
        kinds = [row[0] if isinstance(row[0], Type) else type_of(row[0]) for row in MATRIX]
        columns = {f"c{at}": kind for at, kind in enumerate(kinds)}
        arena.server.typed["all"] = TypedTable(columns, [])
        covered = {column.base_type for column in opened.columns(arena.schema, "all")}
        assert {name.lower() for name in UNKNOWN} <= covered
        assert covered - {name.lower() for name in UNKNOWN} | NEVER_LISTED | {OTHER_TYPE} == set(RULES)
