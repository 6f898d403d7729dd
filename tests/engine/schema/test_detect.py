"""What text columns are taken for."""

from __future__ import annotations

import pytest

from b2b_recs.engine.schema.detect import ENOUGH, detect
from b2b_recs.engine.schema.types import Confidence, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.registry import SOURCE_TYPES

W = WarehouseType


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2024-02-29", W.DATE),
        ("2024-02-29 10:00:00", W.DATETIME),
        ("2024-02-29T10:00:00.5", W.DATETIME),
        ("2024-02-29T10:00:00Z", W.TIMESTAMP),
        ("2024-02-29 10:00:00+01", W.TIMESTAMP),
    ],
)
def test_dates_and_times_are_proposed_when_enough_values_agree(value: str, kind: WarehouseType) -> None:
    found = detect([value] * ENOUGH + [None])
    assert found is not None
    assert (found.warehouse_type, found.proposed, found.confidence) == (kind, True, Confidence.MEDIUM)
    few = detect([value] * 5)
    assert few is not None
    assert not few.proposed


@pytest.mark.parametrize(("value", "kind"), [("12", W.INT64), ("-1.50", W.NUMERIC), ("yes", W.BOOL)])
def test_numbers_and_words_stay_text_with_a_hint(value: str, kind: WarehouseType) -> None:
    found = detect([value] * 1000)
    assert found is not None
    assert (found.warehouse_type, found.proposed) == (kind, False)
    assert "kept as text" in found.reason


@pytest.mark.parametrize("zeros", ["007", "-01", "00"])
def test_leading_zeros_are_never_lost(zeros: str) -> None:
    found = detect(["12"] * 999 + [zeros])
    assert found is not None
    assert found.warehouse_type is W.STRING
    assert "zeros" in found.reason


def test_values_that_disagree_are_shown() -> None:
    found = detect(["2024-01-01"] * 990 + ["n/a"] * 10)
    assert found is not None
    assert not found.proposed
    assert found.confidence is Confidence.LOW
    assert "99.0%" in found.reason
    assert "n/a" in found.warning


@pytest.mark.parametrize("values", [[], [None], [""], ["a", "b"], ["2024-02-30"] * 300, ["1"] * 5 + ["x"] * 5])
def test_plain_text_is_nothing_else(values: list[str | None]) -> None:
    assert detect(values) is None


def test_an_empty_text_disagrees_with_dates() -> None:
    found = detect(["2024-01-01"] * 500 + [""])
    assert found is not None
    assert not found.proposed


@pytest.mark.parametrize(
    ("samples", "kind", "digits"),
    [
        (["1.5", None], W.NUMERIC, (38, 9)),
        ([], W.NUMERIC, (38, 9)),
        (["1.0000000000000"], W.NUMERIC, (38, 9)),
        (["0.0000000001"], W.BIGNUMERIC, None),
        (["9" * 30], W.BIGNUMERIC, None),
        (["9" * 40], W.STRING, None),
        (["NaN"], W.NUMERIC, (38, 9)),
    ],
    ids=str,
)
def test_decimals_without_digits_follow_their_values(
    samples: list[str | None], kind: WarehouseType, digits: tuple[int, int] | None
) -> None:
    column = ColumnInfo("c", "numeric", True)
    mapping = SOURCE_TYPES["postgresql"].propose([column], {"c": samples}, "UTC")[0]
    assert mapping.warehouse_type is kind
    assert (mapping.precision, mapping.scale) == (digits or (None, None))
    assert mapping.confidence is not Confidence.HIGH


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        ("integer", W.INT64),
        ("character varying(20)", W.STRING),
        ("timestamp(3) with time zone", W.TIMESTAMP),
        ("double precision", W.FLOAT64),
        ("integer[]", W.JSON),
        ("somebody.thing", W.STRING),
    ],
)
def test_types_described_by_hand_are_understood(shown: str, kind: WarehouseType) -> None:
    assert SOURCE_TYPES["postgresql"].propose([ColumnInfo("c", shown, True)], {}, "UTC")[0].warehouse_type is kind
