"""What every source promises, run by each registered type against a real server of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Protocol

import pyarrow as pa
import pytest

from b2b_recs.engine import errors
from b2b_recs.engine.schema.arrow import arrow_schema
from b2b_recs.engine.sources.contract import ReadRequest, Source, Window
from b2b_recs.engine.sources.registry import SOURCE_TYPES, parse_parameters

ODD_NAMES = (
    'a"; DROP TABLE lines; --',
    "a`b]c'd",
    "🛒 emoji ünïcode",
    "back\\slash %s %(x)s {y} $1 ?",
    " spaces ",
    "select",
)


class Arena(Protocol):
    """A server with one database and a login that may only read."""

    type: str
    schema: str

    def execute(self, *statements: str) -> None: ...

    def parameters(self, **changes: Any) -> dict[str, Any]: ...

    def open(self, **changes: Any) -> Source: ...

    def sessions(self) -> int: ...

    def end_sessions(self) -> None: ...


def request_for(source: Source, arena: Arena, table: str, **more: Any) -> ReadRequest:
    """A read of every column as proposed."""
    columns = source.columns(arena.schema, table)
    mapping = SOURCE_TYPES[arena.type].propose(columns, {}, "UTC")
    return ReadRequest(arena.schema, table, tuple(mapping), **more)


def table_of(source: Source, request: ReadRequest) -> pa.Table:
    """Every good row of a read."""
    return pa.Table.from_batches([batch.rows for batch in source.read(request)], arrow_schema(request.columns))


class SourceContract:
    """Subclasses provide the fixture ``arena`` and the SQL in the class attributes; they run on one database each."""

    # (id, at, word) with at a time column and id a key: ten rows, of which 4, 5 and 6 share a time and 10 has none.
    make_lines: tuple[str, ...]
    # One row of an empty table with the same columns.
    make_empty: tuple[str, ...]
    # {columns} of 600 whole numbers, {table} quoted.
    quote: Mapping[str, str]

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls) -> Iterator[Arena]:
        raise AssertionError("provided by the subclass")

    @pytest.fixture(scope="class")
    @classmethod
    def lines(cls, arena: Arena) -> Arena:
        arena.execute(*cls.make_lines)
        return arena

    @pytest.fixture
    def source(self, lines: Arena) -> Iterator[Source]:
        with lines.open() as source:
            yield source

    def name(self, name: str) -> str:
        """A name quoted by the server's own rule."""
        mark = self.quote["mark"]
        return mark + name.replace(mark, mark * 2) + mark

    def private_server(self) -> AbstractContextManager[Arena]:
        """A server of its own that a test may kill, as a context manager."""
        raise AssertionError("provided by the subclass")

    # The connection.

    def test_a_good_connection_shows_version_latency_and_tables(self, source: Source) -> None:
        result = source.check()
        assert result.server_version[0].isdigit()
        assert 0 < result.latency_ms < 60_000
        assert "lines" in {table.name for table in result.tables}

    @pytest.mark.parametrize(
        ("changes", "expected", "field"),
        [
            ({"password": "wrong-canary"}, errors.AuthenticationRefused, "password"),
            ({"username": "nobody-here"}, errors.AuthenticationRefused, "password"),
            ({"host": "no-such-host.invalid"}, errors.HostUnknown, "host"),
            ({"port": 1}, errors.ConnectionRefused, "host"),
            ({"database": "no_such_database"}, errors.DatabaseMissing, "database"),
            ({"ssl_mode": "require"}, errors.SourceRefused, "ssl_mode"),
        ],
        ids=["password", "user", "host", "port", "database", "encryption"],
    )
    def test_a_bad_connection_is_refused_with_its_own_reason(
        self, lines: Arena, changes: dict[str, Any], expected: type[errors.EngineError], field: str
    ) -> None:
        with pytest.raises(expected) as caught:
            lines.open(**changes)
        assert type(caught.value) is expected
        assert caught.value.field == field
        assert caught.value.advice
        assert "canary" not in str(caught.value) + repr(caught.value)
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"host": None}, "host"),
            ({"host": "/var/run"}, "host"),
            ({"host": "a,b"}, "host"),
            ({"host": " shop.example"}, "host"),
            ({"host": "https://shop.example"}, "host"),
            ({"host": "h\x00"}, "host"),
            ({"port": 0}, "port"),
            ({"port": 65536}, "port"),
            ({"port": "many"}, "port"),
            ({"database": ""}, "database"),
            ({"database": "a\x00b"}, "database"),
            ({"password": "canary\x00"}, "password"),
            ({"password": ["canary"]}, "password"),
            ({"url": "x://y"}, "url"),
            ({"options": "-c x=y"}, "options"),
            ({"driver": "canary"}, "driver"),
        ],
        ids=str,
    )
    def test_a_bad_parameter_is_refused_naming_its_field(
        self, lines: Arena, changes: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(errors.BadInput) as caught:
            parse_parameters(lines.type, lines.parameters(**changes))
        assert caught.value.field == field
        assert "canary" not in str(caught.value)

    def test_every_parameter_has_a_title_and_words_of_help(self, lines: Arena) -> None:
        for field in SOURCE_TYPES[lines.type].Parameters.model_fields.values():
            assert field.title
            assert field.description
        shown = repr(parse_parameters(lines.type, lines.parameters()))
        assert all(str(lines.parameters()[name]) not in shown for name in SOURCE_TYPES[lines.type].secret_fields)

    def test_the_address_that_was_checked_is_the_one_dialled(self, lines: Arena) -> None:
        asked: list[tuple[str, int]] = []

        def guarded(host: str, port: int) -> str:
            asked.append((host, port))
            return "127.0.0.1"

        declared = SOURCE_TYPES[lines.type]
        parameters = parse_parameters(lines.type, lines.parameters(host="shop.invalid"))
        with declared.open(parameters, guarded) as source:
            assert source.tables()
        assert asked == [("shop.invalid", lines.parameters()["port"])]

    def test_an_address_the_guard_refuses_is_never_dialled(self, lines: Arena) -> None:
        def refusing(host: str, port: int) -> str:
            raise errors.AddressForbidden(f"{host} is not public.")

        with pytest.raises(errors.AddressForbidden):
            SOURCE_TYPES[lines.type].open(parse_parameters(lines.type, lines.parameters()), refusing)

    # Discovery.

    def test_columns_are_described_in_order_with_keys_and_times(self, source: Source, lines: Arena) -> None:
        columns = source.columns(lines.schema, "lines")
        assert [column.name for column in columns] == ["id", "at", "word"]
        assert [column.key_position for column in columns] == [1, None, None]
        assert [column.is_time for column in columns] == [False, True, False]
        assert [column.nullable for column in columns] == [False, True, True]

    def test_samples_are_text_as_the_source_prints_it(self, source: Source, lines: Arena) -> None:
        samples = source.samples(lines.schema, "lines", ["id", "word"], 5)
        assert list(samples) == ["id", "word"]
        assert all(len(values) == 5 for values in samples.values())
        assert set(samples["id"]) <= {str(at) for at in range(1, 11)}

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_odd_names_are_read_and_never_executed(self, source: Source, lines: Arena, name: str) -> None:
        lines.execute(
            f"DROP TABLE IF EXISTS {self.name(name)}",
            f"CREATE TABLE {self.name(name)} ({self.name(name)} integer)",
            f"INSERT INTO {self.name(name)} VALUES (7)",
        )
        request = request_for(source, lines, name, order_by=(name,), window=Window(name, "1", "7"))
        assert table_of(source, request).to_pylist() == [{name: 7}]
        assert source.samples(lines.schema, name, [name], 5) == {name: ["7"]}
        assert source.max_cursor(lines.schema, name, name) == "7"
        assert source.columns(lines.schema, "lines")

    @pytest.mark.parametrize("name", ["", "a\x00b", "x" * 200, "\ud800"])
    def test_names_no_server_can_have_are_refused(self, source: Source, lines: Arena, name: str) -> None:
        with pytest.raises((errors.BadInput, errors.TableMissing)):
            source.columns(lines.schema, name)
        with pytest.raises((errors.BadInput, errors.TableMissing)):
            source.samples(lines.schema, name, ["id"], 1)

    # Reading.

    def test_reading_twice_gives_the_same_rows(self, source: Source, lines: Arena) -> None:
        request = request_for(source, lines, "lines", order_by=("id",))
        first = table_of(source, request)
        assert first.equals(table_of(source, request))
        assert first.column("id").to_pylist() == list(range(1, 11))
        assert source.count(request) == 10

    @pytest.mark.parametrize(
        ("window", "ids"),
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
        self, source: Source, lines: Arena, window: dict[str, Any], ids: list[int]
    ) -> None:
        request = request_for(source, lines, "lines", window=Window("at", **window), order_by=("id",))
        assert table_of(source, request).column("id").to_pylist() == ids
        assert source.count(request) == len(ids)

    def test_a_read_resumes_after_a_key_of_several_columns(self, source: Source, lines: Arena) -> None:
        order = {"order_by": ("at", "id"), "window": Window("at")}
        request = request_for(source, lines, "lines", key_after=("2024-01-04 00:00:00", "5"), **order)
        assert table_of(source, request).column("id").to_pylist() == [6, 7, 8, 9]

    def test_a_row_limit_holds_for_reading_and_counting(self, source: Source, lines: Arena) -> None:
        request = request_for(source, lines, "lines", row_limit=3, order_by=("id",))
        assert table_of(source, request).column("id").to_pylist() == [1, 2, 3]
        assert source.count(request) == 3

    def test_the_largest_cursor_comes_as_exact_text(self, source: Source, lines: Arena) -> None:
        text = source.max_cursor(lines.schema, "lines", "at")
        assert text is not None
        assert datetime.fromisoformat(text).replace(tzinfo=UTC) == datetime(2024, 1, 7, 0, 0, 0, 1, tzinfo=UTC)

    def test_an_empty_table_reads_as_nothing(self, source: Source, lines: Arena) -> None:
        lines.execute(*self.make_empty)
        request = request_for(source, lines, "empty")
        assert table_of(source, request).num_rows == 0
        assert source.count(request) == 0
        assert source.max_cursor(lines.schema, "empty", "at") is None

    def test_six_hundred_columns_are_read(self, source: Source, lines: Arena) -> None:
        columns = ", ".join(f"c{at} numeric(10,2)" for at in range(600))
        values = ", ".join(str(at) for at in range(600))
        lines.execute(
            "DROP TABLE IF EXISTS wide", f"CREATE TABLE wide ({columns})", f"INSERT INTO wide VALUES ({values})"
        )
        row = table_of(source, request_for(source, lines, "wide")).to_pylist()[0]
        assert [int(value) for value in row.values()] == list(range(600))

    def test_a_count_and_a_read_agree_while_rows_are_added(self, source: Source, lines: Arena) -> None:
        lines.execute(
            "DROP TABLE IF EXISTS growing", "CREATE TABLE growing (id integer)", "INSERT INTO growing VALUES (1)"
        )
        request = request_for(source, lines, "growing")
        counted = source.count(request)
        lines.execute("INSERT INTO growing VALUES (2)")
        assert table_of(source, request).num_rows == counted == 1
        assert table_of(source, request_for(source, lines, "growing")).num_rows == 2

    # Refusals in the middle.

    def test_a_missing_table_is_named(self, source: Source, lines: Arena) -> None:
        with pytest.raises(errors.TableMissing) as caught:
            source.columns(lines.schema, "no_such_table")
        assert "no_such_table" in caught.value.message
        assert source.columns(lines.schema, "lines")

    def test_a_missing_column_is_named(self, source: Source, lines: Arena) -> None:
        lines.execute("DROP TABLE IF EXISTS narrow", "CREATE TABLE narrow (id integer, gone integer)")
        request = request_for(source, lines, "narrow")
        lines.execute("ALTER TABLE narrow DROP COLUMN gone")
        source.columns(lines.schema, "lines")
        with pytest.raises(errors.ColumnMissing) as caught:
            list(source.read(request))
        assert "gone" in caught.value.message

    def test_a_table_dropped_before_reading_is_named(self, source: Source, lines: Arena) -> None:
        lines.execute("DROP TABLE IF EXISTS doomed", "CREATE TABLE doomed (id integer)")
        request = request_for(source, lines, "doomed")
        lines.execute("DROP TABLE doomed")
        with pytest.raises(errors.TableMissing) as caught:
            list(source.read(request))
        assert "doomed" in caught.value.message
        assert table_of(source, request_for(source, lines, "lines")).num_rows == 10

    def test_a_server_killed_in_the_middle_of_reading_is_a_lost_connection(self) -> None:
        with self.private_server() as arena, arena.open() as source:
            request = request_for(source, arena, "large", batch_bytes=64 * 1024)
            batches = source.read(request)
            assert next(batches).rows.num_rows > 0
            arena.end_sessions()
            with pytest.raises(errors.ConnectionLost) as caught:
                list(batches)
            assert caught.value.transient
            assert caught.value.advice

    @pytest.mark.parametrize("how", ["cancelled", "closed", "abandoned"])
    def test_no_session_stays_on_the_server(self, lines: Arena, how: str) -> None:
        from contract.postgresql_arena import eventually

        lines.execute(
            "DROP TABLE IF EXISTS heavy", "CREATE TABLE heavy (id integer, word text)",
            "INSERT INTO heavy SELECT g, repeat('x', 500) FROM generate_series(1, 40000) g",
        )  # fmt: skip
        assert eventually(lambda: lines.sessions() == 0)
        with lines.open() as source:
            request = request_for(source, lines, "heavy", batch_bytes=64 * 1024)
            if how == "cancelled":
                with pytest.raises(errors.Cancelled):
                    list(source.read(request, cancelled=lambda: True))
            elif how == "closed":
                batches = source.read(request)
                next(batches)
                batches.close()
            else:
                next(source.read(request))
            assert source.count(request) == 40000
        assert eventually(lambda: lines.sessions() == 0)
