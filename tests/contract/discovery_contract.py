"""What every source promises of tables and columns: they are the server's own, with keys, times and samples."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import pytest
from contract.asking import asked_of, holds_files, needs
from contract.lines import COLUMNS, SHUFFLED, Arena, request_for
from contract.suite import Suite

from b2b_recs.engine import errors
from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources import small_answers
from b2b_recs.engine.sources.contract import FILE_COLUMN, Source


class DiscoveryContract(Suite):
    """Part of the contract of sources."""

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

    @asked_of(lambda suite: not holds_files(suite))
    def test_discovery_equals_the_catalogue_of_the_server(self, lines: Any) -> None:
        lines.make("shuffled", SHUFFLED, [(None, "x", None, 1)], key="id" if self.keyed else None)
        truth = lines.catalogue()
        with lines.open() as source:
            tables = [table for table in source.tables() if table.schema == lines.schema]
            assert {table.name: table.kind for table in tables} == {name: one.kind for name, one in truth.items()}
            assert len(tables) == len(truth)
            for name, wanted in (("lines", COLUMNS), ("shuffled", SHUFFLED)):
                table = lines.named(name)
                columns = source.columns(lines.schema, table)
                shown = [column.name for column in columns]
                assert shown == list(truth[table].columns)
                assert set(wanted) <= set(shown)
                required = {column.name for column in columns if not column.nullable}
                assert truth[table].required in (None, required)
                places = sorted((column.key_position, column.name) for column in columns if column.key_position)
                assert truth[table].key in (None, tuple(name for _, name in places))

    @needs("databases")
    def test_a_list_of_tables_that_goes_on_and_on_is_given_up(self, lines: Any) -> None:
        with lines.open() as source:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(small_answers, "MOST_ROWS", 0)
                with pytest.raises(errors.SourceRefused, match="longer answer") as caught:
                    source.tables()
            assert caught.value.field in self.declared().Parameters.model_fields and caught.value.advice
        with lines.open() as source:
            assert lines.named("lines") in {table.name for table in source.tables()}

    def test_a_last_change_is_told_where_the_type_says_so_and_nowhere_else(self, lines: Any) -> None:
        lines.make("just_now", {"id": "integer"}, [(1,)])
        with lines.open() as source:
            changed = {table.name: table.last_change for table in source.tables()}
        if not self.declared().capabilities.last_change:
            assert set(changed.values()) == {None}
            return
        last = changed[lines.named("just_now")]
        # Some arenas have a clock of their own, which is never ahead.
        assert last is not None and last < datetime.now(UTC) + timedelta(minutes=1)

    @asked_of(holds_files)
    def test_discovery_equals_the_list_of_the_place(self, lines: Any) -> None:
        lines.make("shuffled", SHUFFLED, [(None, "x", None, 1)])
        file, _, part = lines.named("shuffled").partition("#")
        ending = file.removeprefix("shuffled")
        sizes = {path: size for path, size in lines.listed().items() if path.endswith((ending, f"{ending}.gz"))}
        with lines.open() as source:
            tables = source.tables()
            single = {table.name.partition("#")[0]: table.size_bytes for table in tables if table.kind == "file"}
            assert single == sizes
            for table in tables:
                if table.kind == "files":
                    self._covers(source, table.name, set(sizes))
            columns = source.columns(lines.schema, lines.named("shuffled"))
        assert [column.name for column in columns] == [*SHUFFLED, FILE_COLUMN]
        assert {table.name for table in tables} >= {f"{file}#{part}" if part else file, f"*{ending}"}

    @staticmethod
    def _covers(source: Source, pattern: str, paths: set[str]) -> None:
        """The files of a pattern are those below its folder, and not deeper, that match it."""
        inside = {path for path in paths if fnmatchcase(path, pattern) and path.count("/") == pattern.count("/")}
        assert {file.path for file in source.files("", pattern)} == inside
