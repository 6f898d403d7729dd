"""API keys of the organization: made by admins, shown once, worth what they say, revoked."""

from __future__ import annotations

import re

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tenant_rows import Tenant
from web.accounts.test_members import signed_in

from b2b_recs.web.accounts.api_keys import create_key
from b2b_recs.web.accounts.models import ApiKey
from b2b_recs.web.tenancy import scope

KEYS = "/organization/api-keys/"


def make(tenant: Tenant, **fields: object) -> tuple[str, str]:
    """Make a key on the page; its text and the page."""
    answer = signed_in(tenant, "admin").post(KEYS, {"name": "CRM", "scopes": ["read"], "model": "", **fields})
    assert answer.status_code == 200, answer.content.decode()
    page = answer.content.decode()
    found = re.search(r'id="fresh-key">(b2br_[0-9a-z_]+)<', page)
    assert found, page
    return found[1], page


def test_a_key_is_shown_once_and_opens_what_it_says(acme: Tenant) -> None:
    text, page = make(acme)
    assert f"Bearer {text}" in page.replace("&quot;", '"') and "/api/models/" in page
    again = signed_in(acme, "admin").get(KEYS).content.decode()
    assert text not in again
    assert "CRM" in again and "Read everything" in again and "by admin@acme.example" in again
    program = Client(headers={"Authorization": f"Bearer {text}"})
    assert program.get("/api/models/").status_code == 200
    assert "just now" in signed_in(acme, "viewer").get(KEYS).content.decode()


def test_a_key_of_one_model_is_that_models(acme: Tenant) -> None:
    text, page = make(acme, model=acme.id_of("ModelEndpoint"), scopes=["recommend", "write"])
    assert f"/models/{acme.id_of('ModelEndpoint')}/recommend" in page
    with scope(acme.id):
        key = ApiKey.objects.get(prefix=text.split("_")[2])
    assert key.model_id == acme.id_of("ModelEndpoint") and key.scopes == ["recommend", "write"]


def test_the_keys_of_a_model_say_what_each_may_in_the_words_of_the_organizations_keys(acme: Tenant) -> None:
    model = acme.id_of("ModelEndpoint")
    make(acme, model=model, scopes=["recommend", "write"])
    pages = [signed_in(acme, "viewer").get(path).content.decode() for path in (f"/models/{model}/keys/", KEYS)]
    for page in pages:
        assert '<td data-label="May">Ask for recommendations, Change and run</td>' in page
        assert "Valid" in page and "Works" not in page
    assert "A key asks this model for recommendations and nothing else." not in pages[0]


def test_a_revoked_key_opens_nothing(acme: Tenant) -> None:
    text, _ = make(acme)
    with scope(acme.id):
        key = ApiKey.objects.get(prefix=text.split("_")[2])
    page = signed_in(acme, "admin").post(f"{KEYS}{key.id}/revoke/", follow=True).content.decode()
    assert "“CRM” was revoked." in page and "Revoked" in page
    assert Client(headers={"Authorization": f"Bearer {text}"}).get("/api/models/").status_code == 401


def test_what_is_missing_or_foreign_is_said_beside_the_field(acme: Tenant, rival: Tenant) -> None:
    admin = signed_in(acme, "admin")
    for fields, words in (
        ({"name": "", "scopes": ["read"]}, "Name the system that will use the key."),
        ({"name": "x"}, "Choose at least one thing the key may do."),
        ({"name": "x", "scopes": ["owner"]}, "Choose from the list."),
        ({"name": "x", "scopes": ["read"], "model": rival.id_of("ModelEndpoint")}, "Choose a model of the list."),
    ):
        answer = admin.post(KEYS, fields)
        assert answer.status_code == 422
        assert words in answer.content.decode()


def test_below_admin_the_list_is_read_only(acme: Tenant) -> None:
    for role in ("editor", "viewer"):
        client = signed_in(acme, role)
        page = client.get(KEYS).content.decode()
        assert "shop" in page and "New key" not in page and "/revoke/" not in page
        assert client.post(KEYS, {"name": "x", "scopes": ["read"]}).status_code == 403
        assert client.post(f"{KEYS}{acme.id_of('ApiKey')}/revoke/").status_code == 403


def test_a_program_held_to_one_model_sees_keys_of_that_model_only(acme: Tenant) -> None:
    with scope(acme.id):
        create_key("of the whole organization", scopes=["read"])
        _, text = create_key("of one model", scopes=["read"], model=acme.rows["ModelEndpoint"])
    page = Client(headers={"Authorization": f"Bearer {text}"}).get(KEYS).content.decode()
    assert "of one model" in page and "of the whole organization" not in page


def test_keys_are_searched_and_many_cost_few_queries(acme: Tenant) -> None:
    with scope(acme.id):
        for number in range(40):
            create_key(f"“{number}” <b>", scopes=["read"], model=acme.rows["ModelEndpoint"], user=acme.people["owner"])
    client = signed_in(acme, "owner")
    client.get(KEYS)
    with CaptureQueriesContext(connection) as captured:
        page = client.get(KEYS).content.decode()
    assert len([query for query in captured if "accounts_apikey" in query["sql"]]) == 2
    assert len(captured) <= 20, [query["sql"][:90] for query in captured]
    assert "1 to 25 of 41" in page and "&lt;b&gt;" in page
    assert "“7” &lt;b&gt;" in client.get(KEYS, {"q": "“7”"}).content.decode()
    assert "No key matches" in client.get(KEYS, {"state": "revoked"}).content.decode()
