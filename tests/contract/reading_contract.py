"""What every source promises of reading: the rows that were asked for, each once and exactly."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from contract.asking import needs
from contract.lines import COLUMNS, LINES, Arena, lines_with, request_for
from contract.reads import ids, table_of
from contract.suite import Suite

from b2b_recs.engine import errors
from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources.contract import Source, Window


class ReadingContract(Suite):
    """Part of the contract of sources."""

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
