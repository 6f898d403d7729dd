"""What every source promises, run by each registered type against a server of its kind.

What a type declares it cannot do (its capabilities) is not asked of it; everything else is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pyarrow as pa
import pytest
from contract.asking import asked_of, needs
from contract.broken_lines_contract import BrokenLinesContract
from contract.copying_contract import CopyingContract
from contract.discovery_contract import DiscoveryContract
from contract.leaks import leaks
from contract.lines import COLUMNS, LINES, Arena, lines_with, request_for
from contract.memory_contract import MemoryContract

from b2b_recs.engine import errors
from b2b_recs.engine.schema.arrow import arrow_schema
from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources.contract import ReadRequest, Source, SourceType, Window
from b2b_recs.engine.sources.registry import SOURCE_TYPES, parse_parameters

ODD_NAMES = (
    'a"; DROP TABLE lines; --',
    "a`b]c'd",
    "🛒 emoji ünïcode",
    "back\\slash %s %(x)s {y} $1 ?",
    " spaces ",
    "select",
)
HOST_PARAMETERS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"host": None}, "host"),
    ({"host": "/var/run"}, "host"),
    ({"host": "a,b"}, "host"),
    ({"host": " shop.example"}, "host"),
    ({"host": "https://shop.example"}, "host"),
    ({"host": "h\x00"}, "host"),
    ({"port": 0}, "port"),
    ({"port": 65536}, "port"),
    ({"port": "many"}, "port"),
)
ANY_PARAMETERS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"url": "x://y"}, "url"),
    ({"options": "-c x=y"}, "options"),
    ({"driver": "canary"}, "driver"),
)
DATABASE_PARAMETERS: tuple[tuple[dict[str, Any], str], ...] = (
    *HOST_PARAMETERS,
    ({"database": ""}, "database"),
    ({"database": "a\x00b"}, "database"),
    ({"password": "canary\x00"}, "password"),
    ({"password": ["canary"]}, "password"),
    *ANY_PARAMETERS,
)


def table_of(source: Source, request: ReadRequest) -> pa.Table:
    """Every good row of a read."""
    return pa.Table.from_batches([batch.rows for batch in source.read(request)], arrow_schema(request.columns))


def ids(source: Source, request: ReadRequest) -> list[Any]:
    """The ids of a read, sorted unless the read has an order of its own."""
    found = table_of(source, request).column("id").to_pylist()
    return found if request.order_by else sorted(found)


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether the condition comes true before the time is up."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


class SourceContract(CopyingContract, DiscoveryContract, BrokenLinesContract, MemoryContract):
    """Subclasses set ``type`` and the cases, and provide the fixture ``arena``."""

    type: ClassVar[str]
    # (name, changes of good parameters, error, its field)
    bad_connections: ClassVar[tuple[tuple[str, dict[str, Any], type[errors.EngineError], str], ...]] = ()
    bad_parameters: ClassVar[tuple[tuple[dict[str, Any], str], ...]] = DATABASE_PARAMETERS
    odd_names: ClassVar[tuple[str, ...]] = ODD_NAMES
    # Names that no such source can have: refused or missing, never an error of the driver.
    impossible_names: ClassVar[tuple[str, ...]] = ("", "a\x00b", "x" * 200, "\ud800")
    # Whether a column can be a primary key, and whether the source knows types other than text.
    keyed: ClassVar[bool] = True
    # Whether columns have an order of their own; otherwise they come by name.
    ordered_columns: ClassVar[bool] = True
    # Whether a read sees the state of the last look even after a table was dropped.
    sees_the_past: ClassVar[bool] = False
    # Whether a table without rows is still there.
    empty_tables: ClassVar[bool] = True
    # The smallest step of a time this source can hold.
    tick: ClassVar[timedelta] = timedelta(microseconds=1)
    # Whether it dials a server.
    dials: ClassVar[bool] = True
    # Rows, and characters of each, of a table too large to be in memory as a whole when the reader goes away.
    heavy_rows: ClassVar[int] = 40_000
    heavy_text: ClassVar[int] = 1_000

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls) -> Iterator[Arena]:
        raise AssertionError("provided by the subclass")

    @pytest.fixture(scope="class")
    @classmethod
    def lines(cls, arena: Arena) -> Arena:
        arena.make("lines", COLUMNS, lines_with(cls.tick), key="id" if cls.keyed else None)
        return arena

    @pytest.fixture(scope="class")
    @classmethod
    def heavy(cls, arena: Arena) -> Arena:
        cls.make_heavy(arena, "heavy", cls.heavy_rows, cls.heavy_text)
        return arena

    @pytest.fixture
    def source(self, lines: Arena) -> Iterator[Source]:
        with lines.open() as source:
            yield source

    def private_server(self) -> AbstractContextManager[Arena]:
        """An arena with a table ``large`` of some 60,000 rows of 500 characters, whose sessions a test may cut."""
        raise AssertionError("provided by the subclass")

    def dialled(self, arena: Arena) -> tuple[dict[str, Any], tuple[str, int]]:
        """Changes that name the server by a host without an address, and what has to be asked of the guard."""
        return {"host": "shop.invalid"}, ("shop.invalid", arena.parameters()["port"])

    def declared(self) -> SourceType:
        return SOURCE_TYPES[self.type]

    # The connection.

    def test_a_good_connection_shows_version_latency_and_tables(self, source: Source, lines: Arena) -> None:
        result = source.check()
        assert result.server_version
        assert 0 < result.latency_ms < 60_000
        assert lines.named("lines") in {table.name for table in result.tables}

    def test_a_bad_connection_is_refused_with_its_own_reason(
        self, lines: Arena, bad_connection: tuple[str, dict[str, Any], type[errors.EngineError], str]
    ) -> None:
        _, changes, expected, field = bad_connection
        with pytest.raises(expected) as caught, lines.open(**changes) as source:
            source.check()
        assert type(caught.value) is expected
        assert caught.value.field == field
        assert caught.value.advice
        assert leaks(caught.value, lines.parameters(**changes), self.declared().secret_fields) == []
        assert caught.value.__cause__ is None

    def test_a_bad_parameter_is_refused_naming_its_field(
        self, lines: Arena, bad_parameter: tuple[dict[str, Any], str]
    ) -> None:
        changes, field = bad_parameter
        with pytest.raises(errors.BadInput) as caught:
            parse_parameters(lines.type, lines.parameters(**changes))
        assert caught.value.field == field
        assert leaks(caught.value, changes, self.declared().secret_fields) == []

    def test_every_parameter_has_a_title_and_words_of_help(self, lines: Arena) -> None:
        declared = self.declared()
        for field in declared.Parameters.model_fields.values():
            assert field.title
            assert field.description
        given = lines.parameters()
        shown = repr(parse_parameters(lines.type, given))
        assert all(str(given[name]) not in shown for name in declared.secret_fields if given.get(name))

    def test_what_it_was_verified_against_and_how_to_allow_reading_is_told(self) -> None:
        declared = self.declared()
        assert declared.verified_against
        assert declared.grants
        assert declared.category in ("relational", "files", "nosql", "warehouses")
        assert bool(declared.extra) == bool(declared.driver)

    @asked_of(lambda suite: suite.dials)
    def test_the_address_that_was_checked_is_the_one_dialled(self, lines: Arena) -> None:
        changes, wanted = self.dialled(lines)
        asked: list[tuple[str, int]] = []

        def guarded(host: str, port: int) -> str:
            asked.append((host, port))
            return "127.0.0.1"

        parameters = parse_parameters(lines.type, lines.parameters(**changes))
        with self.declared().open(parameters, guarded) as source:
            assert source.tables()
        assert set(asked) == {wanted}

    @asked_of(lambda suite: suite.dials)
    def test_an_address_the_guard_refuses_is_never_dialled(self, lines: Arena) -> None:
        def refusing(host: str, port: int) -> str:
            raise errors.AddressForbidden(f"{host} is not public.", advice="Use another.", field="host")

        parameters = parse_parameters(lines.type, lines.parameters())
        with pytest.raises(errors.AddressForbidden), self.declared().open(parameters, refusing) as source:
            source.check()

    # Discovery.

    def test_columns_are_described_in_order_with_keys_and_times(self, source: Source, lines: Arena) -> None:
        columns = {column.name: column for column in source.columns(lines.schema, lines.named("lines"))}
        assert [name for name in columns if name in COLUMNS] == (
            list(COLUMNS) if self.ordered_columns else sorted(COLUMNS)
        )
        if self.keyed:
            assert [columns[name].key_position for name in COLUMNS] == [1, None, None]
            assert not columns["id"].nullable
        request = request_for(source, lines, lines.named("lines"))
        by_name = {column.name: column for column in request.columns}
        if by_name["at"].warehouse_type is not WarehouseType.STRING:
            assert [columns[name].is_time for name in COLUMNS] == [False, True, False]
        assert columns["word"].nullable

    def test_samples_are_text_as_the_source_prints_it(self, source: Source, lines: Arena) -> None:
        samples = source.samples(lines.schema, lines.named("lines"), ["id", "word"], 5)
        assert list(samples) == ["id", "word"]
        assert all(len(values) == 5 for values in samples.values())
        assert set(samples["id"]) <= {str(at) for at in range(1, 11)}
        assert set(samples["word"]) <= set("abcdefghij")

    def test_odd_names_are_read_and_never_executed(self, source: Source, lines: Arena, odd_name: str) -> None:
        lines.make(odd_name, {odd_name: "integer"}, [(7,)])
        table, logical = lines.named(odd_name), {odd_name: "integer"}
        request = request_for(source, lines, table, logical)
        assert table_of(source, request).column(odd_name).to_pylist() == [7]
        if self.declared().capabilities.incremental:
            order = (odd_name,) if self.declared().capabilities.ordered else ()
            request = replace(request, order_by=order, window=Window(odd_name, "1", "7"))
            assert table_of(source, request).column(odd_name).to_pylist() == [7]
            assert source.max_cursor(lines.schema, table, odd_name) == "7"
        assert source.samples(lines.schema, table, [odd_name], 5) == {odd_name: ["7"]}
        assert source.columns(lines.schema, lines.named("lines"))

    def test_names_no_server_can_have_are_refused(self, source: Source, lines: Arena) -> None:
        for name in self.impossible_names:
            with pytest.raises((errors.BadInput, errors.TableMissing)):
                source.columns(lines.schema, name)
            with pytest.raises((errors.BadInput, errors.TableMissing)):
                source.samples(lines.schema, name, ["id"], 1)

    # Reading.

    def lines_request(self, source: Source, lines: Arena, **more: Any) -> ReadRequest:
        order = {"order_by": ("id",)} if self.declared().capabilities.ordered and "order_by" not in more else {}
        return request_for(source, lines, lines.named("lines"), COLUMNS, **order, **more)

    def test_reading_twice_gives_the_same_rows(self, source: Source, lines: Arena) -> None:
        request = self.lines_request(source, lines)
        assert ids(source, request) == ids(source, request) == list(range(1, 11))
        assert source.count(request) == 10
        rows = sorted(table_of(source, request).select(list(COLUMNS)).to_pylist(), key=lambda row: row["id"])
        naive = [row["at"].replace(tzinfo=None) if row["at"] else None for row in rows]
        assert naive == [at for _, at, _ in lines_with(self.tick)]
        assert [row["word"] for row in rows] == [word for _, _, word in LINES]

    def test_only_the_chosen_columns_are_read(self, source: Source, lines: Arena) -> None:
        request = self.lines_request(source, lines)
        request = replace(request, columns=tuple(column for column in request.columns if column.name == "id"))
        assert table_of(source, request).schema.names == ["id"]
        assert ids(source, request) == list(range(1, 11))

    @needs("incremental", "upper_bound")
    @pytest.mark.parametrize(
        ("window", "expected"),
        [
            ({"lower": "2024-01-04 00:00:00"}, [7, 8, 9]),
            ({"lower": "2024-01-04 00:00:00", "lower_inclusive": True}, [4, 5, 6, 7, 8, 9]),
            ({"upper": "2024-01-04 00:00:00"}, [1, 2, 3, 4, 5, 6]),
            ({"lower": "2024-01-01 00:00:00", "upper": "2024-01-02 00:00:00"}, [2]),
            ({}, list(range(1, 10))),
            ({"include_null": True}, list(range(1, 11))),
            ({"upper": "2024-01-01 00:00:00", "include_null": True}, [1, 10]),
            ({"lower": "2999-01-01 00:00:00"}, []),
        ],
        ids=str,
    )
    def test_a_window_covers_exactly_its_rows(
        self, source: Source, lines: Arena, window: dict[str, Any], expected: list[int]
    ) -> None:
        request = self.lines_request(source, lines, window=Window("at", **window))
        assert ids(source, request) == expected
        assert source.count(request) == len(expected)

    @needs("ordered", "incremental")
    def test_a_read_resumes_after_a_key_of_several_columns(self, source: Source, lines: Arena) -> None:
        order = {"order_by": ("at", "id"), "window": Window("at")}
        request = self.lines_request(source, lines, key_after=("2024-01-04 00:00:00", "5"), **order)
        assert table_of(source, request).column("id").to_pylist() == [6, 7, 8, 9]

    def test_a_row_limit_holds_for_reading_and_counting(self, source: Source, lines: Arena) -> None:
        request = self.lines_request(source, lines, row_limit=3)
        found = ids(source, request)
        assert len(found) == 3 == source.count(request)
        if request.order_by:
            assert found == [1, 2, 3]

    @needs("incremental")
    def test_the_largest_cursor_comes_as_exact_text(self, source: Source, lines: Arena) -> None:
        text = source.max_cursor(lines.schema, lines.named("lines"), "at")
        assert text is not None
        found = datetime.fromisoformat(text)
        assert found.replace(tzinfo=UTC) == datetime(2024, 1, 7, tzinfo=UTC) + self.tick

    @needs("incremental")
    def test_numbers_are_ordered_as_numbers_whatever_they_are_read_as(self, source: Source, lines: Arena) -> None:
        lines.make("counted", {"id": "integer"}, [(9,), (10,), (1000,), (999,)])
        table = lines.named("counted")
        request = request_for(source, lines, table, {"id": "integer"})
        assert source.max_cursor(lines.schema, table, "id") == "1000"
        windowed = replace(request, window=Window("id", "9", "999"))
        assert sorted(table_of(source, windowed).column("id").to_pylist()) == [10, 999]
        if self.declared().capabilities.ordered:
            columns = tuple(replace(column, warehouse_type=WarehouseType.STRING) for column in request.columns)
            text = replace(request, columns=columns, order_by=("id",), key_after=("9",))
            assert table_of(source, text).column("id").to_pylist() == ["10", "999", "1000"]

    def test_an_empty_table_reads_as_nothing(self, source: Source, lines: Arena) -> None:
        lines.make("empty", COLUMNS, [], key="id" if self.keyed else None)
        if not self.empty_tables:
            with pytest.raises(errors.TableMissing):
                source.columns(lines.schema, lines.named("empty"))
            return
        request = request_for(source, lines, lines.named("empty"), COLUMNS)
        assert table_of(source, request).num_rows == 0
        assert source.count(request) == 0
        if self.declared().capabilities.incremental:
            assert source.max_cursor(lines.schema, lines.named("empty"), "at") is None

    def test_six_hundred_columns_are_read(self, source: Source, lines: Arena) -> None:
        columns = {f"c{at}": "decimal" for at in range(600)}
        lines.make("wide", columns, [tuple(Decimal(at) + Decimal("0.25") for at in range(600))])
        request = request_for(source, lines, lines.named("wide"), columns)
        row = table_of(source, request).to_pylist()[0]
        assert [Decimal(str(row[name])) for name in columns] == [Decimal(at) + Decimal("0.25") for at in range(600)]

    @needs("snapshot")
    def test_a_count_and_a_read_agree_while_rows_are_added(self, source: Source, lines: Arena) -> None:
        lines.make("growing", {"id": "integer"}, [(1,)])
        request = request_for(source, lines, lines.named("growing"), {"id": "integer"})
        counted = source.count(request)
        lines.add("growing", [(2,)])
        assert table_of(source, request).num_rows == counted == 1
        assert table_of(source, request_for(source, lines, lines.named("growing"))).num_rows == 2

    @needs("checksum")
    def test_totals_are_exact(self, source: Source, lines: Arena) -> None:
        big = Decimal("12345678.91")
        lines.make("money", {"id": "integer", "amount": "decimal"}, [(1, big), (2, big), (3, Decimal("-0.01"))])
        request = request_for(source, lines, lines.named("money"))
        assert source.totals(request, ["id", "amount"]) == {"id": 6, "amount": big * 2 - Decimal("0.01")}
        lines.make("money", {"id": "integer", "amount": "decimal"}, [(1, None)])
        request = request_for(source, lines, lines.named("money"))
        assert source.totals(request, ["id", "amount"]) == {"id": 1, "amount": None}

    @needs("key_ranges")
    def test_ranges_of_a_key_cover_every_row_once(self, source: Source, lines: Arena) -> None:
        lines.make("ranged", {"id": "integer", "word": "text"}, [(at * 3, "x") for at in range(1000)], key="id")
        request = request_for(source, lines, lines.named("ranged"))
        ranges = source.key_ranges(request, "id", 4)
        with source.beside() as other:
            lines.add("ranged", [(1, "later")])
            found = [at for part in ranges for at in ids(other, replace(request, key_range=part))]
        assert sorted(found) == [at * 3 for at in range(1000)]

    # Files.

    @needs("files")
    def test_a_changed_file_has_another_mark_and_files_are_read_alone(self, source: Source, lines: Arena) -> None:
        lines.make("noted", {"id": "integer"}, [(1,)])
        table = lines.named("noted")
        (before,) = source.files(lines.schema, table)
        assert before.size > 0
        (again,) = source.files(lines.schema, table)
        assert again.mark == before.mark
        lines.add("noted", [(2,)])
        (after,) = source.files(lines.schema, table)
        assert after.mark != before.mark
        request = request_for(source, lines, table, {"id": "integer"}, files=(after.path,))
        assert ids(source, request) == [1, 2]
        assert set(table_of(source, request).column("_file").to_pylist()) == {after.path}

    # Refusals in the middle.

    def test_a_missing_table_is_named(self, source: Source, lines: Arena) -> None:
        name = lines.named("no_such_table")
        with pytest.raises(errors.TableMissing) as caught:
            source.columns(lines.schema, name)
        assert "no_such_table" in caught.value.message
        assert source.columns(lines.schema, lines.named("lines"))

    def test_a_missing_column_is_named(self, source: Source, lines: Arena) -> None:
        lines.make("narrow", {"id": "integer", "gone": "integer"}, [(1, 1)])
        request = request_for(source, lines, lines.named("narrow"))
        lines.drop_column("narrow", "gone")
        source.columns(lines.schema, lines.named("lines"))
        with pytest.raises(errors.ColumnMissing) as caught:
            list(source.read(request))
        assert "gone" in caught.value.message

    def test_a_table_dropped_before_reading_is_named(self, source: Source, lines: Arena) -> None:
        lines.make("doomed", {"id": "integer"}, [(1,)])
        request = request_for(source, lines, lines.named("doomed"))
        lines.drop("doomed")
        if self.sees_the_past:
            assert ids(source, request) == [1]
            source.tables()
        with pytest.raises(errors.TableMissing) as caught:
            list(source.read(request))
        assert "doomed" in caught.value.message
        assert ids(source, self.lines_request(source, lines)) == list(range(1, 11))

    def test_a_server_killed_in_the_middle_of_reading_is_a_lost_connection(self) -> None:
        with self.private_server() as arena, arena.open() as source:
            request = request_for(source, arena, arena.named("large"), batch_bytes=64 * 1024)
            batches = source.read(request)
            assert next(batches).rows.num_rows > 0
            arena.end_sessions()
            with pytest.raises(errors.ConnectionLost) as caught:
                list(batches)
            assert caught.value.transient
            assert caught.value.advice

    @pytest.mark.parametrize("how", ["cancelled", "closed", "abandoned"])
    def test_no_session_stays_on_the_server(self, heavy: Arena, how: str) -> None:
        # A line that broke before may have left one there, which a server ends after minutes.
        eventually(lambda: heavy.sessions() == 0, 1.0)
        before = heavy.sessions()
        with heavy.open() as source:
            request = request_for(source, heavy, heavy.named("heavy"), batch_bytes=64 * 1024)
            if how == "cancelled":
                with pytest.raises(errors.Cancelled):
                    list(source.read(request, cancelled=lambda: True))
            elif how == "closed":
                batches = source.read(request)
                next(batches)
                batches.close()
            else:
                next(source.read(request))
            assert source.count(request) == self.heavy_rows
        assert eventually(lambda: heavy.sessions() <= before)
