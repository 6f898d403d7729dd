"""“207 = 207” says what was counted: the rows of a run's window, those of the files read, or the whole tables."""

from __future__ import annotations

from typing import Any

import pytest
from run_rows import make_shop
from web_support import TestDatabase

from b2b_recs.web.etl.counts import counts_scope, counts_told
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.runs.presenting import etl_facts
from b2b_recs.web.tenancy import scope

EQUAL = {"source_count": 207, "warehouse_count": 207}


@pytest.mark.parametrize(
    ("results", "short", "told"),
    [
        (
            {**EQUAL, "cursor_after": "2026-01-31", "table_rows": 541_909},
            "in this window, 541,909 in all",
            "rows of this run’s window in the source and in the warehouse; the table has 541,909 in all",
        ),
        (
            {**EQUAL, "files_loaded": 2, "table_rows": 900},
            "in the files read, 900 in all",
            "rows of the files read, and what they brought; the table has 900 in all",
        ),
        ({**EQUAL, "table_rows": 207}, "all rows", "rows of the source table and of the warehouse table"),
        (
            {**EQUAL, "cursor_before": "3"},
            "in this window",
            "rows of this run’s window in the source and in the warehouse",
        ),
        (
            {"source_count": 207, "warehouse_count": 200, "rows_rejected": 7},
            "",
            "rows of the source table and of the warehouse table",
        ),
        ({"source_count": 207}, "", ""),
        ({}, "", ""),
    ],
)
def test_what_was_counted_is_said(results: dict[str, Any], short: str, told: str) -> None:
    assert (counts_scope(results), counts_told(results)) == (short, told)


def test_the_page_of_a_run_says_it_beside_the_counts(platform_database: TestDatabase) -> None:
    shop = make_shop()
    with scope(shop.id):
        results = {**EQUAL, "reconciled": True, "cursor_after": "9", "table_rows": 1_000}
        run = ETLRun.objects.create(
            organization=shop.organization, data_source=shop.jobs[0], status="completed", results=results
        )
        fact = next(fact for fact in etl_facts(run) if fact.name == "Source and warehouse")
    assert (fact.value, fact.note) == (
        "207 = 207",
        "rows of this run’s window in the source and in the warehouse; the table has 1,000 in all",
    )


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ({"rows_rejected": 20}, "1,000 = 980 + 20 rejected"),
        ({"rows_repeated": 20}, "1,000 = 980 + 20 repeated"),
        ({}, "1,000 ≠ 980"),
    ],
)
def test_the_page_of_a_run_compares_as_its_reconciliation_did(
    platform_database: TestDatabase, gone: dict[str, int], words: str
) -> None:
    shop = make_shop()
    with scope(shop.id):
        results = {"source_count": 1_000, "warehouse_count": 980, "reconciled": bool(gone), **gone}
        run = ETLRun.objects.create(
            organization=shop.organization, data_source=shop.jobs[0], status="completed", results=results
        )
        fact = next(fact for fact in etl_facts(run) if fact.name == "Source and warehouse")
    assert fact.value == words
