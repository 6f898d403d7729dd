"""The pages about warehouse tables: what they say, what they refuse, how many queries they cost."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tenant_rows import Tenant
from warehouse_rows import NOW, REJECTED, load_table, stop_run, table_of, warehouse_of

from b2b_recs.web.datasets.tables import address_of
from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLRun
from b2b_recs.web.tenancy import scope

TABS = ("", "preview/", "statistics/", "quality/", "versions/", "versions/compare/?before=0&after=1", "rejected/")
MOST_QUERIES = 12
Open = Callable[..., HttpResponse]


def signed_in(tenant: Tenant, role: str = "owner") -> Client:
    client = Client()
    client.force_login(tenant.people[role], backend="django.contrib.auth.backends.ModelBackend")
    return client


def place(tenant: Tenant, path: str = "", table: str = "") -> str:
    return f"/models/{tenant.id_of('ModelEndpoint')}/data/{table or table_of(tenant)}/{path}"


def body(answer: HttpResponse) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.fixture
def opened(acme: Tenant) -> Open:
    """Opens a page of acme's table and gives its text, once what comes later has come."""
    load_table(acme)
    client = signed_in(acme)

    def open_page(path: str, status: int = 200, table: str = "") -> str:
        until = time.monotonic() + 20
        while True:
            answer = client.get(place(acme, path, table))
            assert answer.status_code == status, answer.content[:2000]
            text = body(answer).decode()
            if "data-poll" not in text:
                return text
            assert time.monotonic() < until, "it never came"
            time.sleep(0.05)

    return open_page


def own_queries(captured: CaptureQueriesContext) -> list[str]:
    every_request = ("set_config", "SAVEPOINT", "django_session", '"accounts_membership"', '"accounts_user"."password"')
    return [
        query["sql"]
        for query in captured
        if query["sql"].startswith("SELECT") and not any(mark in query["sql"] for mark in every_request)
    ]


def test_the_list_shows_tables_with_their_jobs_and_hides_those_kept_beside(acme: Tenant) -> None:
    load_table(acme)
    warehouse_of(acme).table("raw_data", "bq_left_alone").append(pa.table({"a": [1]}))
    warehouse_of(acme).table("imported", "bq_other").append(pa.table({"a": [1, 2]}))
    client, path = signed_in(acme, "viewer"), f"/models/{acme.id_of('ModelEndpoint')}/data/"
    text = client.get(path).content.decode()
    assert "3 tables in the warehouse." in text
    assert "bq_left_alone" in text and "no job" in text
    assert f"{path}imported.bq_other/" in text
    assert "__rejected" not in text
    assert 'dir="auto">orders</a>' in text
    found = client.get(f"{path}?q=LEFT").content.decode()
    assert "bq_left_alone" in found and "bq_other" not in found
    assert "No table matches" in client.get(f"{path}?q=nothing").content.decode()
    by_rows = client.get(f"{path}?sort=rows").content.decode()
    assert by_rows.index(table_of(acme)) < by_rows.index("bq_other") < by_rows.index("bq_left_alone")


@pytest.mark.parametrize(
    ("spec", "slug"),
    [
        ({"destination_table": "bq_orders"}, "bq_orders"),
        ({"destination_table": "bq_orders", "destination_dataset": "imported"}, "imported.bq_orders"),
        ({"destination_table": "a/b"}, ""),
        ({}, ""),
    ],
)
def test_a_job_leads_to_the_table_it_fills(spec: dict[str, str], slug: str) -> None:
    assert address_of(7, spec) == (f"/models/7/data/{slug}/" if slug else "")


def test_the_page_of_a_job_links_to_its_table(acme: Tenant) -> None:
    load_table(acme)
    page = f"/models/{acme.id_of('ModelEndpoint')}/etl/jobs/{acme.id_of('DataSource')}/"
    assert f'href="{place(acme)}"' in signed_in(acme, "viewer").get(page).content.decode()


def test_a_model_without_tables_says_what_to_do(acme: Tenant) -> None:
    text = signed_in(acme).get(f"/models/{acme.id_of('ModelEndpoint')}/data/").content.decode()
    assert "No table yet" in text and f"/models/{acme.id_of('ModelEndpoint')}/etl/" in text


def test_the_list_costs_few_queries_however_many_tables_there_are(acme: Tenant) -> None:
    load_table(acme)
    with scope(acme.id):
        first = DataSource.objects.get(id=acme.id_of("DataSource"))
        for number in range(60):
            job = DataSource.objects.create(
                organization=acme.organization, configuration=first.configuration, connection=first.connection,
                name=f"job {number}",
            )  # fmt: skip
            spec = {"source_table": "t", "destination_table": f"bq_t{number}"}
            DataSourceTable.objects.create(organization=acme.organization, data_source=job, spec=spec)
            ETLRun.objects.create(organization=acme.organization, data_source=job, status="failed")
    client, path = signed_in(acme), f"/models/{acme.id_of('ModelEndpoint')}/data/"
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        text = client.get(path).content.decode()
    assert len(own_queries(captured)) <= MOST_QUERIES
    assert "60 not loaded yet" in text and "1 to 20 of 61" in text
    never = client.get(place(acme, "preview/", "bq_t7")).content.decode()
    assert "The table could not be loaded" in never


@pytest.mark.parametrize("tab", TABS)
def test_a_tab_opens_for_a_viewer_with_few_queries_and_not_for_another_organization(
    acme: Tenant, rival: Tenant, tab: str
) -> None:
    load_table(acme)
    client = signed_in(acme, "viewer")
    client.get(place(acme, tab))
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(place(acme, tab))
    assert answer.status_code == 200
    assert len(own_queries(captured)) <= MOST_QUERIES
    assert signed_in(rival).get(place(acme, tab)).status_code == 404
    missing = signed_in(acme).get(place(acme, tab, "bq_nothing"))
    assert missing.status_code == 404 and "has no table bq_nothing." in missing.content.decode()
    assert signed_in(acme).get(place(acme, tab, f"{table_of(acme)}__rejected")).status_code == 404
    assert signed_in(acme).get(place(acme, tab, "a.b.c")).status_code == 404


def test_the_overview_tells_columns_their_parts_and_what_fills_the_table(opened: Open) -> None:
    text = opened("")
    assert "New and changed rows are taken over, by the column at." in text
    assert '<span class="badge badge-none">key</span>' in text
    assert "Copied from orders of shop." in text


def test_a_preview_shows_values_as_they_are_and_what_is_missing_as_null(opened: Open) -> None:
    text = opened("preview/")
    assert "<td><bdi>=1+1</bdi></td>" in text
    assert '<td><span class="null">NULL</span></td>' in text
    assert '<td class="num">-2</td>' in text
    older = opened("preview/?version=0")
    assert "/download/?version=0&amp;format=csv" in older
    assert "This is version 0" in older and "<bdi>last</bdi>" not in older
    assert "has no version 99" in opened("preview/?version=99", status=404)
    assert "4 rows" in opened("preview/?version=abc")


def test_a_wide_table_with_long_texts_and_markup_stays_readable(acme: Tenant, opened: Open) -> None:
    wide = {f"c{number}": ["<b>" + "x" * 5_000] for number in range(45)}
    warehouse_of(acme).table("raw_data", "bq_wide").append(pa.table(wide))
    first, second = (opened(f"preview/?columns={group}", table="bq_wide") for group in (1, 9))
    assert "columns 1 to 40 of 45" in first and "columns 41 to 45 of 45" in second
    assert "<details" in first and "more characters" in first
    assert "<b>x" not in first and "&lt;b&gt;x" in first


def test_the_columns_of_a_preview_are_chosen_and_stay_chosen(acme: Tenant, opened: Open) -> None:
    wide = {f"c{number}": [number] for number in range(45)}
    warehouse_of(acme).table("raw_data", "bq_wide").append(pa.table(wide))
    text = opened("preview/?version=0&show=c44&show=c3&show=gone", table="bq_wide")
    assert re.findall(r'<th scope="col"[^>]*><span dir="auto">(\w+)', text) == ["c3", "c44"]
    ticked = set(re.findall(r'name="show" value="(\w+)" checked', text))
    assert ticked == {"c3", "c44"} and text.count('name="show"') == 45
    assert '<input type="hidden" name="version" value="0">' in text and "Further columns" not in text
    assert "columns 1 to 40 of 45" in opened("preview/?show=gone", table="bq_wide")
    most = "&".join(f"show=c{number}" for number in range(42))
    further = re.search(r'href="(\?[^"]*columns=2)"', opened(f"preview/?{most}", table="bq_wide"))
    assert further is not None and further[1].count("show=c") == 42


def test_statistics_come_later_and_are_kept(acme: Tenant, opened: Open) -> None:
    text = opened("statistics/")
    assert "4 rows, 3 columns" in text
    assert "25 % without a value" in text
    assert 'aria-label="price from -2.0 to 4.0' in text or 'aria-label="price from -2 to 4' in text
    assert "≈" in text
    kept = list((warehouse_of(acme).table("raw_data", table_of(acme)).folder / "_profiles").glob("*.json"))
    assert [path.name.startswith("statistics-1-") for path in kept] == [True]
    assert opened("statistics/?q=PRI").count("stat-name") == 1
    assert "No column matches" in opened("statistics/?q=zzz")
    assert "3 rows, 3 columns" in opened("statistics/?version=0")


def test_a_version_that_goes_while_its_statistics_are_waited_for_is_told_in_their_place(acme: Tenant) -> None:
    load_table(acme)
    answer = signed_in(acme).get(place(acme, "statistics/panel/?version=9"), headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert "has no version 9" in text and 'id="panel"' in text and "<html" not in text and "data-poll" not in text


def test_quality_is_told_in_plain_sentences(opened: Open) -> None:
    text = opened("quality/")
    assert "1 row has a value below zero." in text
    assert "1 hint</span>" in text


def test_versions_are_listed_with_their_runs_and_compared(acme: Tenant, opened: Open) -> None:
    text = opened("versions/")
    run = acme.id_of("ETLRun")
    assert f'/runs/copies/{run}/">Run {run}</a>' in text
    assert "Run 900000" in text and "/runs/copies/900000/" not in text
    assert "+1" in text
    compared = opened("versions/compare/?before=1&after=0")
    assert "Version 0 and version 1" in compared and "Rows are matched by" in compared
    assert "is the same as" in opened("versions/compare/?before=1&after=1", status=422)
    assert "Two versions are needed" in opened("versions/compare/", status=422)
    assert "has no version 9" in opened("versions/compare/?before=9&after=0", status=404)


def test_a_rejected_row_is_told_by_its_key_and_its_column_is_named_once(acme: Tenant, opened: Open) -> None:
    table = warehouse_of(acme).table("raw_data", table_of(acme))
    row = {"row": json.dumps({"id": "41", "d1": "n/a"}), "column": "d1", "reason": "d1: n/a is not a date"}
    kept = {**row, "run": "etl-run-1", "rejected_at": NOW, "fingerprint": "2"}
    table.rejected.append(pa.Table.from_pylist([kept], REJECTED))
    text = opened("rejected/?column=d1&reason=d1:+n/a+is+not+a+date")
    assert '<span class="sample" title="id" dir="auto">41</span>' in text
    assert "<td>n/a is not a date</td>" in text and "</span> n/a is not a date</span>" in text
    assert "x</span>" not in text  # the row with another reason


def test_whether_a_column_may_be_empty_is_said_as_in_the_wizard(opened: Open) -> None:
    text = opened("")
    assert '<td class="small" title="NULLABLE"><span class="faint">may be empty</span></td>' in text
    assert "NULLABLE<" not in text
    statistics = opened("statistics/")
    assert "always filled" in statistics and "NULL" not in statistics


def test_rejected_rows_are_searched_narrowed_and_exported(acme: Tenant, opened: Open) -> None:
    assert "is not a whole number" in opened("rejected/")
    assert "No rejected row matches" in opened("rejected/?q=zzz")
    assert "Nobody of Acme" in opened("rejected/?q=NOBODY&column=id&reason=is+not+a+whole+number")
    rows = list(csv.DictReader(io.StringIO(opened("rejected/export/"))))
    assert [(row["column"], row["reason"]) for row in rows] == [("id", "is not a whole number")]
    warehouse_of(acme).table("raw_data", "bq_clean").append(pa.table({"a": [1]}))
    assert "No row was rejected" in opened("rejected/", table="bq_clean")


def test_rows_that_stopped_a_run_are_shown_apart_from_those_the_table_lacks(acme: Tenant, opened: Open) -> None:
    table = warehouse_of(acme).table("raw_data", table_of(acme))
    assert "was stopped" not in opened("rejected/")
    stop_run(acme, table, 2)
    text = opened("rejected/")
    assert "A later run was stopped" in text and "Look at 2 of them" in text and "is too large" not in text
    with scope(acme.id):
        ETLRun.objects.filter(id=acme.id_of("ETLRun")).update(rows_rejected=70_000, error_code="too_many_rejected")
    stopped = opened("rejected/?stopped=1")
    assert "The first 2 of 70,000 are kept" in stopped and "is too large" in stopped and "Nothing of it" in stopped
    assert f"/runs/copies/{acme.id_of('ETLRun')}/" in stopped and 'name="stopped" value="1"' in stopped
    rows = list(csv.DictReader(io.StringIO(opened("rejected/export/?stopped=1"))))
    assert [row["reason"] for row in rows] == ["is too large"] * 2
    assert "is too large" not in opened("rejected/export/")
    run = signed_in(acme).get(f"/models/{acme.id_of('ModelEndpoint')}/runs/copies/{acme.id_of('ETLRun')}/")
    assert "rejected/?stopped=1" in run.content.decode()


def test_a_table_that_was_never_loaded_shows_the_rows_that_stopped_its_first_run(acme: Tenant) -> None:
    with scope(acme.id):
        row = DataSourceTable.objects.get(id=acme.id_of("DataSourceTable"))
        row.spec = {"source_table": "orders", "destination_table": "bq_never"}
        row.save()
    client, path = signed_in(acme), place(acme, "rejected/", "bq_never")
    assert "Not loaded yet" in client.get(path).content.decode()
    stop_run(acme, warehouse_of(acme).table("raw_data", "bq_never"), 1)
    assert "is too large" in client.get(path).content.decode()
    assert "Not loaded yet" in client.get(place(acme, "", "bq_never")).content.decode()


def test_a_sample_is_sent_as_csv_without_formulas_or_as_parquet(acme: Tenant) -> None:
    load_table(acme)
    client = signed_in(acme)
    answer = client.get(place(acme, "download/?format=csv"))
    assert answer["Content-Disposition"] == f'attachment; filename="{table_of(acme)}-version-1.csv"'
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(body(answer).decode()))}
    assert (rows["2"]["who"], rows["2"]["price"], rows["3"]["who"]) == ("'=1+1", "-2.0", "")
    few = body(client.get(place(acme, "download/?format=csv&rows=2&version=0"))).decode().splitlines()
    assert len(few) == 3
    parquet = pq.read_table(io.BytesIO(body(client.get(place(acme, "download/?format=parquet")))))
    assert parquet.num_rows == 4 and parquet.column_names == ["id", "who", "price"]
    assert client.get(place(acme, "download/?version=77")).status_code == 404
