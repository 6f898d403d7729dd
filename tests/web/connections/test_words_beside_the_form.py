"""The form of a connection is made from the declaration of its source type; what is typed becomes parameters again."""

from __future__ import annotations

import re

import pytest

from b2b_recs.engine.sources.bigquery.services import GOOGLE
from b2b_recs.engine.sources.firestore.connection import SERVICE
from b2b_recs.engine.sources.form_help import help_of
from b2b_recs.engine.sources.object_stores.parameters import AzureBlobParameters, GcsParameters, S3Parameters
from b2b_recs.engine.sources.registry import SOURCE_TYPES, parameter_faults
from b2b_recs.web.connections.forms import changes_from, form_of, parameters_from
from b2b_recs.web.connections.pages import CATEGORIES, TILES, categories, place_of

POSTGRESQL = {"host": "db.example.com", "port": "5433", "database": "shop", "username": "reader", "password": " p w "}


@pytest.mark.parametrize("name", sorted(SOURCE_TYPES))
def test_every_type_has_a_form_that_asks_for_each_of_its_settings(name: str) -> None:
    declared = SOURCE_TYPES[name]
    form = form_of(declared)
    assert {one.name for one in form.fields} == set(declared.Parameters.model_fields)
    assert all(one.title and one.hint for one in form.fields)
    assert {one.name for one in form.usual} >= {one.name for one in form.fields if one.required}
    assert all(one.kind in ("password", "textarea") for one in form.fields if one.name in declared.secret_fields)


def test_every_type_has_a_tile_in_a_category() -> None:
    assert set(TILES) == set(SOURCE_TYPES)
    shown = [one.type for _, _, types in categories() for one in types]
    assert sorted(shown) == sorted(SOURCE_TYPES)
    assert len(CATEGORIES) == 4


def test_what_is_typed_becomes_parameters_with_a_password_as_it_was_typed() -> None:
    typed = {**POSTGRESQL, "host": " db.example.com ", "ssl_mode": "require", "ca_certificate": "", "name": "x"}
    assert parameters_from(SOURCE_TYPES["postgresql"], typed) == {
        "host": "db.example.com",
        "port": 5433,
        "database": "shop",
        "username": "reader",
        "password": " p w ",
        "ssl_mode": "require",
    }


def test_a_box_is_a_truth_value_and_a_port_that_is_no_number_is_refused_in_words() -> None:
    assert parameters_from(SOURCE_TYPES["s3"], {"anonymous": "yes"})["anonymous"] is True
    given = parameters_from(SOURCE_TYPES["postgresql"], {**POSTGRESQL, "port": "many"})
    faults = parameter_faults("postgresql", given)
    assert [fault.field for fault in faults] == ["port"]
    assert "from 1 to 65,535" in faults[0].advice


def test_every_fault_is_told_at_its_field() -> None:
    faults = parameter_faults("postgresql", {"port": 70_000})
    port = next(fault for fault in faults if fault.field == "port")
    assert str(port) == "Port “70000” cannot be used. Give a number from 1 to 65,535."
    assert {fault.field for fault in faults} == {"host", "port", "database", "username"}


def test_only_what_changed_is_sent_and_an_empty_secret_stays() -> None:
    declared = SOURCE_TYPES["postgresql"]
    stored = {"host": "db.example.com", "port": 5433, "database": "shop", "username": "reader"}
    same = {**POSTGRESQL, "password": "", "ssl_mode": "prefer"}
    assert changes_from(declared, same, stored) == {}
    assert changes_from(declared, {**same, "password": "new"}, stored) == {"password": "new"}
    assert changes_from(declared, {**same, "port": ""}, stored) == {"port": None}
    assert changes_from(declared, {**same, "host": "other.example.com"}, stored) == {"host": "other.example.com"}


@pytest.mark.parametrize(
    ("parameters", "place"),
    [
        ({"host": "db.example.com", "port": 5432, "database": "shop"}, "db.example.com : 5432 / shop"),
        ({"bucket": "exports", "prefix": "orders"}, "exports / orders"),
        ({"project": "north", "dataset": "sales"}, "north / sales"),
        ({"location": "orders"}, "orders"),
        ({"file": "shop.db"}, "shop.db"),
        ({}, ""),
    ],
)
def test_a_card_says_where_a_connection_leads(parameters: dict[str, object], place: str) -> None:
    assert place_of(parameters) == place


def test_a_stored_secret_is_taken_away_where_its_box_says_so() -> None:
    declared, stored = SOURCE_TYPES["s3"], {"bucket": "orders", "format": "csv", "access_key_id": "A"}
    typed = {"bucket": "orders", "format": "csv", "anonymous": "yes", "forget-secret_access_key": "yes"}
    assert changes_from(declared, typed, stored) == {
        "access_key_id": None,
        "anonymous": True,
        "secret_access_key": None,
    }
    given = changes_from(declared, {**typed, "secret_access_key": "another"}, stored)
    assert given["secret_access_key"] == "another"


def test_a_number_that_may_also_be_a_word_is_typed_as_either() -> None:
    excel = SOURCE_TYPES["excel"]
    row = next(one for one in form_of(excel).further if one.name == "header_row")
    assert (row.kind, row.value, row.default) == ("text", "", "auto")
    assert parameters_from(excel, {"location": "a", "header_row": "3"}) == {"location": "a", "header_row": 3}
    assert parameters_from(excel, {"location": "a", "header_row": "auto"}) == {"location": "a", "header_row": "auto"}
    typed, stored = {"location": "a", "header_row": "3"}, {"location": "a", "header_row": 3}
    assert changes_from(excel, typed, stored) == {}
    assert changes_from(excel, {**typed, "header_row": ""}, stored) == {"header_row": None}


@pytest.mark.parametrize(
    ("type_name", "given", "told"),
    [
        (
            "s3",
            {"bucket": "orders", "format": "csv"},
            "Access key ID is missing. It is needed, unless anybody may read the bucket without keys.",
        ),
        (
            "azure_blob",
            {"account": "acme", "container": "orders", "format": "csv"},
            "Account key is missing. Give it or a shared access signature, unless anybody may read the container.",
        ),
        (
            "sftp",
            {"host": "h", "username": "u", "format": "csv"},
            "Password is missing. Give either it or a private key.",
        ),
    ],
)
def test_what_is_needed_by_what_else_was_given_is_told_as_missing(
    type_name: str, given: dict[str, object], told: str
) -> None:
    assert told in [str(fault) for fault in parameter_faults(type_name, given)]


@pytest.mark.parametrize("name", sorted(SOURCE_TYPES))
def test_the_words_beside_the_form_are_about_that_source(name: str) -> None:
    declared = SOURCE_TYPES[name]
    words, fields = help_of(declared), declared.Parameters.model_fields
    assert words.heading and words.grants and words.reach
    told = " ".join((words.grants, words.reach, *words.notes))
    usual = getattr(fields.get("port"), "default", None)
    assert (str(usual or 443) in words.reach) == (name != "sqlite")  # which port must be open
    assert ("verify-full" in told) <= ("ssl_mode" in fields)  # nothing is to be chosen that the form does not have
    assert ("password" in words.grants) <= ("password" in fields)
    assert not re.search("firewall", told) or "host" in fields


def test_services_of_a_cloud_name_the_addresses_that_are_dialled() -> None:
    bucket = S3Parameters(bucket="BUCKET", region="eu", anonymous=True, format="csv")
    container = AzureBlobParameters(account="acc", container="abc", anonymous=True, format="csv")
    dialled = {
        "bigquery": (GOOGLE.api, GOOGLE.storage[0], GOOGLE.token),
        "firestore": (SERVICE.host,),
        "gcs": (GcsParameters(bucket="abc", anonymous=True, format="csv").address,),
        "s3": (bucket.address.replace("eu", "REGION"),),
        "azure_blob": (container.address.replace("acc", "ACCOUNT"),),
    }
    for name, addresses in dialled.items():
        for address in addresses:
            assert address.removeprefix("https://").split("/")[0] in help_of(SOURCE_TYPES[name]).reach, address
