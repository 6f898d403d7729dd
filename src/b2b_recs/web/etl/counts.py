"""What the two counts of a run are counts of: “207 = 207” says nothing before it is known which rows were counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from b2b_recs.engine.etl.reconcile import in_words
from b2b_recs.engine.etl.spec import CopyResult


def counts_in_words(results: Mapping[str, Any]) -> str:
    """The comparison of the counts a run has noted: “1,000 = 980 + 20 rejected”; nothing before both are known."""
    return in_words(noted(results)) if _counted(results) else ""


def counts_on_card(results: Mapping[str, Any]) -> str:
    """The same as short as it can be: “980 of 1,000” where rows were left out for a reason, “1,000 ≠ 980” without."""
    if not _counted(results):
        return ""
    result = noted(results)
    left_out = result.rows_rejected + result.rows_repeated
    source, here = result.source_count or 0, result.warehouse_count or 0
    if left_out and source == here + left_out:
        return f"{here:,} of {source:,}"
    return f"{source:,} {'=' if source == here else '≠'} {here:,}"


def noted(results: Mapping[str, Any]) -> CopyResult:
    """What a run has noted of its copy, as the engine knows it."""
    known = {name: results[name] for name in CopyResult.model_fields if name in results}
    return CopyResult.model_validate({"rows_read": 0, "rows_loaded": 0, "rows_rejected": 0, **known})


def counts_told(results: Mapping[str, Any]) -> str:
    """What was counted on both sides, and how large the table is; nothing before both counts are known."""
    if not _counted(results):
        return ""
    if _windowed(results):
        return f"rows of this run’s window in the source and in the warehouse{_beside(results)}"
    if results.get("files_loaded"):
        return f"rows of the files read, and what they brought{_beside(results)}"
    return "rows of the source table and of the warehouse table"


def counts_scope(results: Mapping[str, Any]) -> str:
    """The same in a few words, for a card."""
    if not _counted(results):
        return ""
    part = "in this window" if _windowed(results) else "in the files read" if results.get("files_loaded") else ""
    total = results.get("table_rows")
    if not part:
        return "all rows"
    return f"{part}, {total:,} in all" if total is not None else part


def _counted(results: Mapping[str, Any]) -> bool:
    return results.get("source_count") is not None and results.get("warehouse_count") is not None


def _windowed(results: Mapping[str, Any]) -> bool:
    """Whether a cursor said which rows are new."""
    return results.get("cursor_after") is not None or results.get("cursor_before") is not None


def _beside(results: Mapping[str, Any]) -> str:
    total = results.get("table_rows")
    return f"; the table has {total:,} in all" if total is not None else ""
