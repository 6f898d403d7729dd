"""The guided set-up: what is proposed, what is refused and where, what is saved, and what is said after it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from django.test import Client
from run_rows import Shop, make_shop
from web_support import TestDatabase

from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.datasets.models import Dataset, DatasetVersion
from b2b_recs.web.etl.models import DataSourceTable
from b2b_recs.web.projects.setup_columns import PRICE_HINT, Table, guess, looks_like_price
from b2b_recs.web.tenancy import scope
from b2b_recs.web.training.models import PipelineConfiguration, PipelineRun

LINES: dict[str, list[Any]] = {
    "order_id": ["o1", "o2"],
    "ordered_at": [datetime(2026, month, 1, tzinfo=UTC) for month in (1, 12)],
    "customer_id": ["c1", "c2"],
    "product_id": ["p1", "p2"],
    "name": ["line one", "line two"],
    "quantity": [1, 2],
    "unit_price": [2.5, 3.5],
    "line_total": [2.5, 7.0],
}
PRODUCTS: dict[str, list[Any]] = {"product_id": ["p1", "p2"], "name": ["Bolt", "Nut"], "category": ["A", "B"]}
GIVEN = {
    "base": "bq_orders",
    "customer": "customer_id",
    "product": "product_id",
    "time": "ordered_at",
    "revenue": "line_total",
    "quantity": "quantity",
    "order": "order_id",
    "product_table": "bq_products",
    "product_key": "product_id",
    "product_name": "name",
    "category": "category",
    "history_days": "",
    "top_share": "80",
    "test_days": "30",
    "do": "train",
}


@pytest.fixture
def shop(platform_database: TestDatabase) -> Iterator[Shop]:
    """A shop whose two tables are in the warehouse; nothing says yet what their columns mean."""
    made = make_shop(pipeline=False)
    home = Home.current().model_warehouse(made.model.id)
    for name, rows in (("bq_orders", LINES), ("bq_products", PRODUCTS)):
        LocalWarehouse(home).table("raw_data", name).append(pa.table(rows), app=f"test:{name}")
    yield made
    shutil.rmtree(home)


class Page:
    """The page as its owner asks for it."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.client = shop, Client()
        self.client.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
        self.address = f"/models/{shop.model.id}/setup/"

    def text(self) -> str:
        return self.client.get(self.address).content.decode()

    def refused(self, **typed: str) -> str:
        answer = self.client.post(self.address, GIVEN | typed)
        assert answer.status_code == 422
        with scope(self.shop.id):
            assert not PipelineRun.objects.exists()
        return answer.content.decode()

    def saved(self, **typed: str) -> str:
        answer = self.client.post(self.address, GIVEN | typed, follow=True)
        assert answer.redirect_chain == [(f"/models/{self.shop.model.id}/", 302)]
        return answer.content.decode()


def fault_beside(text: str, field: str) -> str:
    """The fault that a field's aria-describedby leads to."""
    tag = re.search(rf'<(?:select|input) [^>]*id="id_{field}"[^>]*>', text)
    assert tag is not None and 'aria-invalid="true"' in tag[0]
    described = re.search(r'aria-describedby="([^"]*)"', tag[0])
    assert described is not None and f"{field}-error" in described[1].split()
    found = re.search(rf'id="{field}-error">.*?<span>(.*?)</span>', text, re.S)
    assert found is not None
    return found[1].strip()


def chosen(text: str, field: str) -> str:
    """What a list of choices has selected."""
    select = re.search(rf'id="id_{field}".*?</select>', text, re.S)
    assert select is not None
    found = re.search(r'value="([^"]*)" selected', select[0])
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("columns", "proposed", "price"),
    [
        (("unit_price", "quantity", "line_total"), "line_total", False),
        (("unit_price", "amount"), "amount", False),
        (("price", "revenue"), "revenue", False),
        (("price", "total_price"), "total_price", False),
        (("order_total", "unit_price"), "unit_price", True),
        (("tax_amount", "line_total_excl_tax"), "line_total_excl_tax", False),
        (("total_quantity", "unit_price"), "unit_price", True),
        (("price", "quantity"), "price", True),
        (("tax_amount",), "", False),
    ],
)
def test_the_money_of_a_whole_line_is_proposed_before_a_price(
    columns: tuple[str, ...], proposed: str, price: bool
) -> None:
    found = guess(Table("t", dict.fromkeys(columns, pa.float64()), 1), "revenue")
    assert (found, looks_like_price(found)) == (proposed, price)


def test_a_price_chosen_as_revenue_is_told_what_would_be_better(shop: Shop) -> None:
    page = Page(shop)
    assert chosen(page.text(), "revenue") == "line_total"
    assert PRICE_HINT not in page.text()
    assert PRICE_HINT in page.refused(revenue="unit_price", test_days="")


def test_one_column_for_two_roles_is_refused_beside_the_later_one(shop: Shop) -> None:
    text = Page(shop).refused(customer="product_id")
    assert fault_beside(text, "product") == (
        "Customer and Product are the same column. Choose another column for one of them."
    )
    text = Page(shop).refused(order="customer_id", product_table="", product_name="product_id", category="")
    assert fault_beside(text, "order") == "Customer and Order are the same column. Choose another column, or none."
    assert fault_beside(text, "product_name").startswith("Product and Product name are the same column.")


def test_every_fault_stands_beside_its_field_and_none_in_a_box(shop: Shop) -> None:
    text = Page(shop).refused(
        time="",
        quantity="nonsense",
        product_key="",
        category="nothing",
        history_days="0",
        top_share="101",
        test_days="",
    )
    assert fault_beside(text, "time") == "Time is missing. Choose its column."
    assert fault_beside(text, "quantity").startswith("bq_orders has no column “nonsense” for it.")
    assert fault_beside(text, "category").startswith("bq_products has no column “nothing” for it.")
    assert fault_beside(text, "product_key").startswith("Which column of bq_products holds the product?")
    assert fault_beside(text, "history_days") == ("Last days cannot be “0”. Give a whole number from 1 to 36,500.")
    assert fault_beside(text, "top_share") == (
        "Products of the top % of revenue cannot be “101”. Give a number from 1 to 100."
    )
    assert fault_beside(text, "test_days") == "Days to test on is empty. Give a whole number from 1 to 3,650."
    assert "notice-bad" not in text


def test_days_to_test_on_that_leave_too_little_are_refused_with_the_days_there_are(shop: Shop) -> None:
    assert fault_beside(Page(shop).refused(test_days="400"), "test_days") == (
        "The orders span 334 days: 400 days to test on would leave nothing to learn from. "
        "Give 167 or fewer, or load older orders."
    )
    assert "would leave 134 days to learn from, which is less." in fault_beside(
        Page(shop).refused(test_days="200"), "test_days"
    )


@pytest.mark.parametrize("typed", ["-1", "1.5", "soon", "٣", "1e3", "9" * 30])
def test_a_number_is_plain_digits(shop: Shop, typed: str) -> None:
    assert "cannot be" in fault_beside(Page(shop).refused(test_days=typed), "test_days")


def test_what_was_saved_is_shown_again_as_a_change(shop: Shop) -> None:
    page = Page(shop)
    assert "the first training starts" in page.text()
    assert "The first training is under way." in page.saved(revenue="", order="", history_days="400", test_days="14")
    text = page.text()
    assert "<h1>Change which columns mean what</h1>" in text and "Save and train" in text
    assert "first training" not in text
    assert [chosen(text, name) for name in ("customer", "revenue", "order", "product_name")] == [
        "customer_id", "", "", "name",
    ]  # fmt: skip
    for field, value in (("history_days", "400"), ("top_share", "100"), ("test_days", "14")):
        assert re.search(rf'id="id_{field}" name="{field}" value="{value}"', text)
    model = page.client.get(f"/models/{shop.model.id}/").content.decode()
    assert f'href="{page.address}"' in model


def test_a_joined_column_whose_name_is_taken_is_the_one_of_the_product_table(shop: Shop) -> None:
    Page(shop).saved()
    with scope(shop.id):
        assert Dataset.objects.get().spec["roles"]["product_name"] == "bq_products__name"


def test_a_table_that_no_job_fills_any_more_stays_chosen_and_is_told(shop: Shop) -> None:
    page = Page(shop)
    page.saved()
    with scope(shop.id):
        PipelineRun.objects.all().delete()
        (job,) = (one for one in shop.jobs if one.table.destination == "bq_products")
        job.table.spec["destination_table"] = "bq_others"
        job.table.save()
    text = page.text()
    assert '<option value="bq_products" selected>bq_products (no job fills it any more)</option>' in text
    assert 'No job fills <span class="mono">bq_products</span> any more' in text
    overview = page.client.get(f"/models/{shop.model.id}/").content.decode()
    assert "which no job fills" not in overview  # nothing was built from it yet
    with scope(shop.id):
        made = Dataset.objects.get()
        own = {"organization": shop.organization, "dataset": made, "number": 1, "fingerprint": "f" * 64}
        DatasetVersion.objects.create(**own, last_at=datetime(2026, 2, 1, tzinfo=UTC))
        DataSourceTable.objects.update(last_synced_at=datetime(2026, 2, 1, tzinfo=UTC))
    overview = page.client.get(f"/models/{shop.model.id}/").content.decode()
    assert "purchases reads bq_products, which no job fills" in overview
    # Once the table is gone from the warehouse, what it brought is asked anew instead of being kept to fail.
    shutil.rmtree(LocalWarehouse(Home.current().model_warehouse(shop.model.id)).table("raw_data", "bq_products").folder)
    text = page.text()
    assert 'join the table <span class="mono">bq_products</span>' in text and "no job fills it any more" not in text
    assert not re.search(r'id="id_category".*?<option value="category" selected', text.split("</select>")[-3])
    page.refused(product_table="", product_key="", category="category")


def test_what_the_page_does_not_ask_is_kept(shop: Shop) -> None:
    spec = {
        "base": "bq_orders",
        "roles": {"customer": "customer_id", "product": "product_id", "time": "ordered_at"},
        "joins": [{"table": "bq_products", "on": {"product_id": "product_id"}, "kind": "inner"}],
        "filters": {
            "where": [
                {"column": "quantity", "op": ">", "value": 0},
                {"column": "product_id", "op": "matches", "value": "^p"},
            ],
            "top_revenue_share": 0.955,
        },
        "upper_case": ["product_id"],
    }
    own = {"organization": shop.organization, "model": shop.model}
    with scope(shop.id):
        Dataset.objects.create(**own, name="orders", spec=spec)
        settings = {"dataset": "orders", "split": {"test_share": 0.1}, "deploy": "never", "seed": 7}
        PipelineConfiguration.objects.create(**own, spec=settings)
    page = Page(shop)
    text = page.text()
    kept = "only rows where product_id matches ^p; product_id in capitals."
    assert f"Also saved, and kept while the table stays the same: {kept}" in text
    assert 'value="95.5"' in text and "Left empty, the last 10 % of the order lines, as saved." in text
    page.saved(test_days="", top_share="95.5", category="")
    with scope(shop.id):
        dataset, pipeline = Dataset.objects.get(), PipelineConfiguration.objects.get()
    assert dataset.name == "orders"
    assert dataset.spec["joins"][0]["kind"] == "inner" and dataset.spec["upper_case"] == ["product_id"]
    assert dataset.spec["filters"]["where"] == spec["filters"]["where"]  # type: ignore[index]
    assert dataset.spec["filters"]["top_revenue_share"] == 0.955
    assert (pipeline.spec["deploy"], pipeline.spec["seed"], pipeline.spec["dataset"]) == ("never", 7, "orders")
    assert pipeline.spec["split"] == {"test_days": None, "test_share": 0.1}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "running"}, "A training with the earlier settings is under way. The next one uses these"),
        ({}, "A training with these settings is under way."),
        ({"status": "running", "cancel_requested": True}, "The training under way is being stopped; press Train now"),
        ({"status": "completed"}, "A training with these settings is under way."),
    ],
)
def test_saving_while_a_training_goes_says_which_settings_it_has(
    shop: Shop, changes: dict[str, Any], said: str
) -> None:
    page = Page(shop)
    page.saved()
    with scope(shop.id):
        PipelineRun.objects.update(**changes)
    assert said in page.saved(history_days="400")
    with scope(shop.id):
        assert PipelineRun.objects.count() == (2 if changes.get("status") == "completed" else 1)
        assert Dataset.objects.get().spec["filters"]["history_days"] == 400


def test_an_archived_model_is_not_trained_by_its_settings(shop: Shop) -> None:
    page = Page(shop)
    with scope(shop.id):
        shop.model.status = "archived"
        shop.model.save()
    assert "Save and train" not in page.text()
    assert "is archived" in page.client.post(page.address, GIVEN).content.decode()
    with scope(shop.id):
        assert not Dataset.objects.exists() and not PipelineRun.objects.exists()


def test_looking_at_another_table_proposes_its_columns_and_keeps_the_numbers(shop: Shop) -> None:
    page = Page(shop)
    answer = page.client.post(page.address, GIVEN | {"base": "bq_products", "test_days": "12", "do": "look"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert (chosen(text, "base"), chosen(text, "product"), chosen(text, "customer")) == (
        "bq_products",
        "product_id",
        "",
    )
    assert 'name="test_days" value="12"' in text
