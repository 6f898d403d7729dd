"""What is typed in the steps of the job wizard becomes settings, and settings fill the steps again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import QueryDict

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.several import Several
from b2b_recs.engine.sources.contract import Capabilities
from b2b_recs.web.etl.proposals import ProposedColumn, ProposedLoad, ProposedType, TableProposal
from b2b_recs.web.etl.wizard.faults import told
from b2b_recs.web.etl.wizard.load_form import load_changes, load_form, load_typed
from b2b_recs.web.etl.wizard.schedule_form import next_times, schedule_form, schedule_rule, typed_form
from b2b_recs.web.etl.wizard.schema_form import schema_changes, schema_form
from b2b_recs.web.etl.wizard.schema_form import schema_typed as typed_schema
from b2b_recs.web.etl.wizard.shown import shown_list, shown_names
from b2b_recs.web.etl.wizard.tables import first_values


def column(name: str, source_type: str, warehouse: str, key: int | None = None, **proposed: Any) -> ProposedColumn:
    held = {"mode": "NULLABLE", "precision": None, "scale": None, "format": "", **proposed}
    return ProposedColumn(
        name=name,
        source_type=source_type,
        nullable=key is None,
        key_position=key,
        is_time=warehouse == "DATETIME",
        samples=["1", None],
        proposed=ProposedType(warehouse_type=warehouse, confidence="high", reason="So it is.", warning="", **held),
    )


ORDERS = TableProposal(
    source_schema="public",
    source_table="order_lines",
    destination_table="bq_order_lines",
    columns=[
        column("order_id", "bigint", "INT64", 1, mode="REQUIRED"),
        column("ordered_at", "timestamp", "DATETIME"),
        column("total", "numeric(12,3)", "NUMERIC", precision=12, scale=3),
        column("delivered", "varchar(20)", "DATE", format="%d/%m/%Y"),
    ],
    key=["order_id"],
    time_columns=["ordered_at"],
    proposed=ProposedLoad(
        load={"strategy": "transactional", "cursor": "ordered_at", "key": ["order_id"]},
        reason="It tells what is new.",
        confidence="high",
    ),
    partition_by="ordered_at",
)
NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
EVERYTHING = "column=order_id&column=ordered_at&column=total&column=delivered"
APPEND = f"{EVERYTHING}&strategy=transactional&cursor=ordered_at&key=order_id"


def test_a_draft_begins_with_the_proposal_and_shows_it() -> None:
    form = load_form(first_values(ORDERS), ORDERS, Capabilities())
    assert (form.strategy, form.cursor, form.key, form.backfill) == ("transactional", "ordered_at", ["order_id"], "all")
    assert [name for name, _, _ in form.strategies] == ["transactional", "merge", "catalog"]
    assert all(row.chosen for row in form.rows)


def test_times_come_first_among_what_says_what_is_new_then_keys_that_grow_then_other_numbers() -> None:
    lines = [column("line_no", "int", "INT64", 2), column("customer_id", "int", "INT64")]
    table = ORDERS.model_copy(update={"columns": [*lines, *ORDERS.columns]})
    assert load_form({}, table, Capabilities()).cursors == [
        ("Times", ["ordered_at"]),
        ("Keys that grow with every row", ["order_id"]),
        ("Others, only if they grow with every row", ["line_no", "customer_id", "total"]),
    ]


@pytest.mark.parametrize(
    ("able", "possible"),
    [(Capabilities(files=True), ["files"]), (Capabilities(incremental=False), ["catalog"])],
)
def test_only_what_a_source_can_do_is_offered(able: Capabilities, possible: list[str]) -> None:
    assert [name for name, _, _ in load_form({}, ORDERS, able).strategies] == possible


def test_all_columns_ticked_is_all_columns_and_fewer_are_named() -> None:
    assert load_changes(QueryDict(APPEND), ORDERS, NOW)["columns"] == []
    fewer = load_changes(QueryDict(APPEND.replace("column=total&", "")), ORDERS, NOW)
    assert fewer["columns"] == ["order_id", "ordered_at", "delivered"]


def test_backfill_lag_and_limit_become_settings_and_fill_the_form_again() -> None:
    typed = QueryDict(f"{APPEND}&backfill=date&since=2024-01-31&lag=86400&row_limit=500&drift=stop&deletes=count")
    changes = load_changes(typed, ORDERS, NOW)
    assert changes["load"]["backfill"] == "2024-01-31"
    assert (changes["load"]["lag"], changes["row_limit"], changes["drift"]) == (86_400, 500, "stop")
    form = load_form({**first_values(ORDERS), **changes}, ORDERS, Capabilities())
    shown = (form.backfill, form.since, form.lag, form.row_limit, form.drift, form.deletes)
    assert shown == ("date", "2024-01-31", "86400", "500", "stop", "count")


def test_what_was_set_elsewhere_is_shown_and_kept() -> None:
    load = {**ORDERS.proposed.load, "backfill": 45, "lag": 7200, "lag_units": 5}
    form = load_form({"load": load}, ORDERS, Capabilities())
    assert ("45", "45 days") in form.backfills and form.backfill == "45"
    assert ("7200", "2 hours") in form.lags and form.lag == "7200"
    saved = load_changes(QueryDict(f"{APPEND}&backfill=45&lag=7200"), ORDERS, NOW, load)["load"]
    assert (saved["backfill"], saved["lag"], saved["lag_units"]) == (45, 7200, 5)
    other = load_changes(QueryDict(f"{EVERYTHING}&strategy=catalog"), ORDERS, NOW, load)["load"]
    assert other == {"strategy": "catalog", "keep_days": 30}


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (f"{APPEND}&backfill=some", "backfill"),
        (f"{APPEND}&lag=often", "lag"),
        ("strategy=catalog", "columns"),
        (f"{EVERYTHING}&strategy=teleport", "strategy"),
        (f"{EVERYTHING}&strategy=transactional", "cursor"),
        (f"{EVERYTHING}&strategy=merge&cursor=ordered_at", "key"),
        (f"{APPEND}&backfill=date", "since"),
        (f"{APPEND}&row_limit=-3", "row_limit"),
        (f"{APPEND}&row_limit=½", "row_limit"),
        (f"{EVERYTHING}&strategy=catalog&keep_days=0", "keep_days"),
        ("column=total&strategy=transactional&cursor=ordered_at", "cursor"),
        (f"{APPEND.replace('&key=order_id', '')}&deletes=remove", "key"),
    ],
)
def test_a_load_that_cannot_be_is_refused_at_its_field(typed: str, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_changes(QueryDict(typed), ORDERS, NOW)
    assert caught.value.field == field
    assert caught.value.advice


@pytest.mark.parametrize(("since", "refused"), [("2024-05-02", False), ("2024-05-03", True), ("soon", True)])
def test_the_first_run_reads_from_no_day_that_has_begun_nowhere(since: str, refused: bool) -> None:
    typed = QueryDict(f"{APPEND}&backfill=date&since={since}")
    if not refused:
        assert load_changes(typed, ORDERS, NOW)["load"]["backfill"] == since
        return
    with pytest.raises(BadInput) as caught:
        load_changes(typed, ORDERS, NOW)
    assert caught.value.field == "since"


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        (
            "strategy=merge&backfill=date&lag=often&row_limit=-3",
            ["cursor", "key", "since", "lag", "row_limit", "columns"],
        ),
        ("column=total&strategy=transactional&cursor=ordered_at&key=order_id", ["cursor", "key"]),
        ("strategy=catalog&keep_days=0&row_limit=many", ["keep_days", "row_limit", "columns"]),
    ],
)
def test_a_load_tells_every_fault_at_once(typed: str, fields: list[str]) -> None:
    with pytest.raises(Several) as caught:
        load_changes(QueryDict(typed), ORDERS, NOW)
    assert [fault.field for fault in caught.value.faults] == fields
    assert all(fault.advice for fault in caught.value.faults)


def test_a_column_the_page_had_not_shown_is_told_and_ticked_only_where_all_were() -> None:
    shown = shown_list(["order_id", "ordered_at", "total"])
    asked = QueryDict(mutable=True)
    asked.update({"strategy": "catalog", "shown": shown})
    asked.setlist("column", ["order_id", "ordered_at", "total"])
    with pytest.raises(BadInput) as caught:
        load_changes(asked, ORDERS, NOW)
    assert (caught.value.field, "delivered" in caught.value.message) == ("columns", True)
    form = load_form({}, ORDERS, Capabilities())
    assert [row.chosen for row in load_typed(asked, form).rows] == [True, True, True, True]
    asked.setlist("column", ["order_id", "total"])
    assert [row.chosen for row in load_typed(asked, form).rows] == [True, False, True, False]
    asked["shown"] = form.shown
    assert load_changes(asked, ORDERS, NOW)["columns"] == ["order_id", "total"]


@pytest.mark.parametrize("shown", ["", "{}", "[1]", "[" * 100_000])
def test_a_list_of_shown_columns_that_is_none_is_as_if_it_were_not_sent(shown: str) -> None:
    typed = QueryDict(mutable=True)
    typed["shown"] = shown
    assert shown_names(typed) is None


def test_types_belong_to_the_columns_the_page_had_shown_and_new_ones_are_told() -> None:
    # The page had neither ordered_at nor the order the columns have now.
    typed = QueryDict(mutable=True)
    typed.update({"shown": shown_list(["delivered", "total", "order_id"]), "type-0": "STRING", "type-1": "FLOAT64"})
    found = {one["name"]: one["warehouse_type"] for one in typed_schema(typed, {}, ORDERS)["types"]}
    assert found == {"delivered": "STRING", "total": "FLOAT64"}
    with pytest.raises(BadInput) as caught:
        schema_changes(typed, {}, ORDERS)
    assert (caught.value.field, "ordered_at" in caught.value.message) == ("types", True)


def test_a_schedule_that_cannot_be_is_shown_as_it_was_typed() -> None:
    form = typed_form(QueryDict("kind=weekly&days=friday&time=25:00&time_zone=Europe/Atlantis"), "Europe/London")
    assert (form.kind, form.days, form.time, form.time_zone) == ("weekly", ("friday",), "25:00", "Europe/Atlantis")
    assert (form.every, form.cron) == ("15", "0 2 * * *")


@pytest.mark.parametrize(
    ("typed", "share", "shown"),
    [("5", 0.05, "5"), (" 0,5 % ", 0.005, "0.5"), ("100", 1.0, "100"), ("0", 0.0, "0"), ("", 0.05, "5")],
)
def test_the_share_of_rows_that_may_be_rejected_is_typed_in_percent(typed: str, share: float, shown: str) -> None:
    changes = schema_changes(schema_typed(rejects=typed), {}, ORDERS)
    assert changes["reject_threshold"] == share
    assert schema_form(changes, ORDERS).rejects == shown


def test_a_share_that_nobody_set_is_the_engines_and_one_that_is_none_is_shown_again() -> None:
    assert schema_form({}, ORDERS).rejects == "5"
    assert "reject_threshold" not in schema_changes(schema_typed(), {}, ORDERS)
    assert schema_form(schema_changes(schema_typed(rejects="many"), {}, ORDERS), ORDERS).rejects == "many"
    assert schema_form(schema_changes(schema_typed(rejects="250"), {}, ORDERS), ORDERS).rejects == "250"


def test_text_that_stays_text_is_no_doubt_and_numbers_that_may_not_fit_are() -> None:
    low = [replace_confidence(column("note", "text", "STRING")), replace_confidence(column("total", "text", "NUMERIC"))]
    rows = schema_form({}, ORDERS.model_copy(update={"columns": low})).rows
    assert [row.look for row in rows] == [("none", "No doubt"), ("low", "Low")]


def replace_confidence(one: ProposedColumn) -> ProposedColumn:
    return one.model_copy(update={"proposed": one.proposed.model_copy(update={"confidence": "low"})})


def schema_typed(**changes: str) -> QueryDict:
    typed = QueryDict(mutable=True)
    for at, one in enumerate(ORDERS.columns):
        typed[f"type-{at}"], typed[f"mode-{at}"] = one.proposed.warehouse_type, one.proposed.mode
        typed[f"precision-{at}"] = str(one.proposed.precision or "")
        typed[f"scale-{at}"] = "" if one.proposed.scale is None else str(one.proposed.scale)
        typed[f"format-{at}"] = one.proposed.format
    typed.update({"destination_table": "bq_order_lines", **changes})
    return typed


def test_a_proposal_that_nobody_changed_holds_no_type_of_its_own() -> None:
    assert schema_changes(schema_typed(), first_values(ORDERS), ORDERS)["types"] == []


def test_a_type_chosen_by_hand_is_kept_and_marked() -> None:
    changes = schema_changes(schema_typed(**{"type-3": "STRING"}), first_values(ORDERS), ORDERS)
    kept = {"warehouse_type": "STRING", "mode": "NULLABLE", "precision": None, "scale": None, "format": ""}
    assert changes["types"] == [{"name": "delivered", **kept}]
    form = schema_form({**first_values(ORDERS), **changes}, ORDERS)
    assert [row.edited for row in form.rows] == [False, False, False, True]


def test_a_name_bigquery_refuses_is_shown_with_the_one_proposed_and_what_is_typed_is_kept() -> None:
    odd = column("a.b", "text", "STRING").model_copy(update={"warehouse_name": "a_b", "name_reason": "contains ."})
    proposal = ORDERS.model_copy(update={"columns": [*ORDERS.columns, odd]})
    shown = schema_form({}, proposal).rows
    assert [(row.called, row.name_reason) for row in shown[-2:]] == [("", ""), ("a_b", "contains .")]
    changes = schema_changes(QueryDict("destination_table=bq_a&name-4=b_of_a"), {}, proposal)
    assert changes["names"] == {"a.b": "b_of_a"}
    assert schema_form(changes, proposal).rows[-1].called == "b_of_a"
    assert schema_changes(QueryDict("destination_table=bq_a&name-4="), changes, proposal)["names"] == {"a.b": "a_b"}
    # A page without the field, and columns that are no longer copied.
    assert schema_changes(QueryDict("destination_table=bq_a"), changes, proposal)["names"] == {"a.b": "b_of_a"}
    fewer = {**changes, "columns": ["order_id"]}
    assert schema_changes(QueryDict("destination_table=bq_a"), fewer, proposal)["names"] == {}


def test_digits_are_taken_of_decimals_only() -> None:
    typed = schema_typed(**{"type-0": "NUMERIC", "precision-0": "20", "scale-0": "2", "type-2": "FLOAT64"})
    changes = {one["name"]: one for one in schema_changes(typed, first_values(ORDERS), ORDERS)["types"]}
    assert (changes["order_id"]["precision"], changes["order_id"]["scale"]) == (20, 2)
    assert (changes["total"]["precision"], changes["total"]["scale"]) == (None, None)
    with pytest.raises(BadInput):
        schema_changes(schema_typed(**{"precision-2": "many"}), first_values(ORDERS), ORDERS)


@pytest.mark.parametrize(
    ("typed", "rule"),
    [
        ("kind=manual", {"kind": "manual"}),
        ("kind=minutes&every=15", {"kind": "minutes", "every": 15}),
        (
            "kind=weekly&days=friday&days=monday&time=6:05",
            {"kind": "weekly", "days": ["monday", "friday"], "time": "06:05"},
        ),
        ("kind=monthly&day=last&time=02:00", {"kind": "monthly", "day": "last", "time": "02:00"}),
        ("kind=cron&cron=15+2+*+*+*&time=04:00", {"kind": "cron", "cron": "15 2 * * *"}),
    ],
)
def test_a_schedule_that_is_typed_becomes_a_rule_and_fills_the_form_again(typed: str, rule: dict[str, Any]) -> None:
    found = schedule_rule(QueryDict(typed), "Europe/London")
    assert found == {**rule, "time_zone": "Europe/London"}
    form = schedule_form(found, "UTC")
    assert (form.kind, form.time_zone) == (rule["kind"], "Europe/London")
    words, times = next_times(found)
    assert words
    assert len(times) == (0 if rule["kind"] == "manual" else 5)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ("kind=never", "kind"),
        ("kind=minutes&every=0", "every"),
        ("kind=hourly&minute=61", "minute"),
        ("kind=daily&time=25:00", "time"),
        ("kind=daily", "time"),
        ("kind=weekly&time=02:00", "days"),
        ("kind=monthly&day=32&time=02:00", "day"),
        ("kind=cron&cron=every+day", "cron"),
        ("kind=daily&time=02:00&time_zone=Europe/Atlantis", "time_zone"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_at_its_field(typed: str, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        schedule_rule(QueryDict(typed), "UTC")
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ("kind=weekly&time=25:00&time_zone=Europe/Atlantis", ["days", "time", "time_zone"]),
        ("kind=monthly&day=32&time=soon", ["day", "time"]),
        ("kind=never&time_zone=Europe/Atlantis", ["kind", "time_zone"]),
    ],
)
def test_a_schedule_tells_every_fault_at_once(typed: str, fields: list[str]) -> None:
    with pytest.raises(Several) as caught:
        schedule_rule(QueryDict(typed), "UTC")
    assert [fault.field for fault in caught.value.faults] == fields


def test_a_fault_is_told_beside_its_field_below_its_column_or_on_top() -> None:
    faults = [
        BadInput("Taken.", field="destination_table"),
        BadInput("Too wide.", field="types", column="total"),
        BadInput("No name.", field="names", column="total"),
        BadInput("Not text.", field="ordered_at"),
        BadInput("Gone.", field="source_table"),
    ]
    found = told(4, Several(faults), {"total", "ordered_at"})
    assert list(found.beside) == ["destination_table"]
    assert {name: fault.message for name, fault in found.rows.items()} == {
        "total": "Too wide. No name.", "ordered_at": "Not text.",
    }  # fmt: skip
    assert [fault.message for fault in found.elsewhere] == ["Gone."]
    assert found.count == 4
    assert told(3, BadInput("No cursor.", field="load.cursor")).beside.keys() == {"cursor"}
    assert told(3, None).count == 0
