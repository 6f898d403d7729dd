"""Which columns are taken for columns of codes."""

from __future__ import annotations

import pytest

from b2b_recs.engine.schema.codes import why_codes


@pytest.mark.parametrize(
    "name",
    [
        "id", "customer_id", "CustomerID", "customerid", "productId", "StockCode", "ARTICLE_NO", "ArtikelNr", "sku",
        "kundennr", "EAN13", "zip", "PLZ", "phone", "order_number", "invoiceno", "product", "customer", "Kundennummer",
    ],
)  # fmt: skip
def test_names_of_codes(name: str) -> None:
    assert why_codes(name) == "columns named so hold codes"


@pytest.mark.parametrize(
    "name",
    [
        "quantity", "amount_paid", "Menge", "number_of_items", "order_total", "product_price", "customer_count", "year",
        "stock", "tax", "vat_rate", "discount", "notes", "", "日本語", "width", "valid", "snow_depth", "casino_visits",
    ],
)  # fmt: skip
def test_names_of_anything_else(name: str) -> None:
    assert why_codes(name) == ""


def test_a_column_of_the_key_holds_codes_whatever_its_name() -> None:
    assert why_codes("quantity", 1) == "the column is part of the key"
