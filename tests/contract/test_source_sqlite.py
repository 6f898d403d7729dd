# ruff: noqa: DTZ001, E501 - tables of cases; times without a zone are what is tested
"""SQLite against the contract, and what only SQLite has: any value in any column."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from contract.sources_contract import ANY_PARAMETERS, SourceContract, ids, request_for, table_of
from contract.sqlite_arena import SQLiteArena

from b2b_recs.engine import errors
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import ReadRequest, Window

PATHS: tuple[tuple[dict[str, Any], str], ...] = tuple(
    ({"file": text}, "file")
    for text in (
        None, "", " ", "\\\\server\\share.db", "../shop.db", "a/../../b.db", "~root/x.db", "file:shop.db",
        "FILE:///shop.db", "sqlite:///shop.db", ":memory:", "//server/share.db", "c:/x.db", "a\x00b", "x" * 1001,
        "https://example.com/shop.db", " shop.db", "shop.db ",
    )
    if text != ":memory:"
)  # fmt: skip

D = Decimal


@dataclass(frozen=True)
class Refused:
    """The row must be among the rejected ones, for a reason that contains these words."""

    words: str


# Declared type, warehouse type, and pairs of an SQL value and what is read back.
MATRIX: list[tuple[str, str, list[tuple[str, Any]]]] = [
    (
        "INTEGER",
        "INT64",
        [("-9223372036854775808", -(2**63)), ("9223372036854775807", 2**63 - 1), ("NULL", None), ("'12'", 12),
         ("'twelve'", Refused("n: twelve")), ("1.5", Refused("n: 1.5")), ("x'00ff'", Refused("holds bytes"))],
    ),
    ("BIGINT UNSIGNED", "INT64", [("5", 5), ("18446744073709551615", Refused("n: 1.8446744073709552e+19"))]),
    ("BOOLEAN", "BOOL", [("1", True), ("0", False), ("'yes'", True), ("2", Refused("n: 2"))]),
    ("REAL", "FLOAT64", [("0.1", 0.1), ("5", 5.0), ("9e999", float("inf")), ("'x'", Refused("n: x"))]),
    ("DECIMAL(12,2)", "NUMERIC", [("9999999999.99", D("9999999999.99")), ("5", D("5.00")), ("0.001", Refused("n: 0.001"))]),
    ("NUMERIC", "NUMERIC", [("1.5", D("1.500000000")), ("9007199254740993", D("9007199254740993.000000000"))]),
    ("VARCHAR(3)", "STRING", [("'🙂 longer'", "🙂 longer"), ("''", ""), ("5", "5"), ("'0012'", "0012"),
                              ("x'41'", Refused("holds bytes")), ("CAST(x'ff41' AS TEXT)", Refused("not UTF-8"))]),
    ("TEXT", "STRING", [("'a' || char(0) || 'b'", "a\x00b"), ("1.0", "1.0")]),
    ("", "STRING", [("5", "5"), ("1.5", "1.5"), ("'x'", "x"), ("x'00'", Refused("holds bytes"))]),
    ("STRING", "STRING", [("'0012'", "12"), ("'x'", "x")]),
    ("BLOB", "BYTES", [("x'00ff'", b"\x00\xff"), ("'é'", "é".encode()), ("5", Refused("holds a number"))]),
    ("JSON", "JSON", [("'{\"a\": 1.10}'", '{"a": 1.10}'), ("'{'", Refused("n: {"))]),
    ("DATE", "DATE", [("'2024-02-29'", date(2024, 2, 29)), ("19782 * 86400", date(2024, 2, 29)),
                      ("2460369.5", date(2024, 2, 29)), ("'29.02.2024'", Refused("n: 29.02.2024")),
                      ("'2024-02-29 01:00:00'", Refused("n: 2024-02-29 01:00:00"))]),
    (
        "DATETIME",
        "DATETIME",
        [("'2024-02-29 12:00:00.000001'", datetime(2024, 2, 29, 12, 0, 0, 1)), ("'2024-02-29T12:00:00'", datetime(2024, 2, 29, 12)),
         ("1709208000", datetime(2024, 2, 29, 12)), ("1709208000123", datetime(2024, 2, 29, 12, 0, 0, 123000)),
         ("2460370.25", datetime(2024, 2, 29, 18)), ("2460370.0", Refused("may be a day")), ("0", datetime(1970, 1, 1)), ("'soon'", Refused("n: soon")),
         ("1e300", Refused("outside the years")), ("9e18", Refused("outside the years"))],
    ),
    ("TIME", "TIME", [("'23:59:59'", "23:59:59.000000"), ("'25:00'", Refused("n: 25:00"))]),
    ("whatever", "STRING", [("'x'", "x"), ("7", "7")]),
]  # fmt: skip


class TestSQLite(SourceContract):
    type = "sqlite"
    dials = False
    bad_parameters = (*PATHS, *ANY_PARAMETERS, ({"mode": "rw"}, "mode"), ({"database": "x"}, "database"))
    bad_connections = (
        ("no file", {"file": "nothing.db"}, errors.DatabaseMissing, "file"),
        ("a folder", {"file": "folder"}, errors.DatabaseMissing, "file"),
        ("no database", {"file": "notes.txt"}, errors.SourceRefused, "file"),
        ("a link out", {"file": "link.db"}, errors.DatabaseMissing, "file"),
        ("not allowed", {"file": "/etc/hosts"}, errors.AddressForbidden, "file"),
        ("memory", {"file": ":memory:"}, errors.DatabaseMissing, "file"),
    )

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls, tmp_path_factory: pytest.TempPathFactory) -> SQLiteArena:
        folder = tmp_path_factory.mktemp("sqlite") / "allowed"
        arena = SQLiteArena(folder)
        (folder / "folder").mkdir()
        (folder / "notes.txt").write_text("nothing but words " * 200)
        outside = folder.parent / "outside.db"
        outside.write_bytes(arena.path.read_bytes())
        (folder / "link.db").symlink_to(outside)
        return arena

    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.place = tmp_path

    @contextlib.contextmanager
    def private_server(self) -> Iterator[SQLiteArena]:
        arena = SQLiteArena(self.place / "private")
        arena.make("large", {"id": "integer", "word": "text"}, [(at, "x" * 500) for at in range(60_000)])
        yield arena

    def test_a_table_dropped_before_reading_is_named(self, source: Any, lines: Any) -> None:
        """A snapshot still has the table; the next look says that it is gone."""
        lines.make("doomed", {"id": "integer"}, [(1,)])
        request = request_for(source, lines, "doomed")
        lines.drop("doomed")
        assert ids(source, request) == [1]
        with pytest.raises(errors.TableMissing) as caught:
            source.columns(lines.schema, "doomed")
        assert "doomed" in caught.value.message
        with pytest.raises(errors.TableMissing):
            list(source.read(request))

    @pytest.mark.parametrize(("declared", "kind", "values"), MATRIX, ids=[case[0] or "none" for case in MATRIX])
    def test_every_declared_type_holds_any_value(
        self, source: Any, lines: SQLiteArena, declared: str, kind: str, values: list[tuple[str, Any]]
    ) -> None:
        lines.execute("DROP TABLE IF EXISTS typed", f"CREATE TABLE typed (id INTEGER PRIMARY KEY, n {declared})")
        for at, (sql, _) in enumerate(values):
            lines.execute(f"INSERT INTO typed VALUES ({at}, {sql})")
        request = request_for(source, lines, "typed", order_by=("id",))
        assert request.columns[1].warehouse_type.value == kind
        batches = list(source.read(request))
        found = {row["id"]: row["n"] for batch in batches for row in batch.rows.to_pylist()}
        rejected = {int(row.row["id"] or 0): row for batch in batches for row in batch.rejected}
        assert source.count(request) == len(values) == len(found) + len(rejected)
        for at, (_, expected) in enumerate(values):
            if isinstance(expected, Refused):
                assert expected.words in rejected[at].reason
                assert rejected[at].column == "n"
            else:
                assert (type(found[at]), found[at]) == (type(expected), expected)

    def test_values_of_another_kind_are_in_every_window(self, source: Any, lines: SQLiteArena) -> None:
        lines.make("mixed", {"id": "integer", "n": "integer"}, [(1, 10), (2, 20), (3, "late"), (4, None), (5, b"x")])
        request = request_for(source, lines, "mixed", order_by=("n",), window=Window("n", "10", "20", beyond=True))
        assert source.max_cursor("main", "mixed", "n") == "20"
        assert ids(source, request) == [2]
        rejected = [row.row["id"] for batch in source.read(request) for row in batch.rejected]
        assert sorted(rejected) == ["3", "5"]
        assert source.count(request) == 3

    def test_keys_generated_columns_views_and_tables_without_rowid(self, source: Any, lines: SQLiteArena) -> None:
        lines.execute(
            "DROP VIEW IF EXISTS seen", "DROP TABLE IF EXISTS pairs", "DROP TABLE IF EXISTS plain",
            "CREATE TABLE pairs (b TEXT, a INTEGER, price DECIMAL(10,2), double AS (a * 2), kept AS (a + 1) STORED, "
            "PRIMARY KEY (a, b)) WITHOUT ROWID",
            "INSERT INTO pairs (b, a, price) VALUES ('x', 1, 1.5), ('y', 1, 2)",
            "CREATE VIEW seen AS SELECT a, sum(price) AS total FROM pairs GROUP BY a",
            "CREATE TABLE plain (code TEXT PRIMARY KEY, word TEXT NOT NULL)",
        )  # fmt: skip
        described = {info.name: info for info in source.columns("main", "pairs")}
        assert [(name, info.key_position, info.nullable) for name, info in described.items()] == [
            ("b", 2, False), ("a", 1, False), ("price", None, True), ("double", None, True), ("kept", None, True),
        ]  # fmt: skip
        assert (described["price"].precision, described["price"].scale) == (10, 2)
        assert [info.nullable for info in source.columns("main", "plain")] == [True, False]
        rows = table_of(source, request_for(source, lines, "pairs", order_by=("a", "b"))).to_pylist()
        assert [(row["b"], row["double"], row["kept"]) for row in rows] == [("x", "2", "2"), ("y", "2", "2")]
        kinds = {table.name: table.kind for table in source.tables()}
        assert (kinds["pairs"], kinds["seen"]) == ("table", "view")
        assert table_of(source, request_for(source, lines, "seen")).num_rows == 1
        assert not any(re.match("sqlite_", name) for name in kinds)

    def test_text_that_is_no_text_in_the_middle_of_a_read_costs_one_row(self, source: Any, lines: SQLiteArena) -> None:
        lines.make("odd", {"id": "integer", "word": "text"}, [(at, f"word {at}") for at in range(3_000)], key="id")
        lines.execute("UPDATE odd SET word = CAST(x'66ff' AS TEXT) WHERE id = 1700")
        request = request_for(source, lines, "odd", order_by=("id",), batch_bytes=4096)
        assert ids(source, request) == [at for at in range(3_000) if at != 1700]
        rejected = [row.row for batch in source.read(request) for row in batch.rejected]
        assert rejected == [{"id": "1700", "word": "f\\xff"}]

    def test_totals_are_exact_beyond_every_machine_number(self, source: Any, lines: SQLiteArena) -> None:
        lines.make("sums", {"id": "integer", "n": "decimal"}, [])
        lines.execute("INSERT INTO sums VALUES (9223372036854775807, 0.1), (9223372036854775807, 0.2), (1, 'x')")
        columns = (ColumnMapping("id", "INTEGER", WarehouseType.INT64),)
        request = ReadRequest("main", "sums", columns)
        assert source.totals(request, ["id", "n"]) == {"id": D(2**64 - 1), "n": D("0.3")}
        assert source.totals(replace(request, window=Window("id", upper="1")), ["id"]) == {"id": D(1)}
