"""A step that was saved meanwhile in another tab is not overwritten without a word."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from tenant_rows import Tenant
from wizard_rows import address_of, draft_of, looked_at_job, signed_in

from b2b_recs.web.etl.models import DataSourceTable
from b2b_recs.web.tenancy import scope

TYPED: dict[int, tuple[dict[str, Any], dict[str, Any], str]] = {
    1: ({"name": "first"}, {"name": "second"}, "the name “first”, from “shop”"),
    3: (
        {"strategy": "catalog", "column": ["id", "note"], "keep_days": "7"},
        {"strategy": "catalog", "column": ["id"], "keep_days": "9"},
        "load: replaces the whole table each run, old versions: kept 7 days, columns: all",
    ),
    4: ({"destination_table": "bq_one"}, {"destination_table": "bq_two"}, "the table bq_one, 0 types set"),
}


def mark_in(client: Client, address: str) -> str:
    found = re.search(r'name="mark" value="(\w+)"', client.get(address).content.decode())
    assert found is not None
    return found[1]


@pytest.mark.parametrize("step", TYPED)
def test_what_another_tab_saved_is_told_and_replaced_only_when_sent_again(acme: Tenant, step: int) -> None:
    looked_at_job(acme)
    client, draft = signed_in(acme), draft_of(acme, "again", 5, destination_table="bq_again")
    address, (first, second, words) = f"{address_of(acme, draft.id)}step/{step}/", TYPED[step]
    mark, always = mark_in(client, address), {"connection": str(draft.connection_id)} if step == 1 else {}
    assert client.post(address, {**first, **always, "mark": mark}).status_code == 302
    stale = client.post(address, {**second, **always, "mark": mark})
    text = stale.content.decode()
    assert stale.status_code == 422 and "This step was saved elsewhere after this page was opened" in text
    assert f"Saved is: {words}" in text
    assert all(value in text for value in (second.get("name"), second.get("destination_table")) if value)
    found = re.search(r'name="mark" value="(\w+)"', text)
    assert found is not None and found[1] != mark
    assert client.post(address, {**second, **always, "mark": found[1]}).status_code == 302


def test_a_schedule_that_was_saved_meanwhile_is_told_and_the_same_one_is_no_conflict(acme: Tenant) -> None:
    looked_at_job(acme)
    client, draft = signed_in(acme), draft_of(acme, "again", 5, destination_table="bq_again")
    address = f"{address_of(acme, draft.id)}step/5/"
    mark = mark_in(client, address)
    with scope(acme.id):
        table = DataSourceTable.objects.get(data_source=draft)
        table.spec["schedule"] = {"kind": "daily", "time": "06:00", "time_zone": "UTC"}
        table.save()
    typed = {"kind": "daily", "time": "07:00", "time_zone": "UTC", "mark": mark}
    text = client.post(address, typed).content.decode()
    assert "Saved is: Every day at 06:00, UTC." in text and 'value="07:00"' in text
    assert "saved elsewhere" not in client.post(address, {**typed, "time": "06:00"}).content.decode()
