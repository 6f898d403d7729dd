"""The page about types and the tables it is written from."""

from __future__ import annotations

import pytest

from b2b_recs.engine.schema.types import Confidence, WarehouseType
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.sources.types_page import page


@pytest.mark.parametrize("name", SOURCE_TYPES)
def test_every_source_says_what_its_types_become(name: str) -> None:
    rows = SOURCE_TYPES[name].type_rows()
    # Where files lie is no matter of types: those of the file's format hold.
    assert rows or SOURCE_TYPES[name].capabilities.files, f"{name}: set rules on its SourceType"
    assert len({row.source_type for row in rows}) == len(rows)
    for row in rows:
        assert isinstance(row.warehouse, WarehouseType)
        assert isinstance(row.confidence, Confidence)
        assert row.why.endswith(".")
        assert not row.rejected.endswith(".")
        assert "|" not in "".join((row.source_type, row.why, row.rejected))


def test_the_page_has_every_source_and_every_line() -> None:
    text = page()
    for declared in SOURCE_TYPES.values():
        assert declared.name in text
        for row in declared.type_rows():
            assert f"| {row.source_type} | {row.warehouse} | {row.confidence} | {row.why} |" in text
