"""A job is given another warehouse table: who reads the one before is told. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from b2b_recs.engine.datasets.spec import RAW
from b2b_recs.web.datasets.readers import filled_tables, readers_of


def left_behind(model_id: int, before: Mapping[str, Any], after: str) -> str:
    """What no longer gets new rows now that a job fills ``after``; empty where nothing read its table of before."""
    dataset, name = str(before.get("destination_dataset") or RAW), str(before.get("destination_table") or "")
    if not name or name == after or f"{dataset}.{name}" in filled_tables(model_id):
        return ""
    readers = readers_of(model_id, dataset, name)
    if not readers:
        return ""
    who = " and ".join(f"“{reader}”" for reader in readers)
    one = len(readers) == 1
    return (
        f"The dataset{'' if one else 's'} {who} read{'s' if one else ''} {name}; nothing will fill it any more. "
        f"Run the job, then choose {after} as the table on the page of the dataset; or give the job {name} again."
    )
