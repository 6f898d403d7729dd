"""The last step of the job wizard asks the source once more, and tells what came into it since columns were chosen."""

from __future__ import annotations

import psycopg
import pytest
from django.test import Client
from postgres_support import PostgresServer
from tenant_rows import Tenant
from web.api.api_client import Program, Wholesaler


@pytest.mark.parametrize(("columns", "sent", "told"), [(["id"], False, True), (["id"], True, True), ([], False, False)])
def test_columns_added_since_some_were_chosen_are_told_and_not_copied(
    acme: Tenant,
    writer: Program,
    connected: int,
    wholesaler: Wholesaler,
    postgres_server: PostgresServer,
    columns: list[str],
    sent: bool,
    told: bool,
) -> None:
    place = {"source_schema": "public", "source_table": "odd", "destination_table": "bq_odd"}
    values = {**place, "columns": columns, "load": {"strategy": "catalog"}}
    body = {"name": "odd", "connection_id": connected, "step": 5, "completed_steps": [1, 2, 3, 4], "values": values}
    draft = writer.post("etl/save-draft/", body).well()
    client = Client(headers={"host": "localhost"})
    client.force_login(acme.people["owner"], backend="django.contrib.auth.backends.ModelBackend")
    page = f"/models/{acme.id_of('ModelEndpoint')}/etl/jobs/{draft['id']}/step"
    assert client.get(f"{page}/3/").status_code == 200
    if sent:
        assert client.post(f"{page}/3/", {"strategy": "catalog", "column": columns}).status_code == 302
    with psycopg.connect(postgres_server.url(wholesaler.database), autocommit=True) as shop:
        shop.execute("ALTER TABLE odd ADD COLUMN later int")
        try:
            if sent:  # in another tab the source is looked at again
                assert client.get(f"{page}/3/?look=again").status_code == 200
            text = client.post(f"{page}/5/", {"kind": "manual"}, follow=True).content.decode()
        finally:
            shop.execute("ALTER TABLE odd DROP COLUMN later")
    assert "The job “odd” is made." in text
    assert ("a column that was not there when the columns were chosen: later. It is not copied" in text) is told
    assert writer.get(f"/api/etl/sources/{draft['id']}/").well()["settings"]["columns"] == columns
