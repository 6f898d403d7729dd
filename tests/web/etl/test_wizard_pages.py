"""The pages of the wizard speak of what they ask for, keep what was typed, and show times in the schedule's zone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tenant_rows import Tenant
from wizard_rows import address_of, draft_of, looked_at_job, signed_in

from b2b_recs.web.etl.models import DataSource, DataSourceTable
from b2b_recs.web.projects.models import Schedule
from b2b_recs.web.tenancy import scope


@pytest.fixture
def job(acme: Tenant) -> str:
    """The address of a job whose table was looked at a moment ago."""
    return looked_at_job(acme)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"destination_table": "1 orders"}, "The table name “1 orders” cannot be used. Begin with a letter or _"),
        ({"destination_table": ""}, "The table name is missing. Begin with a letter"),
        (
            {"destination_table": "b" * 140},
            "This table name is 12 characters too long: it has 140, and 128 is the most",
        ),
        ({"destination_table": "bq_orders", "rejects": "250"}, "“250” is no percentage of rows. Give a number from 0"),
        (
            {"destination_table": "bq_orders", "rejects": "many"},
            "“many” is no percentage of rows. Give a number from 0",
        ),
    ],
)
def test_a_warehouse_table_that_cannot_be_is_refused_in_the_words_of_the_page(
    acme: Tenant, job: str, typed: dict[str, str], words: str
) -> None:
    answer = signed_in(acme).post(f"{job}step/4/", typed)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert words in text
    assert all(f'value="{value}"' in text for value in typed.values())
    assert "reject_threshold must" not in text and "destination_table has" not in text


@pytest.mark.parametrize(
    ("typed", "column", "words"),
    [
        (
            {"type-0": "NUMERIC", "precision-0": "many"},
            "id",
            "“many” is not a number of digits for “id”. Give 0 to 76.",
        ),
        ({"type-1": "NUMERIC", "precision-1": "2", "scale-1": "5"}, "note", "after the point than digits in all"),
        ({"type-0": "DATE", "format-0": "31.12.2024"}, "id", "has a format for dates"),
        ({"name-1": "_TABLE_of"}, "note", "cannot be called “_TABLE_of” in the warehouse: that begins with _TABLE_"),
    ],
)
def test_a_fault_of_a_column_stands_beside_it(
    acme: Tenant, job: str, typed: dict[str, str], column: str, words: str
) -> None:
    text = signed_in(acme).post(f"{job}step/4/", {"destination_table": "bq_orders", **typed}).content.decode()
    at = ["id", "note"].index(column)
    label = f"Name of {column} in" if "name-1" in typed else f"Type of {column} in"
    field = re.search(rf'aria-label="{label} the warehouse"([^>]*)>', text)
    assert field is not None and f'aria-invalid="true" aria-describedby="column-{at}-error"' in field[1]
    assert text.count('aria-invalid="true"') == 1
    row = re.search(r'<tr class="schema-fault">.*?</tr>', text, re.S)
    assert row is not None and words in row[0]
    assert text.count(f'id="column-{at}-error"') == 1
    assert "Settings to change" not in text
    assert 'value="bq_orders"' in text
    for name, value in typed.items():
        assert re.search(rf'name="{name}"[^>]* value="{value}"|name="{name}".*?<option value="{value}" selected', text)
    assert text.index("Type of id in") < row.start()
    assert column == "note" or row.start() < text.index("Type of note in")


def faults_of(text: str) -> set[str]:
    """The fields a page tells faults of; the fields they stand beside say that they are invalid."""
    found = set(re.findall(r'class="field-error"[^>]* id="([\w-]+)-error"', text))
    marked = {one for words in re.findall(r'aria-describedby="([^"]*)"', text) for one in words.split()}
    assert {f"{name}-error" for name in found - {"columns", "key", "types", "name", "days"}} <= marked
    return found


def counted(text: str) -> str:
    """What the notice on top counts."""
    found = re.search(r"Settings to change: <span data-faults-left>(\d+)</span>", text)
    return found[1] if found else ""


def test_a_warehouse_table_tells_every_fault_at_once_beside_its_field(acme: Tenant, job: str) -> None:
    typed = {
        "destination_table": "1 orders", "rejects": "250", "partition_by": "gone", "cluster": ["id", "id"],
        "type-0": "NUMERIC", "precision-0": "2", "scale-0": "5", "type-1": "NUMERIC", "precision-1": "many",
        "name-1": "_TABLE_of",
    }  # fmt: skip
    answer = signed_in(acme).post(f"{job}step/4/", typed)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert faults_of(text) == {"destination_table", "reject_threshold", "cluster_by", "column-0", "column-1"}
    assert counted(text) == "5"
    assert "after the point than digits in all" in text
    assert "“many” is not a number of digits" in text and "that begins with _TABLE_" in text


def test_two_columns_called_alike_and_one_that_cannot_be_are_told_together(acme: Tenant, job: str) -> None:
    typed = {"destination_table": "bq_orders", "name-0": "same", "name-1": "SAME", "type-0": "DATE", "format-0": "%q"}
    text = signed_in(acme).post(f"{job}step/4/", typed).content.decode()
    assert faults_of(text) == {"column-0", "column-1"}
    assert counted(text) == "2"
    assert "is called already; capitals make no other name" in text


def test_a_job_without_name_and_connection_tells_both(acme: Tenant) -> None:
    address = f"/models/{acme.id_of('ModelEndpoint')}/etl/jobs/new/"
    text = signed_in(acme).post(address, {"name": " ", "connection": "0"}).content.decode()
    assert faults_of(text) == {"name", "connection"}
    assert counted(text) == "2"


def test_a_job_that_is_refused_a_name_shows_what_was_typed(acme: Tenant, job: str) -> None:
    text = signed_in(acme).post(f"{job}step/1/", {"name": "x" * 130, "connection": ""}).content.decode()
    assert faults_of(text) == {"name", "connection"}
    assert f'value="{"x" * 130}"' in text


@pytest.mark.parametrize(
    ("step", "typed", "fields"),
    [
        (3, {"strategy": "merge", "backfill": "date", "lag": "often", "row_limit": "-3"},
         {"cursor", "key", "since", "lag", "row_limit", "columns"}),
        (5, {"kind": "weekly", "time": "25:00", "time_zone": "Europe/Atlantis"}, {"days", "time", "time_zone"}),
    ],
)  # fmt: skip
def test_a_step_tells_every_fault_at_once_beside_its_field(
    acme: Tenant, job: str, step: int, typed: dict[str, str], fields: set[str]
) -> None:
    text = signed_in(acme).post(f"{job}step/{step}/", typed).content.decode()
    assert faults_of(text) == fields
    assert counted(text) == str(len(fields))


@pytest.mark.parametrize("step", [3, 4])
def test_columns_that_came_while_the_page_stood_open_are_told(acme: Tenant, job: str, step: int) -> None:
    client = signed_in(acme)
    typed = {"strategy": "catalog", "column": ["id"], "destination_table": "bq_orders", "shown": '["id"]'}
    text = client.post(f"{job}step/{step}/", typed).content.decode()
    assert "A column was not there when this page was opened: note." in text
    assert 'name="shown" value="[&quot;id&quot;, &quot;note&quot;]"' in text
    assert (
        'name="shown" value="[&quot;id&quot;, &quot;note&quot;]"' in client.get(f"{job}step/{step}/").content.decode()
    )


def test_the_page_of_types_asks_for_rejected_rows_and_is_calm_about_text(acme: Tenant, job: str) -> None:
    text = signed_in(acme).get(f"{job}step/4/").content.decode()
    assert 'name="rejects" value="5"' in text
    assert "conf-none" in text and "conf-low" not in text
    assert 'aria-label="Decimals of id"' in text


def test_a_first_day_in_the_future_is_refused_beside_its_field_and_shown_again(acme: Tenant, job: str) -> None:
    typed = {
        "strategy": "merge", "column": ["id", "note"], "key": "id", "cursor": "id", "backfill": "date",
        "since": "2999-01-31",
    }  # fmt: skip
    text = signed_in(acme).post(f"{job}step/3/", typed).content.decode()
    assert 'id="since-error"' in text and "31 Jan 2999 is in the future" in text
    assert 'value="2999-01-31"' in text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"row_limit": "-3"}, "row_limit"), ({"key": []}, "key"), ({"column": []}, "columns"), ({"cursor": ""}, "cursor")],
)
def test_a_load_that_is_refused_shows_everything_as_it_was_typed(
    acme: Tenant, job: str, wrong: dict[str, Any], field: str
) -> None:
    typed = {
        "strategy": "merge", "column": ["id"], "key": "id", "cursor": "id", "backfill": "date", "lag": "86400",
        "since": "2024-01-31", "drift": "ignore", "deletes": "keep", **wrong,
    }  # fmt: skip
    text = signed_in(acme).post(f"{job}step/3/", typed).content.decode()
    assert f'id="{field}-error"' in text
    assert 'value="merge" checked' in text and 'value="2024-01-31"' in text
    for chosen in ("date", "86400", "ignore", *filter(None, [typed["cursor"]])):
        assert f'<option value="{chosen}" selected' in text, chosen
    ticked = set(re.findall(r'<input type="checkbox" name="column" value="(\w+)"[^>]* checked', text))
    assert ticked == set(typed["column"])
    assert f'value="{wrong.get("row_limit", "")}"' in text


def test_what_the_review_offers_to_change_leads_to_the_step_that_asks_for_it(acme: Tenant, job: str) -> None:
    text = signed_in(acme).get(f"{job}step/5/").content.decode()
    assert re.findall(rf'href="{job}step/(\d)/" aria-label="([^"]*)">Change</a>', text) == [
        ("1", "Change the connection"),
        *(("3", f"Change “{name}”") for name in ("Load", "Old versions", "Columns", "New columns in the source")),
        *(("4", f"Change “{name}”") for name in ("Warehouse table", "Types", "Rows that may be rejected")),
    ]


def test_a_zone_that_is_none_is_shown_as_it_was_typed(acme: Tenant, job: str) -> None:
    typed = {"kind": "daily", "time": "03:30", "time_zone": "Europe/Atlantis"}
    text = signed_in(acme).post(f"{job}step/5/", typed).content.decode()
    assert 'id="time_zone-error"' in text
    assert 'value="Europe/Atlantis"' in text and 'value="03:30"' in text


def test_next_times_of_a_job_are_shown_in_the_zone_of_its_schedule_which_is_named(acme: Tenant, job: str) -> None:
    with scope(acme.id):
        row = DataSource.objects.get(id=acme.id_of("DataSource"))
        Schedule.objects.filter(target_id=row.id).update(
            kind="daily", cron="", rule={"time": "03:30"}, time_zone="Asia/Tokyo"
        )
    client = signed_in(acme)
    text = client.get(job).content.decode()
    assert len(re.findall(r"\w{3} \d{1,2} \w{3}, 03:30<br>", text)) == 5
    assert "Asia/Tokyo</span>" in text
    row = client.get(f"/models/{acme.id_of('ModelEndpoint')}/etl/").content.decode()
    assert 'Every day at 03:30 <span class="faint">Asia/Tokyo</span>' in row


@pytest.mark.parametrize(
    ("wrong", "beside", "told"),
    [
        ({"column": ["note"], "cursor": "id", "key": "id"}, "column-1", "The column “id” is needed and not chosen."),
        ({"column": ["id"], "cursor": "id", "key": "note"}, "column-2", "The column “note” is needed and not chosen."),
        ({"column": [], "cursor": "id", "key": "id"}, "columns", "No column is chosen."),
        ({"column": ["id"], "cursor": "id", "key": []}, "key", "Changed rows need a key that tells rows apart."),
    ],
)
def test_what_step_3_refuses_of_columns_stands_beside_the_tick_it_is_about(
    acme: Tenant, job: str, wrong: dict[str, Any], beside: str, told: str
) -> None:
    text = signed_in(acme).post(f"{job}step/3/", {"strategy": "merge", "backfill": "all", **wrong}).content.decode()
    note = text.split(f'id="{beside}-error"')[1].split("</span></span>")[0]
    assert told in note
    marked = re.findall(r'<input type="checkbox"[^>]*aria-invalid="true"[^>]*aria-describedby="([\w-]+)"', text)
    assert marked == [f"{beside}-error"]


def test_a_column_to_arrange_by_that_is_chosen_twice_is_marked_where_it_is_chosen_again(acme: Tenant, job: str) -> None:
    typed = {"destination_table": "bq_orders", "cluster": ["id", "note", "id", ""]}
    text = signed_in(acme).post(f"{job}step/4/", typed).content.decode()
    marked = re.findall(r'<select class="select" id="(id_cluster_\d)"[^>]*aria-invalid="true"', text)
    assert marked == ["id_cluster_3"] and text.count('id="cluster_by-error"') == 1


def test_whether_a_warehouse_table_is_free_is_told_while_its_name_is_typed(acme: Tenant, job: str) -> None:
    client, draft = signed_in(acme), draft_of(acme, "again", 4)
    address = f"{address_of(acme, draft.id)}table-name/"

    def told(name: str, at: str = address) -> str:
        return client.get(at, {"destination_table": name}).content.decode()

    assert ">Free<" in told("bq_other") and ">Free<" in told("_x")
    assert "The warehouse table bq_orders is already filled by the job" in told("BQ_orders")
    assert "Begin with a letter or _" in told("1 orders")
    assert "a letter or _, then" in told("") and ">Free<" in told("bq_orders", f"{job}table-name/")
    page = client.get(f"{address_of(acme, draft.id)}step/4/").content.decode()
    assert f'hx-get="{address}" hx-trigger="input changed delay:300ms"' in page


def test_resetting_gives_back_everything_the_step_of_a_draft_asks_for(acme: Tenant, job: str) -> None:
    client = signed_in(acme)
    kept = {"destination_table": "bq_mine", "cluster_by": ["id"], "reject_threshold": 0.5, "names": {"id": "number"}}
    draft = draft_of(acme, "again", 4, **kept)
    address = f"{address_of(acme, draft.id)}step/4/"
    assert ">Reset to proposal<" in client.get(address).content.decode()
    assert client.post(address, {"do": "reset"}).status_code == 302
    with scope(acme.id):
        spec = DataSourceTable.objects.get(data_source=draft).spec
    assert (spec["destination_table"], spec["cluster_by"], spec["reject_threshold"], spec["names"]) == (
        "bq_orders_2", [], 0.05, {},
    )  # fmt: skip
    assert ">Reset types to proposal<" in client.get(f"{job}step/4/").content.decode()
