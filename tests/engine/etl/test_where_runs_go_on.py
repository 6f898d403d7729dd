"""The cursor a run leaves behind: no row that comes later lies before it, and none is loaded a second time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import NOW, Job, Memory, Table
from engine.etl.test_cursors_beyond_use import KEYED, UNKEYED, Shop

from b2b_recs.engine import faults
from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.spec import Transactional

EXACT: dict[str, Any] = {**KEYED, "load": {**KEYED["load"], "lag": "PT0S"}}


@pytest.mark.parametrize("limit", [None, 2])
def test_a_row_of_the_future_hides_no_older_row_that_comes_later(tmp_path: Path, limit: int | None) -> None:
    shop = Shop(tmp_path, "datetime", **KEYED, row_limit=limit)
    shop.add((1, "2026-01-01 10:00:00"), (2, "2099-01-01 10:00:00"))
    first = shop.run()
    assert first.cursor_after == "2026-01-01 10:00:00"
    assert first.warnings == (
        () if limit else ("Some rows lie in the future, up to 2099-01-01 10:00:00; they were loaded.",)
    )
    shop.add((3, "2026-01-03 10:00:00"))
    assert shop.run().cursor_after == "2026-01-03 10:00:00"
    assert shop.job.ids() == [1, 2, 3]


def test_a_table_with_rows_of_the_future_alone_is_read_whole_the_next_time(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "date", **UNKEYED)
    shop.add((1, "2099-01-01"))
    assert shop.run().cursor_after is None
    shop.add((2, "2026-01-03"))
    assert (shop.run().rows_known, shop.job.ids()) == (1, [1, 2])


def test_a_day_without_its_zeros_hides_no_later_one(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "date", **KEYED)
    shop.add((1, "2026-01-05"), (2, "2026-1-6"))
    assert shop.run().cursor_after == "2026-01-05"
    shop.add((3, "2026-01-08"), (4, "2026-01-7"))
    assert (shop.run().rows_loaded, shop.job.table.rejected.row_count()) == (1, 2)


def test_infinity_alone_is_loaded_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "real", **KEYED)
    shop.add((1, float("inf")), (2, None))
    assert shop.run().reconciled
    assert shop.job.ids() == [1, 2]


def test_infinity_beside_a_row_limit_is_told(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "real", **KEYED, row_limit=5)
    shop.add((1, 0.5), (2, float("inf")))
    assert shop.run().warnings == (
        "1 row has a at that no window holds, such as infinity; with a row limit they are not looked for.",
    )
    assert shop.job.ids() == [1]


@pytest.mark.parametrize(
    ("last", "same"),
    [
        ("2026-02-01 10:00:00.500", "2026-02-01 10:00:00.5"),
        ("2026-02-01T10:00:00.5", "2026-02-01T10:00:00.500000"),
        ("2026-02-01 00:00:00", "2026-02-01"),
    ],
)
def test_an_equal_time_with_more_or_fewer_digits_is_not_passed_over(tmp_path: Path, last: str, same: str) -> None:
    shop = Shop(tmp_path, "datetime", **EXACT)
    shop.add((1, "2026-01-01" + last[10:]), (2, last))
    shop.run()
    shop.add((3, last), (4, same))
    assert (shop.run().rows_loaded, shop.job.ids()) == (2, [1, 2, 3, 4])


def test_a_time_kept_as_text_is_told_to_have_no_lag_as_a_cursor(tmp_path: Path) -> None:
    types = [{"name": "at", "source_type": "datetime", "warehouse_type": "STRING"}]
    shop = Shop(tmp_path, "datetime", **KEYED, types=types)
    shop.add((1, "2026-02-01 10:00:00"))
    assert "at is kept as text, so as a cursor it has no lag" in shop.run().warnings[0]


def test_the_cursor_of_one_table_hides_no_row_of_another(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "datetime", **KEYED)
    shop.add((1, "2026-02-01 10:00:00"))
    shop.run()
    shop.connection.execute("CREATE TABLE older (id INTEGER PRIMARY KEY, at datetime)")
    shop.connection.execute("INSERT INTO older VALUES (2, '2025-02-01 10:00:00')")
    shop.job.spec = shop.job.spec.model_copy(update={"source_table": "older"})
    first = shop.run()
    assert (shop.job.ids(), first.cursor_after) == ([1, 2], "2025-02-01 10:00:00")
    assert "The rows before came from main.orders" in first.warnings[0]
    assert shop.run().warnings == ()
    shop.job.spec = shop.job.spec.through("7")
    assert shop.run().warnings == ()  # not known before, so the same
    shop.connection.execute("INSERT INTO older VALUES (3, '2025-02-02 10:00:00')")
    assert shop.run().rows_read == 2
    shop.connection.execute("INSERT INTO older VALUES (4, '2024-02-01 10:00:00')")
    shop.job.spec = shop.job.spec.through("8")
    assert "The rows before came from another connection" in shop.run().warnings[0]
    assert shop.job.ids() == [1, 2, 3, 4]


def test_a_table_loaded_whole_before_is_read_by_its_cursor_from_the_second_run_on(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "datetime", load={"keep_days": 7})
    shop.add((1, "2026-02-01 10:00:00"), (2, "2026-02-05 10:00:00"))
    shop.run()
    shop.job.spec = shop.job.spec.model_copy(update={"load": Transactional(cursor="at", key=("id",))})
    assert (shop.run().rows_read, shop.run().rows_read) == (2, 1)


@pytest.mark.parametrize(
    ("kind", "form", "told"),
    [("INT64", "", "holds numbers"), ("DATE", "%d/%m/%Y", "dates that do not begin with the year")],
)
def test_text_in_another_order_than_its_values_is_no_cursor(tmp_path: Path, kind: str, form: str, told: str) -> None:
    types = [{"name": "at", "source_type": "TEXT", "warehouse_type": kind, "format": form}]
    with pytest.raises(BadInput, match=told):
        Shop(tmp_path, "text", **KEYED, types=types).run()


def test_a_limit_of_rows_reaches_beyond_rows_that_share_their_key(tmp_path: Path) -> None:
    columns = {"name": "text!", "at": "timestamptz!", "number": "bigint"}
    rows = [{"name": "a", "at": NOW - timedelta(minutes=30 - at), "number": at} for at in range(12)]
    load = {"strategy": "merge", "cursor": "at", "key": ["name"]}
    job = Job(tmp_path, Table(columns, [*rows, {"name": "b", "at": NOW, "number": 99}]), load=load, row_limit=2)
    for _ in range(8):
        job.run()
    assert {(row["name"], row["number"]) for row in job.rows()} == {("a", 11), ("b", 99)}


def test_a_row_that_moves_while_a_source_without_snapshots_is_read_is_loaded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Memory, "capabilities", replace(Memory.capabilities, snapshot=False))
    rows = [{"id": 1, "at": NOW - timedelta(hours=2)}, {"id": 2, "at": NOW}, {"id": 1, "at": NOW}]
    table = Table({"id": "bigint!", "at": "timestamptz!"}, rows, primary=("id",))
    job = Job(tmp_path, table, load={"strategy": "merge", "cursor": "at", "key": ["id"]})
    job.run()
    assert [(row["id"], row["at"]) for row in job.rows()] == [(1, NOW), (2, NOW)]


def widened(folder: Path, **values: Any) -> Job:
    """A job without a key whose table got a column after its first two rows were loaded; equal but for their number."""
    rows: list[dict[str, Any]] = [{"at": NOW, "name": "a"}, {"at": NOW, "name": "a"}, {"at": NOW, "name": "b"}]
    job = Job(folder, Table({"at": "timestamptz", "name": "text"}, rows), load={"cursor": "at"})
    job.run()
    job.source.table.columns["paid"] = "bigint"
    for row in rows:
        row["paid"] = 7
    rows[2]["paid"] = None
    return job


def names(job: Job) -> list[tuple[str, int | None]]:
    return sorted((row["name"], row["paid"]) for row in job.rows())


def test_rows_read_again_with_a_new_column_are_not_doubled(tmp_path: Path) -> None:
    job = widened(tmp_path)
    result = job.run()
    assert (result.rows_known, result.rows_replaced, result.reconciled) == (1, 2, True)
    job.source.table.rows.append({"at": NOW, "name": "a", "paid": 8})
    assert (job.run().rows_loaded, names(job)) == (1, [("a", 7), ("a", 7), ("a", 8), ("b", None)])


def test_they_are_not_doubled_after_a_run_that_only_widened_the_table(tmp_path: Path) -> None:
    job = widened(tmp_path)

    def lost(name: str) -> None:
        if name == "copy.columns_added":
            raise RuntimeError("lost")

    faults.install(lost)
    try:
        with pytest.raises(RuntimeError):
            job.run()
    finally:
        faults.install(None)
    job.source.table.columns["late"] = "text"
    for row in job.source.table.rows:
        row["late"] = "x"
    assert (job.run().rows_replaced, names(job)) == (3, [("a", 7), ("a", 7), ("b", None)])
