"""What text is taken for where a source knows nothing else, and what is told about ways of writing that differ."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b_recs.engine.schema.detect import ENOUGH, Detection, detect
from b2b_recs.engine.schema.formats import FORMATS, formats_of
from b2b_recs.engine.schema.number_formats import NUMBER_FORMATS, is_number_otherwise
from b2b_recs.engine.schema.types import Confidence, WarehouseType

W = WarehouseType
DAYS = [date(2024, 1, 1) + timedelta(days=at) for at in range(1000)]


def found(samples: list[str | None], *, text_only: bool = True, formats: bool = True) -> Detection:
    detection = detect(samples, text_only=text_only, formats=formats)
    assert detection is not None
    return detection


def spread(*values: str, count: int = ENOUGH) -> list[str | None]:
    return [values[at % len(values)] for at in range(count)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (("12", "-5", "0"), W.INT64),
        (("9223372036854775807", "-9223372036854775808"), W.INT64),
        (("9223372036854775808",), W.NUMERIC),
        (("1.50", "2"), W.NUMERIC),
        (("1e-05", "0.25", "1.5E+10"), W.NUMERIC),
        (("true", "FALSE"), W.BOOL),
        (("yes", "no"), W.BOOL),
        (("t", "f"), W.BOOL),
        (("Y", "N"), W.BOOL),
        (("true",), W.BOOL),
        (('{"a": 1}', "[1, 2]"), W.JSON),
        (("2024-02-29",), W.DATE),
        (("2024-02-29 10:00:00", "2024-02-29T10:00:00.123456"), W.DATETIME),
        (("2024-02-29T10:00:00Z", "2024-02-29 10:00:00+0130"), W.TIMESTAMP),
    ],
    ids=str,
)
def test_text_without_types_becomes_what_every_value_is(values: tuple[str, ...], kind: WarehouseType) -> None:
    many = found([*spread(*values), None])
    assert (many.warehouse_type, many.proposed, many.confidence) == (kind, True, Confidence.MEDIUM)
    assert many.reason.startswith(f"All {ENOUGH} sampled values are ")
    few = found(spread(*values, count=5))
    assert (few.warehouse_type, few.proposed, few.confidence) == (kind, True, Confidence.LOW)
    assert "Few values" in few.warning
    in_a_database = found(spread(*values), text_only=False)
    assert (in_a_database.warehouse_type, in_a_database.proposed) == (kind, True)


@pytest.mark.parametrize("values", [("0", "1"), ("1",), ("0",)])
def test_zeros_and_ones_are_numbers_and_never_true_or_false(values: tuple[str, ...]) -> None:
    assert found(spread(*values)).warehouse_type is W.INT64


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("y",), "“y”"),
        (("no",), "“no”"),
        (("f",), "“f”"),
        (("yes", "f"), "several kinds"),
        (("true", "n"), "several kinds"),
    ],
)
def test_words_that_may_be_codes_stay_text(values: tuple[str, ...], words: str) -> None:
    detection = found(spread(*values))
    assert not detection.proposed
    assert words in detection.reason


@pytest.mark.parametrize("code", ["01,50", "00123", "007", "-01", "00", "01.50", "+07", "00000000000000000000000001"])
@pytest.mark.parametrize("text_only", [True, False])
def test_leading_zeros_keep_a_column_text_always(code: str, text_only: bool) -> None:
    for others in (["12"] * 999, ["1.5"] * 999, ["20240101"] * 999, [], ["x"] * 3):
        detection = found([*others, code], text_only=text_only)
        assert (detection.warehouse_type, detection.proposed) == (W.STRING, False)
        assert "zeros" in detection.reason


@pytest.mark.parametrize("name", [name for name in FORMATS if "%p" not in name])
def test_every_format_is_found_among_many_values(name: str) -> None:
    values: list[str | None] = [f"{day:{name}}" for day in DAYS]
    detection = found(values)
    if name == "%Y%m%d%H%M%S":
        # Fourteen digits are a whole number before they are anything else.
        assert detection.warehouse_type is W.INT64
        return
    kind = W.DATETIME if FORMATS[name].has_time else W.DATE
    assert (detection.warehouse_type, detection.format, detection.proposed) == (kind, name, True)
    assert f"dates written {FORMATS[name].shown}" in detection.reason
    refused = found(values, formats=False)
    assert not refused.proposed
    assert refused.format == ""


@pytest.mark.parametrize("text", ["1/2/2024 3:05 pm", "12/31/2024 12:00:59 AM"])
def test_clocks_of_twelve_hours_are_formats_too(text: str) -> None:
    assert all("%I" in name for name in formats_of(text))
    assert formats_of(text)


@pytest.mark.parametrize(
    "text", ["31/02/2024", "32/1/2024", "1/1/24", "2024/13/01", "1.1", "20240230", "1/2/2024 25:00", ""]
)
def test_dates_that_do_not_exist_fit_no_format(text: str) -> None:
    assert formats_of(text) == ()


def test_an_unclear_order_of_day_and_month_is_told_and_stays_text() -> None:
    detection = found(spread("01/02/2024", "11/12/2024"))
    assert (detection.warehouse_type, detection.proposed, detection.confidence) == (W.STRING, False, Confidence.LOW)
    assert "day and month cannot be told apart" in detection.reason
    assert detection.warning == "They fit DD/MM/YYYY and MM/DD/YYYY."
    assert found([*spread("01/02/2024"), "13/02/2024"]).format == "%d/%m/%Y"
    assert found([*spread("01/02/2024"), "02/13/2024"]).format == "%m/%d/%Y"


def test_formats_that_differ_are_told_with_how_many_of_each() -> None:
    values: list[str | None] = [*spread("31/12/2024", count=612), *spread("2024-12-31", count=388)]
    random.Random(7).shuffle(values)
    detection = found(values)
    assert not detection.proposed
    assert detection.confidence is Confidence.LOW
    assert detection.reason == (
        "612 of 1,000 sampled values are dates written DD/MM/YYYY, 388 written YYYY-MM-DD; kept as text."
    )
    both = found(spread("31/12/2024", "12/31/2024"))
    assert not both.proposed
    assert "100 of 200" in both.reason
    mostly = found([*values[:990], *spread("n/a", count=10)])
    assert "n/a" in mostly.warning
    with_time = found(spread("2024-12-31", "2024-12-31 10:00:00"))
    assert "with a time and no zone" in with_time.reason
    assert not with_time.proposed


@pytest.mark.parametrize(
    ("values", "kind", "form", "proof"),
    [
        (("12,5", "7,25", "3"), W.NUMERIC, "1234,56", "12,5"),
        (("1,234", "0,5"), W.NUMERIC, "1234,56", "0,5"),
        (("1,234", "0,123"), W.NUMERIC, "1234,56", "0,123"),
        (("1,234", "1,2345"), W.NUMERIC, "1234,56", "1,2345"),
        (("1.234,56", "12,5", "1.234"), W.NUMERIC, "1.234,56", "1.234,56"),
        (("1.234.567", "-5"), W.INT64, "1.234,56", "1.234.567"),
        (("9.223.372.036.854.775.808",), W.NUMERIC, "1.234,56", "9.223.372.036.854.775.808"),
        (("1,234,567", "1,234"), W.INT64, "1,234.56", "1,234,567"),
        (("1,234", "1,234.50"), W.NUMERIC, "1,234.56", "1,234.50"),
        (("1,234", "0.5"), W.NUMERIC, "1,234.56", "0.5"),
        (("1 234,5", "1\u00a0234\u202f567"), W.NUMERIC, "1 234,56", "1 234,5"),
        (("1 234.5", "12"), W.NUMERIC, "1 234.56", "1 234.5"),
        (("1'234.5", "1\u2019234"), W.NUMERIC, "1'234.56", "1'234.5"),
        (("1'234,5",), W.NUMERIC, "1'234,56", "1'234,5"),
        (("-,5", "+1,5e-3"), W.NUMERIC, "1234,56", "-,5"),
    ],
    ids=str,
)
def test_numbers_in_another_format_are_proposed_with_it_when_a_value_proves_it(
    values: tuple[str, ...], kind: WarehouseType, form: str, proof: str
) -> None:
    detection = found(spread(*values))
    assert (detection.warehouse_type, detection.format, detection.proposed) == (kind, form, True)
    assert detection.confidence is Confidence.MEDIUM
    assert detection.reason == f"All {ENOUGH} sampled values are numbers written {form}, such as “{proof}”."
    assert found(spread(*values, count=5)).confidence is Confidence.LOW
    in_a_database = found(spread(*values), text_only=False)
    assert (in_a_database.format, in_a_database.proposed) == (form, True)
    assert in_a_database.warning.startswith("Choose STRING if they are codes.")


@pytest.mark.parametrize(
    ("values", "reason", "warning"),
    [
        (("1,234", "5"), "before decimals or between thousands, such as “1,234”", "format 1234,56 or 1,234.56."),
        (("12,345", "-1,000"), "such as “12,345”", "1,234.56"),
        (("1 234", "5"), "groups of three, such as “1 234”; kept as text because codes look alike", "1 234,56"),
        (("1.234,56", "1,234.56"), "numbers, 100 of them written", "not written in one way"),
        (("1,5", "2.5"), "numbers, 100 of them written", "not written in one way"),
        ((*["1.234,56"] * 19, "n/a"), "190 of 200 sampled values are numbers, 190 of them written 1.234,56", "“n/a”"),
    ],
    ids=str,
)
def test_numbers_that_nothing_proves_or_that_disagree_are_told_and_stay_text(
    values: tuple[str, ...], reason: str, warning: str
) -> None:
    detection = found(spread(*values))
    assert (detection.warehouse_type, detection.proposed, detection.format) == (W.STRING, False, "")
    assert detection.confidence is Confidence.LOW
    assert reason in detection.reason and warning in detection.warning


@pytest.mark.parametrize("values", [("1.500", "2.250", "12.000"), ("1.234", "999"), ("-1.000",)], ids=str)
def test_numbers_whose_points_may_all_stand_between_thousands_stay_text_and_are_told(values: tuple[str, ...]) -> None:
    for text_only in (True, False):
        detection = found(spread(*values), text_only=text_only)
        assert (detection.warehouse_type, detection.proposed) == (W.STRING, False)
        assert f"before decimals or between thousands, such as “{values[0]}”" in detection.reason
        assert "the format 1.234,56" in detection.warning


@pytest.mark.parametrize("other", ["1.5", "0.123", "12.50", "12345", "12345.678"])
def test_one_number_whose_point_stands_before_decimals_speaks_for_all(other: str) -> None:
    detection = found(spread("1.125", "999", other))
    assert (detection.warehouse_type, detection.proposed) == (W.NUMERIC, True)
    assert detection.confidence is Confidence.MEDIUM


@pytest.mark.parametrize(
    "text", ["1,23,456", "12.34,5", "1.2345,6", "1234.567,8", "0.123,4", "1,,2", ",", "1 23,4", "1,2,3"]
)
def test_what_breaks_the_groups_of_three_is_no_number(text: str) -> None:
    assert not is_number_otherwise(text)
    assert detect(spread(text), text_only=True) is None


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=2))
def test_a_number_in_every_format_is_the_number(value: Decimal) -> None:
    written = f"{value:,.2f}"
    for form in NUMBER_FORMATS.values():
        for sign in form.thousands or ("",):
            text = written.translate({ord(","): sign or None, ord("."): form.decimal})
            assert form.fits(text)
            assert Decimal(form.plain(text)) == value


def test_eight_digits_are_dates_only_when_many_agree() -> None:
    values: list[str | None] = [f"{day:%Y%m%d}" for day in DAYS]
    assert (found(values).warehouse_type, found(values).format) == (W.DATE, "%Y%m%d")
    assert found(values[:20]).warehouse_type is W.INT64
    assert found([*values, "20241399"]).warehouse_type is W.INT64
    assert found(spread("12345678")).warehouse_type is W.INT64
    assert found(values, formats=False).proposed is False
    assert found(values, text_only=False).format == "%Y%m%d"


@pytest.mark.parametrize(
    ("others", "words"),
    [(["n/a"], "such as “n/a”"), ([""], "empty text"), (["x" * 100], "x" * 40)],
)
def test_values_that_disagree_keep_the_column_text_and_are_shown(others: list[str], words: str) -> None:
    for values in (spread("1", "2"), spread("1.5"), spread("2024-01-01"), spread("true", "false"), spread("{}")):
        detection = found([*values, *others])
        assert not detection.proposed
        assert detection.confidence is Confidence.LOW
        assert detection.share < 1
        assert words in detection.warning


@pytest.mark.parametrize(
    "value", ["abc", "12 apples", "-", "1-2-3", "{broken", "[1", "١٢", "1_000", "0x10", "NaN", "-0"]
)
def test_plain_text_is_nothing_else(value: str) -> None:
    assert detect(spread(value), text_only=True) is None


@given(st.lists(st.none() | st.text(max_size=20) | st.from_regex(r"[0-9./: -]{1,20}", fullmatch=True), max_size=30))
def test_whatever_text_comes_a_verdict_is_reached(samples: list[str | None]) -> None:
    for text_only in (True, False):
        detection = detect(samples, text_only=text_only)
        if detection is not None and detection.proposed:
            assert not any(
                value is not None and len(value) > 1 and value.startswith("0") and value.isdigit() for value in samples
            )
            assert None not in {detection.warehouse_type, detection.reason}
