"""Zero dates of MySQL and MariaDB are told with the proposal, not by a run that fails of them."""

from __future__ import annotations

import pytest

from b2b_recs.engine.schema.types import ColumnMapping, Confidence, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.registry import SOURCE_TYPES


def proposed(kind: str, samples: list[str | None]) -> ColumnMapping:
    column = ColumnInfo("ordered", kind, nullable=True, base_type=kind)
    return SOURCE_TYPES["mariadb"].propose([column], {"ordered": samples}, "UTC")[0]


@pytest.mark.parametrize(
    ("kind", "good", "odd", "warehouse"),
    [
        ("date", "2024-01-31", "0000-00-00", WarehouseType.DATE),
        ("datetime", "2024-01-31 10:00:00", "2024-00-00 00:00:00", WarehouseType.DATETIME),
        ("timestamp", "2024-01-31 10:00:00", "0000-00-00 00:00:00", WarehouseType.TIMESTAMP),
    ],
)
def test_zero_dates_lower_the_confidence_and_are_counted_with_advice(
    kind: str, good: str, odd: str, warehouse: WarehouseType
) -> None:
    found = proposed(kind, [good, odd, None, odd])
    assert (found.warehouse_type, found.confidence) == (warehouse, Confidence.LOW)
    assert f"2 of 3 sampled values are no dates of the calendar, such as {odd};" in found.warning
    assert "Choose STRING" in found.warning and "a run fails" in found.warning
    few = proposed(kind, [good] * 99 + [odd])
    assert few.confidence is Confidence.MEDIUM and "1 of 100 sampled values is no date" in few.warning
    assert "a run fails" not in few.warning


def test_dates_that_exist_are_certain() -> None:
    found = proposed("date", ["2024-02-29", None])
    assert found.confidence is Confidence.HIGH and not found.warning
