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
    source, here = results["source_count"], results["warehouse_count"]
    if _left_out(results):
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
    """The same in a few words, for a card; nothing where the counts themselves say “980 of 1,000”."""
    if not _counted(results):
        return ""
    part = "in this window" if _windowed(results) else "in the files read" if results.get("files_loaded") else ""
    total = results.get("table_rows")
    if not part:
        return "" if _left_out(results) else "all rows"
    return f"{part}, {total:,} in all" if total is not None else part


def _counted(results: Mapping[str, Any]) -> bool:
    return results.get("source_count") is not None and results.get("warehouse_count") is not None


def _left_out(results: Mapping[str, Any]) -> bool:
    """Whether the warehouse has all rows but those that were left out for a reason."""
    left_out = int(results.get("rows_rejected") or 0) + int(results.get("rows_repeated") or 0)
    return left_out > 0 and results["source_count"] == results["warehouse_count"] + left_out


def _windowed(results: Mapping[str, Any]) -> bool:
    """Whether a cursor said which rows are new."""
    return results.get("cursor_after") is not None or results.get("cursor_before") is not None


def _beside(results: Mapping[str, Any]) -> str:
    total = results.get("table_rows")
    return f"; the table has {total:,} in all" if total is not None else ""
