"""What rules would leave out, told before they are saved: the same rows a build leaves out, counted by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from b2b_recs.engine.datasets import leaving_out
from b2b_recs.engine.datasets.build import build_dataset
from b2b_recs.engine.datasets.conditions import in_words, plain_text
from b2b_recs.engine.datasets.kept_answers import Kept
from b2b_recs.engine.datasets.leaving_out import MOST_VALUES, Look, look_at
from b2b_recs.engine.datasets.spec import Condition, DatasetSpec
from b2b_recs.engine.datasets.unlike_products import Sold, form_of, unlike_reasons
from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.warehouse.local import LocalWarehouse

START = datetime(2026, 1, 1, tzinfo=UTC)
# customer, product, note, quantity, revenue
ROWS: list[tuple[str | None, str, str | None, int, float]] = [
    ("c1", "85123A", "heart", 2, 10.0),
    ("c1", "22423", "cake stand", 1, 20.0),
    ("c2", "POST", "POSTAGE", 1, 50.0),
    ("c2", "22423", None, 1, 20.0),
    (None, "POST", "POSTAGE", 1, 900.0),
]
SPEC = DatasetSpec.model_validate(
    {
        "base": "bq_lines",
        "roles": {
            "customer": "who",
            "product": "what",
            "time": "at",
            "revenue": "total",
            "quantity": "pieces",
            "product_name": "note",
        },
    }
)


@pytest.fixture
def warehouse(tmp_path: Path) -> LocalWarehouse:
    names = ("who", "what", "note", "pieces", "total")
    columns: dict[str, Any] = {name: [row[at] for row in ROWS] for at, name in enumerate(names)}
    columns["at"] = [START + timedelta(days=10 * at) for at in range(len(ROWS))]
    made = LocalWarehouse(tmp_path)
    made.table("raw_data", "bq_lines").append(pa.table(columns), app="test:lines")
    return made


def rule(column: str, op: str, value: Any = None) -> Condition:
    return Condition.model_validate({"column": column, "op": op, "value": value})


@pytest.fixture
def ask(warehouse: LocalWarehouse) -> Callable[..., Look]:
    def asked(*rules: Condition, columns: tuple[str, ...] = (), spec: DatasetSpec = SPEC) -> Look:
        return look_at(spec, rules, columns, warehouse)

    return asked


def test_rows_and_revenue_are_told_of_each_rule_and_of_what_stays(ask: Callable[..., Look]) -> None:
    look = ask(rule("what", "not in", ["POST"]), rule("total", ">=", 15))
    assert look.rows == 4  # the row without a customer was never there
    post, cheap = look.by_rule
    assert (post.rows, post.of_rows, post.of_worth) == (1, 0.25, 0.5)
    assert (cheap.rows, cheap.of_worth) == (1, 0.1)
    assert look.staying.gone == (("unknown", 1), ("where", 2))
    assert (look.staying.all_rows, look.staying.rows, look.staying.of_worth) == (5, 2, 0.04)


def test_a_row_that_two_rules_leave_out_counts_once(ask: Callable[..., Look]) -> None:
    look = ask(rule("what", "not in", ["POST"]), rule("note", "not matches", "POST"))
    # what is unknown satisfies no condition, so the row without a note goes as well, and is told apart
    assert [(one.rows, one.unknown) for one in look.by_rule] == [(1, 0), (2, 1)]
    assert look.staying.gone[1] == ("where", 2)


@pytest.mark.parametrize(
    "rules",
    [
        [rule("what", "not in", ["POST"])],
        [rule("note", "not matches", "cake\\ stand")],
        [rule("note", "known")],
        [rule("total", "<", 50), rule("what", "not starts", "85")],
    ],
)
def test_what_is_told_is_what_a_build_leaves_out(
    warehouse: LocalWarehouse, ask: Callable[..., Look], rules: list[Condition]
) -> None:
    look = ask(*rules)
    filters = {"where": [one.model_dump() for one in rules]}
    built = build_dataset(SPEC.model_validate({**SPEC.model_dump(), "filters": filters}), warehouse)
    assert built.rows == look.staying.rows


def test_every_filter_is_counted_in_its_order(warehouse: LocalWarehouse, ask: Callable[..., Look]) -> None:
    filters = {"history_days": 25, "min_orders_per_customer": 2, "top_revenue_share": 0.8}
    spec = SPEC.model_validate({**SPEC.model_dump(), "filters": filters})
    look = ask(rule("note", "!=", "heart"), spec=spec)
    # the two rows that the rule leaves are young enough, and each is its customer's only order
    assert look.staying.gone == (("unknown", 1), ("where", 2), ("history", 0), ("orders", 2), ("top", 0))
    narrow = ask(spec=SPEC.model_validate({**SPEC.model_dump(), "filters": {"top_revenue_share": 0.5}}))
    assert narrow.staying.gone == (("unknown", 1), ("top", 3))
    assert (narrow.staying.rows, narrow.staying.of_worth) == (1, 0.05)


def test_rows_that_the_history_leaves_out_are_not_counted(ask: Callable[..., Look]) -> None:
    recent = SPEC.model_copy(update={"filters": SPEC.filters.model_copy(update={"history_days": 15})})
    assert ask(spec=recent).rows == 2


def test_frequent_values_and_products_come_with_their_rows(ask: Callable[..., Look]) -> None:
    look = ask(columns=("note", "pieces"))
    assert look.frequent["pieces"] == (("1", 3), ("2", 1))
    assert {value for value, _ in look.frequent["note"]} == {"heart", "cake stand", "POSTAGE"}
    assert len(look.frequent["note"]) <= MOST_VALUES
    best = look.products[0]
    assert (best.code, best.name, best.rows, best.worth) == ("22423", "cake stand", 2, 40.0)
    assert (best.low, best.high, best.priced) == (20.0, 20.0, 2)
    assert look.reasons == {}  # three products are too few to say what is usual


def test_a_rule_on_a_column_that_is_not_there_is_refused(ask: Callable[..., Look]) -> None:
    with pytest.raises(BadInput, match="colour"):
        ask(rule("colour", "not in", ["red"]))


def usual(count: int = 100) -> list[Sold]:
    """Products as a giftware shop codes them: five digits, some with a letter, each at nearly one price."""
    return [Sold(f"{20_000 + at}{'A' if at % 3 == 0 else ''}", "", 50, 100.0, 2.0, 2.5, 50) for at in range(count)]


def test_codes_written_unlike_the_others_are_told_with_what_is_usual() -> None:
    odd = [Sold("POST", "", 900, 1.0), Sold("BANK CHARGES", "", 30, 1.0), Sold("M", "", 300, 1.0)]
    found = unlike_reasons([*usual(), *odd])
    assert set(found) == {"POST", "BANK CHARGES", "M"}
    assert found["POST"] == ("Its code is written unlike the others: 97 % look like 20001 or 20000A.",)
    assert found["M"][1] == "Its code is very short: nearly all others have 5 signs or more."


def test_a_price_that_runs_wild_is_told_with_its_ends() -> None:
    found = unlike_reasons([*usual(), Sold("20999", "", 40, 1.0, 0.5, 1_250.0, 40)])
    assert found == {"20999": ("Its price runs from 0.50 to 1,250.00 a piece; most products keep nearly one price.",)}


def test_nothing_is_odd_among_few_products_or_where_every_code_is_of_its_own_kind() -> None:
    assert unlike_reasons([*usual(10), Sold("POST", "", 9, 1.0)]) == {}
    own = [Sold("-".join("ab1"[place % 3] for place in range(5 + at)), "", 9, 1.0) for at in range(40)]
    assert unlike_reasons(own) == {}


def test_the_form_of_a_code_keeps_what_is_neither_digit_nor_letter() -> None:
    assert [form_of(code) for code in ("85123A", "POST", "gift_0001_20", "BANK CHARGES", "Ü12")] == [
        "9A", "A", "A_9_9", "A A", "A9",
    ]  # fmt: skip


def test_a_text_that_is_looked_for_is_told_apart_from_a_pattern() -> None:
    assert plain_text("BANK\\ CHARGES") == "BANK CHARGES"
    assert plain_text("^[0-9]{5}") is None and plain_text("") is None
    assert in_words(rule("note", "not matches", "BANK\\ CHARGES")) == "note does not contain BANK CHARGES"
    assert in_words(rule("note", "not matches", "^P")) == "note does not match ^P"


def test_the_same_question_is_answered_without_reading_until_the_table_is_another(
    ask: Callable[..., Look], warehouse: LocalWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = rule("what", "not in", ["POST"])
    first = ask(post, columns=("note",))
    read: list[str] = []

    def told(name: str) -> None:
        found = getattr(leaving_out, name)
        monkeypatch.setattr(leaving_out, name, lambda *given: [read.append(name), found(*given)][1])

    for name in ("ibis_connection", "_products", "_frequent"):
        told(name)
    assert ask(post, columns=("note",)) is first and read == []
    # another rule counts anew, while products and frequent values are those of the same rows
    other = ask(rule("total", ">=", 15), columns=("note",))
    assert read == ["ibis_connection"] and other.products == first.products and other.frequent == first.frequent
    assert ask(columns=("what",)).frequent["what"] and read[1:] == ["ibis_connection", "_frequent"]
    table = warehouse.table("raw_data", "bq_lines")
    rows = table.read()
    shutil.rmtree(table.folder)
    warehouse.table("raw_data", "bq_lines").append(rows.slice(1), app="test:lines")  # version 0 again
    assert ask(post, columns=("note",)).rows == first.rows - 1
    assert read[3:] == ["ibis_connection", "_frequent", "_products"]


def test_no_more_answers_are_kept_than_fit_and_what_was_refused_is_asked_again() -> None:
    kept, asked = Kept[int](2), []

    def answer(number: int) -> int:
        asked.append(number)
        return 12 // number

    for number in (1, 2, 1, 3, 1, 2):
        assert kept.get(number, lambda number=number: answer(number)) == 12 // number
    assert asked == [1, 2, 3, 2]
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            kept.get(0, lambda: answer(0))
    assert asked[4:] == [0, 0]
