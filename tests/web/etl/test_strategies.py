"""Which load strategy is proposed for a table, and why."""

from __future__ import annotations

import pytest

from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.web.etl.strategies import ProposedLoad, propose_load

W = WarehouseType


def proposed(*times: str, key: tuple[str, ...] = ("id",), kind: str = "postgresql", **kinds: W) -> ProposedLoad:
    """What is proposed for columns of these names; a question mark at the end means that it may be empty."""
    columns = [ColumnInfo(one.rstrip("?"), "timestamptz", one.endswith("?"), is_time=True) for one in times]
    found = {column.name: kinds.get(column.name, W.TIMESTAMP) for column in columns}
    return propose_load(SOURCE_TYPES[kind], columns, key, found)


def cursor(*times: str, **more: W) -> object:
    return proposed(*times, **more).load.get("cursor")


@pytest.mark.parametrize("name", ["birth_date?", "delivery_date?", "shipped_at?", "due_on?", "geburtstag?", "when?"])
def test_a_date_that_may_be_empty_and_tells_of_something_else_is_no_cursor(name: str) -> None:
    load = proposed(name)
    assert (load.load, load.confidence) == ({"strategy": "catalog"}, "medium")
    assert load.reason == (
        f"{name[:-1]} may be empty and does not say when a row was made, so the whole table is read each run."
    )


@pytest.mark.parametrize(
    "name", ["birth_date", "delivery_date", "VALID_UNTIL", "dueDate", "lieferdatum", "date_naissance"]
)
def test_a_planned_date_or_one_of_a_person_is_no_cursor_even_when_it_is_never_empty(name: str) -> None:
    assert proposed(name).load == {"strategy": "catalog"}


@pytest.mark.parametrize(
    "name",
    ["created_at", "createdAt", "CREATED", "DateCreated", "dtcreated", "inserted_on", "record_time", "erstellt_am",
     "Angelegt", "date_creation", "créé_le", "fecha_creacion", "data_inserimento", "criado_em", "aangemaakt_op"],
)  # fmt: skip
def test_a_name_of_making_is_a_cursor_surely_when_it_is_never_empty(name: str) -> None:
    sure, unsure = proposed("delivered_at", name), proposed("birth_date?", f"{name}?")
    assert sure.load == {"strategy": "transactional", "cursor": name, "key": ["id"]}
    assert (sure.confidence, sure.reason) == ("high", f"{name} tells which rows are new; only those are read.")
    assert (unsure.load, unsure.confidence) == (sure.load, "medium")
    assert "read by the first run only" in unsure.reason


def test_a_time_that_is_never_empty_is_a_cursor_with_a_word_of_warning() -> None:
    load = proposed("shipped_at?", "day", "ordered_at", day=W.DATE)
    assert (load.load["cursor"], load.confidence) == ("ordered_at", "medium")
    assert "put in later with an earlier ordered_at is only found as far as each run looks back" in load.reason
    assert cursor("ordered_on", "sent_at") == "ordered_on"


@pytest.mark.parametrize(
    "name",
    ["updated_at", "lastUpdated", "LASTMODIFIED", "last_mod_date", "changed_on", "geändert_am", "modifié_le",
     "fecha_actualizacion", "data_modifica", "ModifiedDate"],
)  # fmt: skip
def test_a_name_of_changing_with_a_key_merges(name: str) -> None:
    load = proposed("created_at", name)
    assert (load.load, load.confidence) == ({"strategy": "merge", "cursor": name, "key": ["id"]}, "high")
    assert name in load.reason and "id which rows they replace" in load.reason
    unsure = proposed("created_at", f"{name}?")
    assert (unsure.load["strategy"], unsure.confidence) == ("merge", "medium")
    assert "read by the first run only" in unsure.reason
    without = proposed("created_at", name, key=())
    assert without.load == {"strategy": "catalog"} and "no key says which rows they replace" in without.reason


def test_where_nothing_tells_what_is_new_the_whole_table_is_read() -> None:
    assert proposed().load == {"strategy": "catalog"} and proposed().confidence == "high"
    files = proposed("created_at", kind="csv")
    assert (files.load, files.confidence) == ({"strategy": "files"}, "high")


@pytest.mark.parametrize(
    ("table", "strategy"),
    [
        ("customers", "catalog"), ("Kundenstamm", "catalog"), ("product_prices", "catalog"), ("dbo.Artikel", "catalog"),
        ("order_lines", "transactional"), ("customer_orders", "transactional"), ("price_history", "transactional"),
        ("product_events", "transactional"), ("things", "transactional"), ("Kundenaufträge", "transactional"),
    ],
)  # fmt: skip
def test_a_table_that_is_kept_up_to_date_is_copied_whole_when_nothing_tells_of_changes(
    table: str, strategy: str
) -> None:
    columns = [ColumnInfo(name, "timestamptz", nullable=False, is_time=True) for name in ("created", "updated_at")]
    made = {"created": W.TIMESTAMP}
    load = propose_load(SOURCE_TYPES["postgresql"], columns[:1], ("id",), made, table)
    assert load.load["strategy"] == strategy
    if strategy == "catalog":
        assert (
            load.reason == "Rows of such a table change, and no column tells when, so the whole table is read each run."
        )
    both = {**made, "updated_at": W.TIMESTAMP}
    assert propose_load(SOURCE_TYPES["postgresql"], columns, ("id",), both, table).load["strategy"] == "merge"
