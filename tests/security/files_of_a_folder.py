"""A folder that the guard allows, and sources of its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from b2b_recs.engine.errors import SourceRefused
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import ReadRequest, Source
from b2b_recs.engine.sources.registry import open_source
from b2b_recs.runtime.guard import OutgoingGuard

ID = (ColumnMapping("id", "text", WarehouseType.STRING),)


def laid_out(tmp_path: Path) -> Path:
    """An allowed folder beside one that holds a secret."""
    (tmp_path / "files" / "orders").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "keys.csv").write_text("id\ncanary\n")
    (tmp_path / "files" / "orders" / "good.csv").write_text("id\n1\n")
    return tmp_path / "files"


def opened(folder: Path, kind: str = "csv", location: str = ".", **more: Any) -> Source:
    return open_source(kind, {"location": location, **more}, OutgoingGuard(enabled=True, folders=[folder]))


def read(source: Source, table: str) -> list[Any]:
    return [row for batch in source.read(ReadRequest("", table, ID)) for row in batch.rows.to_pylist()]


def refused(folder: Path, table: str, kind: str = "csv") -> SourceRefused:
    """The refusal to read a table, which looking at its columns may meet already."""
    with opened(folder, kind) as source, pytest.raises(SourceRefused) as caught:
        source.columns("", table)
        source.count(ReadRequest("", table, ID))
        read(source, table)
    return caught.value
