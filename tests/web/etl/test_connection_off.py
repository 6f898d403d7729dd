"""A connection that is switched off is told wherever its jobs are shown, and switching it off says what stops."""

from __future__ import annotations

import re

import pytest
from tenant_rows import Tenant
from wizard_rows import address_of, draft_of, looked_at_job, signed_in

from b2b_recs.web.connections.models import Connection
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.tenancy import scope


@pytest.fixture
def etl(acme: Tenant) -> str:
    """The address of the ETL page of a model with one job and a draft."""
    looked_at_job(acme)
    draft_of(acme, "half done")
    return f"/models/{acme.id_of('ModelEndpoint')}/etl/"


def test_a_job_whose_connection_is_off_says_so_in_its_row_and_on_its_page(acme: Tenant, etl: str) -> None:
    client, address = signed_in(acme), address_of(acme, acme.id_of("DataSource"))
    assert "switched off, so" not in client.get(etl).content.decode() + client.get(address).content.decode()
    with scope(acme.id):
        Connection.objects.update(enabled=False)
    row, page = client.get(etl).content.decode(), client.get(address).content.decode()
    assert "connection off, nothing runs" in row and "The connection “shop” is switched off, so nothing runs." in row
    assert "The connection “shop” is switched off, so this job does not run." in page
    assert "Switch the connection on" in page


def test_switching_a_connection_off_asks_and_names_how_many_jobs_stop(acme: Tenant, etl: str) -> None:
    text = signed_in(acme).get(etl).content.decode()
    assert 'data-confirm-title="Switch off “shop”?"' in text
    assert "1 job reads from it and will not run until it is switched on again." in text


def test_a_job_whose_connection_is_off_cannot_be_run_and_its_page_stays_when_it_is_switched_on(
    acme: Tenant, etl: str
) -> None:
    client, address = signed_in(acme), address_of(acme, acme.id_of("DataSource"))
    with scope(acme.id):
        ETLRun.objects.update(status="completed")
        Connection.objects.update(enabled=False)
    page = client.get(address).content.decode()
    assert f'action="{address}run/"' not in page
    assert re.search(r'<button type="button"[^>]* disabled aria-describedby="connection-off">', page)
    refused = client.post(f"{address}run/", follow=True)
    assert refused.redirect_chain[-1][0] == address and "is switched off" in refused.content.decode()
    (switch,) = re.findall(r'action="([^"]*/switch/\?job=[^"]*)"', page)
    switched = client.post(switch, {"enabled": "yes"}, follow=True)
    assert switched.redirect_chain[-1][0] == address
    assert "The connection “shop” is switched on." in switched.content.decode()
    assert f'action="{address}run/"' in switched.content.decode()
    elsewhere = client.post(switch.partition("?")[0], {"enabled": "yes"})
    assert elsewhere["Location"] == etl
