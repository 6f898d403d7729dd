"""What the set-up leaves out: ticked products and rules, what is told of them before saving, and what is saved."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from run_rows import Shop, make_shop
from web.projects.test_setup import GIVEN, Page
from web_support import TestDatabase

from b2b_recs.engine.datasets.leaving_out import Buyers
from b2b_recs.engine.datasets.spec import Condition
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.datasets.models import Dataset
from b2b_recs.web.projects.setup_doubts import customer_doubt
from b2b_recs.web.projects.setup_rules import KINDS, Rule, rule_of
from b2b_recs.web.tenancy import scope
from b2b_recs.web.training.models import PipelineConfiguration

CODES = [f"{20_000 + at}" for at in range(30)]


@pytest.fixture
def shop(platform_database: TestDatabase) -> Iterator[Shop]:
    """Thirty products at one price each, and postage at any."""
    made = make_shop(pipeline=False)
    home = Home.current().model_warehouse(made.model.id)
    products = [code for code in CODES for _ in range(4)] + ["POST"] * 12
    totals = [10.0] * (4 * len(CODES)) + [float(at * at + 1) for at in range(12)]
    lines: dict[str, list[Any]] = {
        "order_id": [f"o{at // 2}" for at in range(len(products))],
        "ordered_at": [datetime(2026, 1, 1 + at % 28, tzinfo=UTC) for at in range(len(products))],
        "customer_id": [f"c{at % 9}" for at in range(len(products))],
        "product_id": products,
        "quantity": [1] * len(products),
        "line_total": totals,
        "note": [None if at % 12 == 0 else "gift, wrapped" if at % 3 == 0 else "plain" for at in range(len(products))],
    }
    names = {"product_id": [*CODES, "POST"], "name": [*(f"Thing {code}" for code in CODES), "POSTAGE"]}
    for name, rows in (("bq_orders", lines), ("bq_products", names)):
        LocalWarehouse(home).table("raw_data", name).append(pa.table(rows), app=f"test:{name}")
    yield made
    shutil.rmtree(home)


GIVEN_HERE = GIVEN | {"category": "", "rules": "0", "top_share": "100", "test_days": "7"}


def rules(*lines: tuple[str, str, str]) -> dict[str, str]:
    """The fields of some lines."""
    fields = {"rules": str(len(lines))}
    for number, (column, kind, values) in enumerate(lines):
        fields |= {f"rule{number}_column": column, f"rule{number}_kind": kind, f"rule{number}_values": values}
    return fields


def where(shop: Shop) -> list[dict[str, Any]]:
    """The conditions that were saved."""
    with scope(shop.id):
        return list(Dataset.objects.get().spec.get("filters", {}).get("where", []))


def facts(shop: Shop, typed: dict[str, Any]) -> str:
    answer = Page(shop).client.post(f"/models/{shop.model.id}/setup/facts/", GIVEN_HERE | typed)
    assert answer.status_code == 200
    return answer.content.decode()


def test_postage_is_suggested_with_reasons_and_not_ticked(shop: Shop) -> None:
    text = facts(shop, {})
    assert "Looks like no product" in text
    line = re.search(r'<label><input type="checkbox" name="not_product" value="POST"([^>]*)>.*?</label>', text, re.S)
    assert line is not None and "checked" not in line[1]
    assert "POSTAGE" in line[0] and "12 rows" in line[0]
    assert "Its code is written unlike the others" in line[0] and "Its price runs from" in line[0]
    assert "Nothing is left out: all 132 rows of bq_orders stay." in text


def test_a_customer_column_that_names_products_is_doubted_beside_it(shop: Shop) -> None:
    doubt = re.compile(r'<span id="customer-told"[^>]*>(.*?)</span>\n', re.S)
    assert doubt.findall(facts(shop, {})) == [""]
    (told,) = doubt.findall(facts(shop, {"customer": "order_id", "order": ""}))
    assert "Nearly each of its 66 values goes with one product only." in told


def test_customers_that_go_with_one_product_or_are_as_many_are_doubted() -> None:
    assert "as many as the product" in customer_doubt(Buyers(300, 300, 9_000))
    assert "one product only" in customer_doubt(Buyers(4_200, 3_900, 5_600))
    assert customer_doubt(Buyers(4_200, 3_900, 90_000)) == "" == customer_doubt(Buyers(2, 2, 2))


def test_rows_and_revenue_are_shown_before_anything_is_saved(shop: Shop) -> None:
    text = facts(shop, {"not_product": ["POST"], **rules(("note", "contains", "gift, wr"), ("quantity", "most", "0"))})
    assert re.search(r'value="POST" checked', text)
    told = re.findall(r'<p class="small muted">(.*?)</p>', text)
    assert [words.replace("\N{NO-BREAK SPACE}", " ") for words in told] == [
        "Leaves out 44 rows (33.3 %) and 30.8 % of the revenue; 11 of these rows have nothing in this column.",
        "Leaves out 0 rows (0 %) and 0 % of the revenue.",
    ]
    assert "Of the 132 rows of bq_orders, 52 are left out by the ticks and conditions above" in text
    assert "above, where a row that more than one of them leaves out counts once. 80 rows stay" in text
    with scope(shop.id):
        assert not Dataset.objects.exists()


def test_every_filter_of_the_page_is_in_the_count_and_what_cannot_be_counted_is_named(shop: Shop) -> None:
    lines = {name: [value] for name, value in {"order_id": "x", "customer_id": None, "product_id": "20000"}.items()}
    lines |= {"ordered_at": [datetime(2026, 1, 2, tzinfo=UTC)], "quantity": [1], "line_total": [5.0], "note": ["x"]}
    table = LocalWarehouse(Home.current().model_warehouse(shop.model.id)).table("raw_data", "bq_orders")
    table.append(pa.table(lines).select(table.schema().names).cast(table.schema()), app="test:more")
    text = facts(shop, {"history_days": "10", "top_share": "40", "not_product": "POST"})
    told = re.search(r'id="leave-together"[^>]*>(.*?)<', text)
    assert told is not None and re.fullmatch(
        r"Of the 133 rows of bq_orders, 1 has no customer, product or time; 12 are left out by the ticks and "
        r"conditions above; \d+ are older than the last 10 days; \d+ are of products outside the top 40 % of revenue. "
        r"\d+ rows stay \([\d.]+\s%\) and [\d.]+\s% of the revenue.",
        told[1],
    )
    text = facts(shop, {"history_days": "soon", "not_product": "POST"})
    assert "stay" in text and "Not counted until it can be used: “Last days”." in text


def test_frequent_values_of_a_list_are_offered_and_those_in_it_are_ticked(shop: Shop) -> None:
    text = facts(shop, rules(("note", "one", "plain")))
    boxes = re.findall(r'data-line-of="id_rule0_values" value="([^"]*)"( checked)?', text)
    assert boxes == [("plain", " checked"), ("gift, wrapped", "")]


def test_what_is_left_out_is_saved_as_conditions_and_shown_again(shop: Shop) -> None:
    page = Page(shop)
    lines = rules(
        ("note", "one", "plain\r\ngift, wrapped\r\n"),
        ("note", "contains", "a.b"),
        ("line_total", "greater", "100"),
        ("name", "starts", "Sample"),
        ("quantity", "empty", "ignored"),
        ("", "one", ""),
    )
    answer = page.client.post(page.address, GIVEN_HERE | lines | {"not_product": ["POST", "22423"]}, follow=True)
    assert "1 empty condition was not kept." in answer.content.decode()
    saved = [
        ("product_id", "not in", ["POST", "22423"]),
        ("note", "not in", ["plain", "gift, wrapped"]),
        ("note", "not matches", "a\\.b"),
        ("line_total", "<=", "100"),
        ("name", "not starts", "Sample"),
        ("quantity", "known", None),
    ]
    assert [(one["column"], one["op"], one.get("value")) for one in where(shop)] == saved
    text = page.text()
    assert re.findall(r'name="not_product" value="([^"]*)" checked', text) == ["POST", "22423"]
    assert "plain\ngift, wrapped</textarea>" in text and ">a.b</textarea>" in text
    assert text.count('class="leave-rule"') == 5
    page.saved(category="", history_days="90")  # a page without the lines changes nothing of them
    assert [(one["column"], one["op"], one.get("value")) for one in where(shop)] == saved


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_saved(shop: Shop) -> None:
    text = Page(shop).refused(
        **rules(
            ("", "one", "x"),
            ("note", "nonsense", "x"),
            ("note", "contains", ""),
            ("line_total", "greater", "many"),
            ("line_total", "greater", "1\n2"),
            ("colour", "one", "red"),
            ("note", "one", "x" * 301),
        )
    )
    for field, said in (
        ("rule0_column", "Which column?"),
        ("rule1_kind", "How is it compared?"),
        ("rule2_values", "The value is missing."),
        ("rule3_values", "Give a value that can be compared with the number column line_total."),
        ("rule4_values", "takes one value"),
        ("rule5_column", "No table here has a column “colour”."),
        ("rule6_values", "this one has 301"),
    ):
        found = re.search(rf'id="{field}-error">.*?<span>(.*?)</span>', text, re.S)
        assert found is not None and said in found[1], field
    assert "aria-invalid" in text


def test_a_line_is_added_and_removed_and_what_was_typed_stays(shop: Shop) -> None:
    page = Page(shop)
    typed = GIVEN_HERE | rules(("note", "one", "plain"), ("note", "starts", "g")) | {"history_days": "77"}
    text = page.client.post(page.address, typed | {"do": "add"}).content.decode()
    assert text.count('class="leave-rule"') == 3 and "autofocus" in text and 'value="77"' in text
    text = page.client.post(page.address, typed | {"do": "drop-0"}).content.decode()
    assert text.count('class="leave-rule"') == 1 and ">g</textarea>" in text and "plain</textarea>" not in text


def test_without_columns_or_rows_the_page_says_why_it_counts_nothing(shop: Shop) -> None:
    text = facts(shop, {"customer": "", "not_product": ["POST"]})
    assert "Customer is missing." in text and 'value="POST" checked' in text
    assert "differ" not in facts(shop, {"history_days": "soon"})  # a faulty number is told when saving


def test_a_viewer_and_a_stranger_learn_nothing(shop: Shop) -> None:
    from django.test import Client

    assert Client().post(f"/models/{shop.model.id}/setup/facts/", GIVEN_HERE).status_code in (302, 401, 403)


def test_an_earlier_condition_is_kept_as_it_was_written(shop: Shop) -> None:
    own = {"organization": shop.organization, "model": shop.model}
    spec = {
        "base": "bq_orders",
        "roles": {"customer": "customer_id", "product": "product_id", "time": "ordered_at"},
        "filters": {"where": [{"column": "line_total", "op": ">", "value": 0.5}]},
    }
    with scope(shop.id):
        Dataset.objects.create(**own, name="orders", spec=spec)
        PipelineConfiguration.objects.create(**own, spec={"dataset": "orders"})
    page = Page(shop)
    assert ">0.5</textarea>" in page.text()
    page.client.post(page.address, GIVEN_HERE | rules(("line_total", "most", "0.5"), ("quantity", "most", "0")))
    assert where(shop) == [
        {"column": "line_total", "op": ">", "value": 0.5},
        {"column": "quantity", "op": ">", "value": "0"},
    ]


def test_every_rule_comes_back_from_its_condition() -> None:
    for kind in KINDS:
        values = () if kind == "empty" else ("a (b)",) if kind not in ("one", "none") else ("a (b)", "c")
        found = rule_of(Rule("note", kind, values).condition())
        assert found is not None and found.same(Rule("note", kind, values)), kind
    for op, value in (("matches", "x"), ("unknown", None), ("starts", "x"), ("not matches", "^x"), ("=", None)):
        assert rule_of(Condition.model_validate({"column": "a", "op": op, "value": value})) is None, op
    single = rule_of(Condition.model_validate({"column": "a", "op": "!=", "value": True}))
    assert single is not None and (single.kind, single.values) == ("one", ("true",))


def test_returns_are_proposed_ticked_counted_and_left_out_unless_unticked(shop: Shop) -> None:
    table = LocalWarehouse(Home.current().model_warehouse(shop.model.id)).table("raw_data", "bq_orders")
    back = {"order_id": ["C1"] * 3, "ordered_at": [datetime(2026, 1, 3, tzinfo=UTC)] * 3, "customer_id": ["c1"] * 3}
    back |= {"product_id": CODES[:3], "quantity": [-1, -2, 1], "line_total": [-10.0, -20.0, 0.0], "note": ["back"] * 3}
    table.append(pa.table(back).select(table.schema().names).cast(table.schema()), app="test:returns")
    box = r'name="not_above_zero" value="([^"]*)"( checked)?>.*?leave-count">([^<]*)<'
    text = facts(shop, {}).replace("\N{NO-BREAK SPACE}", " ")
    assert re.findall(box, text) == [
        ("line_total", " checked", "3 rows (2.2 %)"),
        ("quantity", " checked", "2 rows (1.5 %)"),
    ]
    once = ", where a row that more than one of them leaves out counts once"
    assert f"3 are left out by the ticks and conditions above{once}. 132 rows stay" in text
    seen = {"returns_seen": "1"}
    text = facts(shop, seen | {"not_above_zero": "quantity"})
    assert [found[:2] for found in re.findall(box, text)] == [("line_total", ""), ("quantity", " checked")]
    assert "2 are left out by the ticks and conditions above. 133 rows stay" in text
    page = Page(shop)
    page.client.post(page.address, GIVEN_HERE)  # before the proposal was on the page
    assert [(one["column"], one["op"]) for one in where(shop)] == [("line_total", ">"), ("quantity", ">")]
    assert 'value="quantity"' in page.text() and "leave-rule" not in page.text()
    page.client.post(page.address, GIVEN_HERE | seen)
    assert where(shop) == []


def test_conditions_the_page_has_no_line_for_are_told_in_words_each_with_its_count(shop: Shop) -> None:
    spec = {
        "base": "bq_orders",
        "roles": {"customer": "customer_id", "product": "product_id", "time": "ordered_at"},
        "filters": {"where": [{"column": "product_id", "op": "matches", "value": "^2"}]},
    }
    own = {"organization": shop.organization, "model": shop.model}
    with scope(shop.id):
        Dataset.objects.create(**own, name="orders", spec=spec)
        PipelineConfiguration.objects.create(**own, spec={"dataset": "orders"})
    text = facts(shop, {"not_product": ["20000"]})
    told = re.findall(r'id="leave-together"[^>]*>([^<]*)<', text)
    assert told and told[0].startswith(
        "Of the 132 rows of bq_orders, 12 are left out by the saved condition “product_id matches ^2”; "
        "4 are left out by the ticks and conditions above. 116 rows stay"
    )
    assert "kept while the table stays the same: only rows where product_id matches ^2." in Page(shop).text()
