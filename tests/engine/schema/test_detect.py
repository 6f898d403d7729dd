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


@pytest.mark.parametrize(
    ("values", "kind"),
    [(["12"], W.INT64), (["-1.50"], W.NUMERIC), (["yes", "no"], W.BOOL), (["true"], W.BOOL), (['{"a": 1}'], W.JSON)],
)
def test_numbers_words_and_json_are_proposed_when_enough_values_agree(values: list[str], kind: WarehouseType) -> None:
    found = detect(values * ENOUGH)
    assert found is not None
    assert (found.warehouse_type, found.proposed, found.confidence) == (kind, True, Confidence.MEDIUM)
    assert "sampled values are" in found.reason and "rejected rows" in found.warning
    assert ("Choose STRING if they are codes." in found.warning) is (kind in (W.INT64, W.NUMERIC))
    few = detect(values * 5)
    assert few is not None
    assert (few.warehouse_type, few.proposed) == (kind, False)
    assert "too few to change the type, kept as text" in few.reason


@pytest.mark.parametrize(("value", "kind"), [("12", W.INT64), ("1.5", W.NUMERIC), ("1.234,56", W.NUMERIC)])
def test_numbers_in_a_column_of_codes_stay_text(value: str, kind: WarehouseType) -> None:
    found = detect([value] * 1000, codes="columns named so hold codes")
    assert found is not None
    assert (found.warehouse_type, found.proposed) == (kind, False)
    assert found.reason.endswith("kept as text because columns named so hold codes.")
    words = detect(["yes", "no"] * 500, codes="columns named so hold codes")
    assert words is not None and words.proposed


def test_json_stays_text_where_the_server_cannot_tell_it() -> None:
    found = detect(["{}"] * 1000, json=False)
    assert found is not None
    assert not found.proposed and "kept as text" in found.reason


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
    assert "99 %" in found.reason
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
