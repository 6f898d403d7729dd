"""The audit log: every kind is told in words, nothing secret is, and a reader sees one organization."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tenant_rows import Tenant
from web.accounts.test_members import MEMBERS, membership, signed_in
from web_support import TestDatabase

from b2b_recs.runtime.schedules import ScheduleSpec
from b2b_recs.web.accounts.api_keys import create_key, revoke_key
from b2b_recs.web.accounts.models import Invitation, Organization
from b2b_recs.web.audit import asking, reading, time_line
from b2b_recs.web.audit.changes import HIDDEN, differences
from b2b_recs.web.audit.kinds import KINDS
from b2b_recs.web.connections.models import Connection, StoredSecret
from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLRun
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.projects.schedules import set_schedule
from b2b_recs.web.tenancy import scope
from b2b_recs.web.tenancy.models import TenantEvent

AUDIT = "/organization/audit/"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def told(tenant: Tenant, **ask: str) -> list[str]:
    """The entries as plain text, newest first."""
    with scope(tenant.id):
        return [entry.words for entry in reading.page_of(asking.Ask.of({"period": "all", **ask})).entries]


def acting(tenant: Tenant, role: str = "owner") -> Any:
    """A scope whose changes are noted as that person's."""
    person = tenant.people[role]
    notes = {"user": person.id, "email": person.email, "address": "203.0.113.9", "request": "r1"}
    return scope(tenant.id, user_id=person.id, audit=notes)


def test_every_table_of_events_of_an_organization_is_told() -> None:
    kept = {model.pgh_tracked_model for model in apps.get_models() if issubclass(model, TenantEvent)}
    assert {kind.model for kind in KINDS} == kept | {Organization}
    for kind in KINDS:
        columns = {field.name for field in kind.event._meta.fields} | {"user_id"}
        assert set(kind.labels) | set(kind.needs) <= columns, kind.code


def test_every_table_of_events_finds_newest_entries_and_states_before_by_an_index(
    platform_database: TestDatabase,
) -> None:
    tables = {kind.event._meta.db_table for kind in KINDS}
    with platform_database.superuser() as session:
        for ending in ("pgh_created_at DESC, pgh_id DESC)", "(pgh_obj_id, pgh_id DESC)"):
            query = "SELECT tablename FROM pg_indexes WHERE indexdef LIKE %s"
            assert tables <= {name for (name,) in session.execute(query, (f"%{ending}",))}, ending


def test_the_change_of_a_schedule_is_told_as_people_say_it(acme: Tenant) -> None:
    job = acme.id_of("DataSource")
    with acting(acme):
        acme.people["owner"].full_name = "Anna"
        acme.people["owner"].save()
        DataSource.objects.filter(id=job).update(name="Order lines")
    with acting(acme):  # what is changed in one transaction is changed at one time
        daily = ScheduleSpec.parse({"kind": "daily", "time": "02:00", "time_zone": "UTC"})
        hourly = ScheduleSpec.parse({"kind": "hourly", "minute": 15, "time_zone": "UTC"})
        set_schedule(acme.id, "etl", job, daily, True, NOW)
        set_schedule(acme.id, "etl", job, hourly, True, NOW)
        set_schedule(acme.id, "etl", job, hourly, False, NOW)
        set_schedule(acme.id, "etl", job, ScheduleSpec(), True, NOW)
    assert told(acme, kind="jobs", who="people")[:3] == [
        "Anna removed the schedule of Order lines",
        "Anna paused the schedule of Order lines",
        "Anna changed the schedule of Order lines: every day at 02:00, UTC → every hour at :15, UTC",
    ]


def test_people_keys_and_runs_are_told_as_people_say_it(acme: Tenant) -> None:
    signed_in(acme, "owner").post(f"{MEMBERS}{membership(acme, 'editor').id}/role/", {"role": "viewer"})
    signed_in(acme, "admin").post(MEMBERS, {"email": "nina@example.com", "role": "editor"})
    signed_in(acme, "viewer").post("/organization/leave/", {"membership": membership(acme, "viewer").id})
    with acting(acme):
        key, _ = create_key("CRM", scopes=["read"])
        revoke_key(key)
        ETLRun.objects.update(cancel_requested=True)
        ETLRun.objects.update(status="cancelled")
        Invitation.objects.filter(email="nina@example.com").delete()
    entries = told(acme)
    owner, admin, viewer = (f"{role}@acme.example" for role in ("owner", "admin", "viewer"))
    for line in (
        f"{owner} changed the role of editor@acme.example: editor → viewer",
        f"{admin} invited nina@example.com: as editor",
        f"{owner} withdrew the invitation of nina@example.com",
        f"{viewer} left the organization",
        f"{owner} made the API key CRM: may read everything",
        f"{owner} revoked the API key CRM",
        f"{owner} stopped the copy of orders",
        f"{owner} cancelled the copy of orders",
        "b2b-recs created the connection shop",
    ):
        assert line in entries, "\n".join(entries)


def test_a_row_that_is_gone_keeps_its_name(acme: Tenant) -> None:
    with acting(acme):
        DataSource.objects.get().delete()
    entries = told(acme)
    assert "owner@acme.example deleted the job orders" in entries
    assert "owner@acme.example deleted the copy settings of orders" in entries
    assert "b2b-recs asked for a copy of orders" in entries


def test_documents_are_told_value_by_value(acme: Tenant) -> None:
    with acting(acme):
        Connection.objects.update(parameters={"host": "db.example.com", "port": 5432})
        DataSourceTable.objects.update(
            spec={"source_table": "orders", "columns": [{"name": "price", "type": "NUMERIC"}]}
        )
        DataSourceTable.objects.update(
            spec={"source_table": "orders", "columns": [{"name": "price", "type": "STRING"}]}
        )
    entries = told(acme, kind="connections") + told(acme, kind="jobs")
    assert "owner@acme.example changed the connection shop: host: db → db.example.com; port: none → 5,432" in entries
    assert "owner@acme.example changed the copy settings of orders: columns price type: NUMERIC → STRING" in entries


def test_no_secret_is_told(acme: Tenant) -> None:
    canary = "canary-9f8e7d"
    with acting(acme):
        Connection.objects.update(
            parameters={"password": canary, "nested": {"api_key": canary}, "url": f"mysql://root:{canary}@db/x"}
        )
        StoredSecret.objects.update(ciphertext=canary.encode())
        _, text = create_key("CRM", scopes=["read"])
    client = signed_in(acme, "owner")
    pages = [client.get(AUDIT, {"period": "all"}), client.get(f"{AUDIT}audit.csv", {"period": "all"})]
    for page in pages:
        shown = page.content.decode()
        assert HIDDEN in shown and canary not in shown and text not in shown
    assert [str(one) for one in differences({"password": "password"}, {"password": "a"}, {"password": "b"})] == [
        f"password: {HIDDEN} → {HIDDEN}"
    ]


SEARCHES: list[tuple[dict[str, str], str, str]] = [
    ({"q": "shop"}, "created the connection shop", "created the model"),
    ({"q": "spare", "kind": "connections"}, "created the connection shop", "created the model"),
    ({"q": "SPARE", "kind": "models"}, "renamed spare parts", "created the connection"),
    ({"q": "owner@"}, "spare parts", "b2b-recs created the connection"),
    ({"q": "invitation"}, "guest@acme.example", "created the connection"),
    ({"who": "people"}, "spare parts", "b2b-recs"),
    ({"who": "platform"}, "b2b-recs created the connection", "changed the model"),
    ({"action": "changed"}, "spare parts", "created the connection"),
    ({"kind": "connections"}, "shop", "spare parts"),
    ({"kind": "nonsense", "who": "x", "action": "y"}, "spare parts", "\0"),
]


def test_entries_are_found_by_object_person_kind_and_action(acme: Tenant) -> None:
    with acting(acme):
        ModelEndpoint.objects.update(name="renamed spare parts")
    for ask, expected, absent in SEARCHES:
        lines = "\n".join(told(acme, **ask))
        assert expected in lines, ask
        assert absent not in lines, ask


def test_a_period_leaves_out_what_was_before(acme: Tenant, platform_database: TestDatabase) -> None:
    with platform_database.superuser() as session:
        session.execute("SET session_replication_role = replica")
        session.execute("UPDATE connections_connectionevent SET pgh_created_at = now() - interval '8 days'")
    assert not any("connection shop" in line for line in told(acme, period="week"))
    assert any("connection shop" in line for line in told(acme, period="month"))


def test_what_a_program_did_carries_its_keys_name(acme: Tenant) -> None:
    with scope(acme.id):
        key, text = create_key("nightly job", scopes=["write"], user=acme.people["owner"])
    program = Client(headers={"Authorization": f"Bearer {text}"})
    connection_id = acme.id_of("Connection")
    with scope(acme.id, audit={"api_key": key.prefix, "request": "r2"}):
        Connection.objects.filter(id=connection_id).update(name="renamed")
    assert "API key “nightly job” changed the connection renamed: name: shop → renamed" in told(acme, q="nightly")
    assert told(acme, who="programs")
    assert program.get(AUDIT).status_code == 403


def test_a_page_costs_few_queries_however_many_entries(acme: Tenant) -> None:
    with acting(acme):
        for number in range(120):
            Connection.objects.update(name=f"shop {number}")
            DataSource.objects.update(name=f"orders {number}")
    client = signed_in(acme, "owner")
    client.get(AUDIT)
    with CaptureQueriesContext(connection) as captured:
        page = client.get(AUDIT, {"q": "shop"}).content.decode()
    assert page.count('class="audit-line"') == 50
    assert len(captured) <= 20, "\n".join(query["sql"][:120] for query in captured)  # 12 and what every request costs
    assert "No entry matches" in client.get(AUDIT, {"q": "nothing like this"}).content.decode()
    assert client.get(f"{AUDIT}audit.csv", {"q": "nothing like this"}).content.decode().count("\n") == 1
    assert "Nothing changed" not in client.get(AUDIT, {"until": "2020-01-01"}).content.decode()


def test_pages_follow_each_other_without_a_gap_or_a_repetition(acme: Tenant) -> None:
    with acting(acme):
        for number in range(60):  # one transaction: all at one time, so numbers and kinds decide the order
            Connection.objects.update(name=f"shop {number}")
            DataSource.objects.update(name=f"orders {number}")
    with scope(acme.id):
        ask = asking.Ask.of({"period": "all"})
        everything = [place.mark for place in time_line.newest(ask, 1_000)]
        page, found, pages = time_line.stretch_of(ask), [], []
        while True:
            found += [place.mark for place in page.places]
            pages.append(page)
            if not page.older:
                break
            page = time_line.stretch_of(ask, before=page.older)
        assert found == everything and len(everything) > 120
        assert all(len(one.places) == time_line.PER_PAGE for one in pages[:-1])
        for later, earlier in pairwise(pages):
            assert time_line.stretch_of(ask, after=earlier.newer).places == later.places
        assert not pages[0].newer
        # from a place near the newest one, the page is the newest one and a whole one
        assert time_line.stretch_of(ask, after=pages[0].places[3].mark) == pages[0]
    client = signed_in(acme, "owner")
    text = client.get(AUDIT, {"q": "shop", "period": "all"}).content.decode()
    older = re.search(r'rel="next" href="([^"]*)"', text)
    assert older is not None and "q=shop" in older[1] and 'rel="prev"' not in text
    text = client.get(f"{AUDIT}{html.unescape(older[1])}").content.decode()
    assert 'rel="prev"' in text and ">Newest<" in text


@pytest.mark.parametrize("mark", ["", "x", "1-2", "1-2-Nothing", "٣-1-Connection", f"{'9' * 40}-1-Connection"])
def test_a_mark_that_is_none_leads_to_the_newest_page(acme: Tenant, mark: str) -> None:
    answer = signed_in(acme, "owner").get(AUDIT, {"before": mark, "after": mark, "period": "all"})
    assert answer.status_code == 200 and 'rel="prev"' not in answer.content.decode()


def test_the_file_holds_what_the_page_shows_and_no_formula(acme: Tenant) -> None:
    with acting(acme):
        Connection.objects.update(name="=cmd|' /C calc'!A0")
    answer = signed_in(acme, "admin").get(f"{AUDIT}audit.csv", {"kind": "connections"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert rows[0]["object"] == "'=cmd|' /C calc'!A0"
    assert (rows[0]["who"], rows[0]["action"], rows[0]["address"]) == (
        "owner@acme.example", "changed the connection", "203.0.113.9"
    )  # fmt: skip
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert len(rows) == len(told(acme, kind="connections"))


def test_only_admins_and_owners_read_it(acme: Tenant, rival: Tenant) -> None:
    for role, status in (("viewer", 403), ("editor", 403), ("admin", 200), ("owner", 200)):
        for address in (AUDIT, f"{AUDIT}audit.csv"):
            answer = signed_in(acme, role).get(address)
            assert answer.status_code == status
            assert b"Rival" not in answer.content
    assert not any("Rival" in line for line in told(acme))
    assert any("organization Rival" in line for line in told(rival))
