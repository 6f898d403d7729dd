"""What every source promises when what it reads is not there, goes away, or is not wanted any more."""

from __future__ import annotations

from typing import ClassVar

import pytest
from contract.asking import asked_of, shows_a_sample
from contract.lines import Arena, request_for
from contract.reads import eventually, ids
from contract.suite import Suite

from b2b_recs.engine import errors
from b2b_recs.engine.sources.contract import Source


class RefusalsContract(Suite):
    """Part of the contract of sources."""

    # Names that no such source can have: refused or missing, never an error of the driver.
    impossible_names: ClassVar[tuple[str, ...]] = ("", "a\x00b", "x" * 200, "\ud800")

    def test_names_no_server_can_have_are_refused(self, source: Source, lines: Arena) -> None:
        for name in self.impossible_names:
            with pytest.raises((errors.BadInput, errors.TableMissing)):
                source.columns(lines.schema, name)
            with pytest.raises((errors.BadInput, errors.TableMissing)):
                source.samples(lines.schema, name, ["id"], 1)

    def test_a_missing_table_is_named(self, source: Source, lines: Arena) -> None:
        name = lines.named("no_such_table")
        with pytest.raises(errors.TableMissing) as caught:
            source.columns(lines.schema, name)
        assert "no_such_table" in caught.value.message
        assert source.columns(lines.schema, lines.named("lines"))

    @asked_of(lambda suite: not shows_a_sample(suite))
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
