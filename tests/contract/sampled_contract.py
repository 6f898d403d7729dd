# ruff: noqa: DTZ001 - times without a zone are what is tested
"""What the engine promises of sources that show only the fields of some documents: no value is lost without a word.

Tables have more documents than are looked at, and the field in question is in one that is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from contract.asking import asked_of, shows_a_sample
from contract.copying_contract import BY_TIME, Copying
from contract.reads import table_of
from contract.suite import Suite

from b2b_recs.engine.errors import SchemaDrift
from b2b_recs.engine.etl import unasked
from b2b_recs.engine.sources.contract import Batch, ReadRequest
from b2b_recs.engine.sources.registry import SOURCE_TYPES

LOOKED_AT = 4
DOCUMENTS = 40
# Neither among the first ids, as numbers and as text, nor among the last.
RARE = 23
CATALOG = {"strategy": "catalog"}


def document(number: int, **more: Any) -> dict[str, Any]:
    """A line; every line is a minute after the one before."""
    return {"id": number, "at": datetime(2024, 1, 1) + timedelta(minutes=number), **more}


def documents(last: int = DOCUMENTS, **rare: Any) -> list[dict[str, Any]]:
    """Lines, of which one has more fields than the others."""
    return [document(number, **(rare if number == RARE else {})) for number in range(last)]


class SampledContract(Suite):
    """Part of the contract of sources."""

    @pytest.fixture
    def few(self, arena: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        """The arena, of whose documents few are looked at."""
        given = arena.parameters
        monkeypatch.setattr(arena, "parameters", lambda **changes: given(sampled_documents=LOOKED_AT, **changes))
        yield arena
        arena.drop("sampled")

    @asked_of(shows_a_sample)
    def test_a_rare_field_of_a_catalog_arrives_in_the_run_that_meets_it(self, few: Any, tmp_path: Path) -> None:
        few.put("sampled", *documents(coupon="SUMMER"))
        job = Copying(few, "sampled", tmp_path, CATALOG)
        for number in range(3):
            result = job.run()
            assert (result.rows_loaded, result.rows_rejected, result.reconciled) == (DOCUMENTS, 0, True)
            assert held(job, "coupon") == {RARE: "SUMMER"}
            # The table knows the field from then on, though the documents looked at never have it.
            assert len(result.warnings) == (0 if number else 1)
            assert number or "coupon (in 1 row)" in result.warnings[0]

    @asked_of(shows_a_sample)
    def test_a_rare_field_of_new_rows_is_added_and_loaded_with_them(self, few: Any, tmp_path: Path) -> None:
        few.put("sampled", *documents(20))
        job = Copying(few, "sampled", tmp_path, BY_TIME)
        job.run()
        few.put("sampled", *documents(coupon=7))
        second = job.run()
        assert (second.rows_loaded, second.reconciled, second.added_columns) == (20, True, ("coupon",))
        assert held(job, "coupon") == {RARE: 7}
        assert any("coupon (in 1 row)" in warning for warning in second.warnings)
        few.put("sampled", *documents(50, coupon=7))
        third = job.run()
        assert (third.rows_loaded, third.warnings, third.reconciled) == (10, (), True)
        assert held(job, "coupon") == {RARE: 7}

    @asked_of(shows_a_sample)
    def test_what_the_job_says_of_new_columns_holds_for_fields_met_while_reading(
        self, few: Any, tmp_path: Path
    ) -> None:
        few.put("sampled", *documents())
        ignoring = Copying(few, "sampled", tmp_path / "ignoring", CATALOG, drift="ignore")
        stopping = Copying(few, "sampled", tmp_path / "stopping", CATALOG, drift="stop")
        for job in (ignoring, stopping):
            assert job.run().warnings == ()
        few.put("sampled", *documents(coupon="SUMMER"))
        (told,) = ignoring.run().warnings
        assert "left out" in told and "coupon (in 1 row)" in told
        assert "coupon" not in ignoring.table.schema().names
        version = stopping.table.version()
        with pytest.raises(SchemaDrift) as caught:
            stopping.run()
        assert "coupon" in caught.value.message and stopping.table.version() == version

    @asked_of(shows_a_sample)
    def test_chosen_columns_are_read_though_the_sample_lacks_them(self, few: Any, tmp_path: Path) -> None:
        few.put("sampled", *documents(coupon="SUMMER", note="not wanted"))
        job = Copying(few, "sampled", tmp_path, CATALOG, columns=("id", "coupon"))
        for _ in range(2):
            result = job.run()
            assert (result.rows_loaded, result.warnings, result.reconciled) == (DOCUMENTS, (), True)
            assert held(job, "coupon") == {RARE: "SUMMER"}
            assert job.table.schema().names == ["id", "coupon"]

    @asked_of(shows_a_sample)
    def test_a_field_no_document_has_any_more_stays_empty(self, few: Any, tmp_path: Path) -> None:
        few.put("sampled", *documents(coupon="SUMMER"))
        job = Copying(few, "sampled", tmp_path, CATALOG)
        job.run()
        few.put("sampled", *documents(LOOKED_AT - 1))
        result = job.run()
        assert (result.rows_loaded, result.reconciled, held(job, "coupon")) == (LOOKED_AT - 1, True, {})
        assert result.warnings == ("No row has a value in coupon; it is empty now.",)
        assert "coupon" in job.table.schema().names

    @asked_of(shows_a_sample)
    def test_a_cursor_stays_of_its_kind_when_the_sample_shows_another(self, few: Any, tmp_path: Path) -> None:
        odd = seen_first(few)
        few.put("sampled", *documents())
        job = Copying(few, "sampled", tmp_path, BY_TIME, reject_threshold=0.5)
        first = job.run()
        few.put("sampled", *(line | ({"at": "soon"} if line["id"] in odd else {}) for line in documents(50)))
        second = job.run()
        # Lines without a time are read beside the window where they can be asked for, and kept among the rejected.
        assert second.rows_rejected == (len(odd) if self.declared().capabilities.asks_null else 0)
        assert second.cursor_before == first.cursor_after
        timed = sorted(set(range(50)) - odd)
        assert second.cursor_after is not None and second.cursor_after.startswith(f"2024-01-01 00:{timed[-1]}")
        assert set(held(job, "at")) == {*range(DOCUMENTS), *timed}

    @asked_of(shows_a_sample)
    def test_names_that_are_data_are_told_and_not_made_columns(
        self, few: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(unasked, "MOST_NAMES", 3)
        few.put("sampled", *documents(**{f"customer {number}": number for number in range(5)}))
        job = Copying(few, "sampled", tmp_path, CATALOG)
        result = job.run()
        assert result.reconciled and "More than 3 fields" in result.warnings[0]
        assert sorted(job.table.schema().names) == ["_id", "at", "id"]
        few.put("sampled", *documents(**{f"customer {number}": number for number in range(3)}))
        job.run()
        assert held(job, "customer 2") == {RARE: 2}

    @asked_of(shows_a_sample)
    def test_the_same_documents_are_looked_at_again(self, few: Any) -> None:
        few.put("sampled", *(document(number, **{f"only {number}": 1}) for number in range(DOCUMENTS)))
        with few.open() as source, few.open() as other:
            seen = [column.name for column in source.columns(few.schema, "sampled")]
            assert len(seen) == 3 + LOOKED_AT
            assert [column.name for column in other.columns(few.schema, "sampled")] == seen

    @asked_of(shows_a_sample)
    def test_batches_tell_the_fields_nobody_asked_for_only_when_asked_to(self, few: Any) -> None:
        few.put("sampled", *documents(coupon=7, nothing=None))
        with few.open() as source:
            proposed = SOURCE_TYPES[few.type].propose(source.columns(few.schema, "sampled"), {}, "UTC")
            request = ReadRequest(few.schema, "sampled", tuple(one for one in proposed if one.name != "at"))
            assert [dict(batch.unasked) for batch in source.read(request)] == [{}]
            (batch,) = source.read(ReadRequest(few.schema, "sampled", request.columns, unasked=True))
            assert fields_of(batch) == {"coupon": 1, "at": DOCUMENTS}
            assert table_of(source, request).num_rows == DOCUMENTS


def held(job: Copying, name: str) -> dict[int, Any]:
    """The values of a column by the ids of their rows, empty ones left out."""
    rows = job.table.read(columns=["id", name]).to_pylist()
    return {row["id"]: row[name] for row in rows if row[name] is not None}


def seen_first(arena: Any) -> set[int]:
    """The ids of the lines that are looked at, of 50."""
    arena.put("sampled", *(document(number, **{f"only {number}": 1}) for number in range(50)))
    with arena.open() as source:
        names = [column.name for column in source.columns(arena.schema, "sampled")]
    return {int(name.removeprefix("only ")) for name in names if name.startswith("only ")}


def fields_of(batch: Batch) -> dict[str, int]:
    """The fields a batch tells, with the number of rows that have each."""
    return {name: sum(kinds.values()) for name, kinds in batch.unasked.items()}
