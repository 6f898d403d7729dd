"""Fields that no row looked at beforehand has: read by a second read, whatever happens between the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import Job, Memory, MemorySource, Table
from engine.etl.copying import CATALOG, KEYED, Watcher, row, write_small_parts

from b2b_recs.engine.errors import ConnectionLost
from b2b_recs.engine.etl import unasked as noticing
from b2b_recs.engine.sources.contract import Batch, Capabilities, ColumnInfo, Fields, ReadRequest

SHOWN = {"id": "bigint!", "at": "timestamptz", "amount": "bigint", "note": "text"}


@dataclass
class SampledSource(MemorySource):
    """Shows the columns of its table and hides those of ``hidden``; each read tells which of them its rows have."""

    hidden: dict[str, str] = field(default_factory=dict)
    before_read: Callable[[ReadRequest], None] = lambda request: None

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        self.before_read(request)
        left = iter(self._rows(request))
        asked = {column.name for column in request.columns}
        for batch in super().read(request, cancelled):
            rows = [next(left) for _ in range(batch.rows.num_rows)]
            if request.unasked:
                batch.unasked = {
                    name: {kind: here}
                    for name, kind in self.hidden.items()
                    if name not in asked and (here := sum(row.get(name) is not None for row in rows))
                }
            yield batch


class Sampled(Memory):
    """The declaration of such a source."""

    capabilities = Capabilities(sampled=True)

    def met_columns(self, fields: Fields) -> list[ColumnInfo]:
        return [ColumnInfo(name, next(iter(kinds)), nullable=True, guessed=True) for name, kinds in fields.items()]


def job_of(folder: Path, rows: list[dict[str, Any]], **spec: Any) -> Job:
    job = Job(folder, Table(dict(SHOWN), rows, primary=("id",)), **spec)
    job.kind, job.source = Sampled(), SampledSource(job.source.table, hidden={"coupon": "text"})
    return job


def rows_with_coupon() -> list[dict[str, Any]]:
    return [row(number, **({"coupon": "SUMMER"} if number == 3 else {})) for number in range(100)]


def coupons(job: Job) -> dict[int, str]:
    return {line["id"]: line["coupon"] for line in job.rows() if line["coupon"] is not None}


@pytest.mark.parametrize("fails_in", ["the first read", "the second read"])
@pytest.mark.parametrize("load", [KEYED, CATALOG], ids=["by a cursor", "catalog"])
def test_a_field_met_before_an_interruption_is_loaded_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: dict[str, Any], fails_in: str
) -> None:
    write_small_parts(monkeypatch)
    job = job_of(tmp_path, rows_with_coupon(), **load)
    failing = replace(job.source, fail_after=7, failure=ConnectionLost("The connection broke."))

    def before_read(request: ReadRequest) -> None:
        again = "coupon" in {column.name for column in request.columns}
        failing.fail_after = 7 if again == (fails_in == "the second read") else None

    failing.before_read = before_read
    sound, job.source = job.source, failing
    with pytest.raises(ConnectionLost):
        job.run("run-1")
    assert not job.table.exists()
    job.source = sound
    watcher = Watcher()
    result = job.run("run-1", watcher)
    assert (result.rows_loaded, result.reconciled, coupons(job)) == (100, True, {3: "SUMMER"})
    assert "coupon (in 1 row)" in " ".join(result.warnings)
    if load is KEYED:
        assert any(line.startswith("Going on after") for line in watcher.lines)
        assert any("Reading again" in line for line in watcher.lines) == (fails_in == "the first read")
    assert job.strays() == []


def test_ordinary_tables_are_read_once(tmp_path: Path) -> None:
    job = job_of(tmp_path, [row(number) for number in range(100)], **CATALOG)
    assert job.run().warnings == ()
    assert len(job.source.reads) == 1


def test_a_source_that_shows_new_fields_in_every_read_comes_to_an_end_and_says_so(tmp_path: Path) -> None:
    job = job_of(tmp_path, [row(number) for number in range(30)], **CATALOG)
    source = job.source
    assert isinstance(source, SampledSource)
    source.hidden = {}

    def before_read(request: ReadRequest) -> None:
        name = f"new {len(source.reads)}"
        source.hidden[name] = "text"
        source.table.rows[5][name] = "x"

    source.before_read = before_read
    result = job.run()
    assert len(source.reads) == 1 + noticing.MOST_READS
    loaded, left = result.warnings[-2:]
    assert "new 0 (in 1 row)" in loaded and "new 2 (in 1 row)" in loaded
    assert "left out, because the source went on changing: new 3 (in 1 row)" in left
    assert job.table.schema().names == [*SHOWN, "new 0", "new 1", "new 2"]


def test_no_more_names_are_kept_than_may_be_added() -> None:
    many: Fields = {f"name {number}": {"text": 1} for number in range(noticing.MOST_NAMES * 3)}
    assert len(noticing.together([many, {"other": {"text": 1}}])) == noticing.MOST_NAMES + 1
    assert noticing.together([{"a": {"text": 1}}, {"a": {"text": 2, "date": 1}, "b": {"text": 1}}], ("b",)) == {
        "a": {"text": 3, "date": 1}
    }
