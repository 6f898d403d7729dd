"""A copy tells in its log what it read, what the warehouse got, and whether the counts agree."""

from __future__ import annotations

from b2b_recs.engine.etl.bounds import Bounds
from b2b_recs.engine.etl.spec import Catalog, CopyResult, CopySpec, Transactional
from b2b_recs.engine.etl.words import load_words, read_words, reading_words


def spec(load: Catalog | Transactional) -> CopySpec:
    return CopySpec(source_schema="public", source_table="lines", destination_table="bq_lines", load=load)


def test_the_window_is_told_with_its_bounds() -> None:
    by_time = spec(Transactional(cursor="at"))
    assert reading_words(spec(Catalog()), None) == "Reading all of public.lines."
    assert reading_words(by_time, Bounds(None, "9", None, True)) == "Reading public.lines by at, up to 9."
    assert reading_words(by_time, Bounds("5", "9", "6", False)) == "Reading public.lines by at, from 5 up to 9."
    assert "no row with a at yet" in reading_words(by_time, Bounds(None, None, None, True))


def test_rejected_and_known_rows_are_told() -> None:
    assert read_words(1200, 3, 2_500_000) == "1,200 rows read, 3 of them rejected, 2.5 MB"
    result = CopyResult(rows_read=9, rows_loaded=5, rows_rejected=0, rows_known=4, table_version=7)
    assert load_words(result, "bq_lines") == "5 rows loaded into bq_lines, version 7; 4 were there already"
    one = {"rows_loaded": 1, "rows_known": 1, "rows_replaced": 1, "rows_deleted": 1, "rows_appeared": 1}
    assert load_words(result.model_copy(update=one), "bq_lines") == (
        "1 row loaded into bq_lines, version 7; 1 was there already; 1 replaced an older one; "
        "1 removed because it left the source; 1 new key, 0 gone since the version before"
    )
    assert read_words(1, 0, 0) == "1 row read, 0.0 MB"
    unchanged = result.model_copy(update={"changed": False})
    assert load_words(unchanged, "bq_lines") == "Nothing new: bq_lines stays at version 7"
