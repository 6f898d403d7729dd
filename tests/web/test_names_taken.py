"""One rule for names everywhere: capitals make no other name, and a long one is told by how much, never cut."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from django.db import IntegrityError
from django.test import Client
from run_rows import Shop, make_shop
from web_support import TestDatabase

from b2b_recs.engine.etl.spec import Catalog, CopySpec
from b2b_recs.web.accounts.forms import JoinForm, NameForm, OrganizationForm
from b2b_recs.web.conflicts import NameTaken
from b2b_recs.web.connections.changing import make_connection, update_connection
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.datasets.models import Dataset
from b2b_recs.web.deployments.forms import KeyForm
from b2b_recs.web.etl.drafts import save_draft
from b2b_recs.web.etl.jobs import DestinationTaken, change_job, create_job, refuse_taken_destination, refuse_taken_name
from b2b_recs.web.etl.models import ETLConfiguration
from b2b_recs.web.names import naming
from b2b_recs.web.projects.forms import ModelForm
from b2b_recs.web.projects.services import create_model
from b2b_recs.web.tenancy import scope
from b2b_recs.web.tenancy.alike import set_apart

PLACE = {"host": "db.example.com", "port": 5432, "database": "shop", "username": "reader"}


@pytest.fixture
def shop(platform_database: TestDatabase) -> Iterator[Shop]:
    """A shop with the connection “shop” and the jobs “orders” and “products”, inside its scope."""
    made = make_shop()
    with scope(made.id):
        yield made


def copied(table: str) -> CopySpec:
    return CopySpec(source_schema="public", source_table="t", destination_table=table, load=Catalog())


MAKING: dict[str, Callable[[Shop], object]] = {
    "model “Model of Acme”": lambda shop: create_model(shop.organization, shop.user, "MODEL of Acme"),
    "connection “shop”": lambda shop: make_connection(shop.model, "SHOP", "postgresql", PLACE),
    "job “orders”": lambda shop: create_job(shop.etl, "Orders", shop.connection, copied("bq_new")),
    "job “products”": lambda shop: save_draft(shop.etl, None, "PRODUCTS", shop.connection, 2, [1], {}),
}


@pytest.mark.parametrize("what", list(MAKING))
def test_a_name_that_differs_only_in_capitals_is_taken(shop: Shop, what: str) -> None:
    kind, _, name = what.partition(" ")
    with pytest.raises(NameTaken) as refused:
        MAKING[what](shop)
    assert refused.value.field == "name"
    assert f"There is a {kind} named {name} already; a name that differs only in capitals" in refused.value.message


def test_a_row_may_change_the_capitals_of_its_own_name(shop: Shop) -> None:
    update_connection(shop.connection, "Shop", None, None)
    refuse_taken_name(shop.etl, "ORDERS", but=shop.jobs[0].id)
    change_job(shop.jobs[0], name="ORDERS")
    assert Connection.objects.get().name == "Shop"


@pytest.mark.parametrize("what", list(MAKING))
def test_a_name_given_twice_at_the_same_moment_is_given_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    for place in ("projects.services", "connections.changing", "connections.services", "etl.jobs"):
        monkeypatch.setattr(f"b2b_recs.web.{place}.refuse_taken", lambda *_: None)  # neither sees the other yet
    with pytest.raises(NameTaken) as refused:
        MAKING[what](shop)
    assert refused.value.field == "name"
    assert f"There is a {what.partition(' ')[0]} named" in refused.value.message


def test_a_new_name_meets_one_given_at_the_same_moment(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    other, _ = make_connection(shop.model, "archive", "postgresql", PLACE)
    monkeypatch.setattr("b2b_recs.web.connections.changing.refuse_taken", lambda *_: None)
    with pytest.raises(NameTaken, match="There is a connection named “SHOP” already"):
        update_connection(other, "SHOP", None, None)
    with pytest.raises(NameTaken, match="There is a job named “PRODUCTS” already"):
        change_job(shop.jobs[0], name="PRODUCTS")


def test_what_is_refused_for_another_reason_is_not_told_to_be_a_name(shop: Shop) -> None:
    with pytest.raises(IntegrityError), naming("job", "orders"):
        ETLConfiguration.objects.create(organization=shop.organization, model=shop.model)


def test_rows_called_alike_by_an_earlier_version_are_numbered_the_oldest_keeps_its_name(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("orders", "Orders", "lines", "ORDERS", "orders (2)"):
        Dataset.objects.create(organization=shop.organization, model=shop.model, name=name)
    set_apart(Dataset.objects, "model_id", "dataset")
    made = Dataset.objects.filter(name__istartswith="orders")
    names = list(made.order_by("id").values_list("name", flat=True))
    assert names == ["orders", "Orders (3)", "ORDERS (4)", "orders (2)"]
    assert "The dataset “Orders” is now called “Orders (3)”" in caplog.text


def test_warehouse_tables_that_differ_only_in_capitals_are_one(shop: Shop) -> None:
    table = shop.jobs[0].table
    table.spec = copied("bq_orders").model_dump(mode="json")
    table.save()
    with pytest.raises(DestinationTaken) as refused:
        refuse_taken_destination(shop.etl, copied("BQ_Orders"))
    assert "The warehouse table bq_orders is already filled by the job “orders”; names that differ" in str(
        refused.value
    )
    refuse_taken_destination(shop.etl, copied("BQ_Orders"), but=shop.jobs[0].id)


LONG = {
    "model": (lambda name: ModelForm({"name": name, "currency": "EUR", "time_zone": "UTC"}), "name", 100),
    "organization": (lambda name: OrganizationForm({"name": name}), "name", 200),
    "own name": (lambda name: NameForm({"full_name": name}), "full_name", 200),
    "new person": (lambda name: JoinForm({"full_name": name, "password": "x"}), "full_name", 200),
    "key": (lambda name: KeyForm({"name": name}), "name", 80),
}


@pytest.mark.parametrize("kind", list(LONG))
def test_a_form_lets_a_long_name_in_and_says_by_how_much_it_is_too_long(kind: str) -> None:
    form_of, field, longest = LONG[kind]
    form = form_of("x" * (longest + 12))
    assert form.errors[field] == [
        f"This name is 12 characters too long: it has {longest + 12}, and {longest} is the most. Shorten it."
    ]
    assert "maxlength" not in str(form[field])
    assert field not in form_of(f"  {'x' * longest} ").errors


@pytest.mark.parametrize("kind", list(LONG))
@pytest.mark.parametrize("name", ["a\u202eb", "a\u2028b", "\u200b", "a\tb"])
def test_every_form_holds_names_to_the_same_rule(kind: str, name: str) -> None:
    form_of, field, _ = LONG[kind]
    assert form_of(name).errors[field]


def test_a_person_may_have_no_name() -> None:
    form = NameForm({"full_name": "  "})
    assert form.is_valid() and form.cleaned_data["full_name"] == ""


def test_pages_let_long_names_in_and_tell_them(shop: Shop) -> None:
    client = Client(headers={"host": "localhost"})
    client.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    etl, typed = f"/models/{shop.model.id}/etl", {"name": "y" * 101, "connection": str(shop.connection.id)}
    for path in ("/jobs/new/", "/connections/new/postgresql/", f"/jobs/{shop.jobs[0].id}/step/1/"):
        field = re.search(r'<input[^>]*id="id_name"[^>]*>', client.get(f"{etl}{path}").content.decode())
        assert field is not None and "maxlength" not in field[0], path
    answer = client.post(f"{etl}/jobs/new/", typed)
    assert answer.status_code == 422
    assert "This name is 1 character too long: it has 101, and 100 is the most." in answer.content.decode()
    checked = client.get(f"{etl}/jobs/name/", {"name": "ORDERS"}).content.decode()
    assert "There is a job named “orders” already; a name that differs only in capitals is the same." in checked
