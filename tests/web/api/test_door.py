"""What is decided before an operation looks at its input, and that every refusal has one shape."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import get_resolver
from tenant_rows import Tenant
from web.api.api_client import Answer, Program

from b2b_recs.web.accounts.api_keys import revoke_key
from b2b_recs.web.accounts.models import ApiKey
from b2b_recs.web.api.reading import LARGEST_BODY
from b2b_recs.web.api.urls import api
from b2b_recs.web.tenancy import scope


def raw(program: Program, path: str, body: bytes, content_type: str = "application/json") -> Answer:
    headers = {"Authorization": f"Bearer {program.key}"}
    return Answer(program.client.post(program.model(path), data=body, content_type=content_type, headers=headers))


def test_a_visitor_without_a_key_learns_how_to_send_one(acme: Tenant) -> None:
    for path in ("/api/models/", f"/api/models/{acme.id_of('ModelEndpoint')}/", "/api/models/9/etl/run/"):
        assert "Authorization: Bearer" in Answer(Client().get(path)).refused(401, "not_signed_in")["advice"]
    for key in ("nonsense", "b2br_1_aaaaaaaa_" + "0" * 64, ""):
        answer = Answer(Client().get("/api/models/", headers={"Authorization": f"Bearer {key}"}))
        answer.refused(401, "not_signed_in")


def test_a_method_or_an_address_that_is_not_there(writer: Program) -> None:
    answer = writer.get("etl/run/")
    answer.refused(405, "method_not_allowed")
    assert answer.response["Allow"] == "POST"
    for path in ("/api/nothing/", "/api/models/0/", "/api/models/99999999999999999999/", "/api/models/x/"):
        writer.get(path).refused(404, "not_found")


def test_an_unknown_address_is_told_where_addresses_are_listed(writer: Program) -> None:
    for path in ("/api/foo/", "/api/foo", "/api/models/x/", f"/api/models/{writer.model_id}/etl/sources/1/"):
        for answer in (writer.get(path), writer.post(path, {})):
            error = answer.refused(404, "not_found")
            assert error["message"] == "The API has no such address." and "/api/docs" in error["advice"]
    for path in ("/api/foo/", "/api/foo"):
        for visitor in (Client(), Client(headers={"Accept": "text/html"})):
            error = Answer(visitor.get(path)).refused(404, "not_found")
            assert error["message"] == "The API has no such address." and "/api/docs" in error["advice"]
    path = writer.model("etl/run")
    assert f"Write a slash at its end: {path}/." in writer.post(path, {}).refused(404, "not_found")["advice"]
    assert writer.get("/api/models").response["Location"] == "/api/models/"


def test_the_beginning_of_the_api_tells_everybody_where_to_go_on(acme: Tenant, reader: Program) -> None:
    told = reader.get("/api/").well()
    assert told == Answer(Client().get("/api/")).well()
    assert reader.get(told["models"]).well()["items"]
    for path in (told["document"], told["document_for_people"]):
        assert Client().get(path).status_code == 200
    assert "Authorization: Bearer" in told["sign_in"]
    assert reader.get("/api").response["Location"] == "/api/"
    reader.post("/api/", {}).refused(405, "method_not_allowed")


def test_only_json_of_a_bounded_size_is_read(writer: Program) -> None:
    raw(writer, "etl/check-name/", b"name=x", "application/x-www-form-urlencoded").refused(415, "not_json")
    raw(writer, "etl/check-name/", b"{").refused(400, "unreadable")
    raw(writer, "etl/check-name/", b"\xff").refused(400, "unreadable")
    raw(writer, "etl/check-name/", b" " * (LARGEST_BODY + 1)).refused(413, "too_large")
    writer.post("etl/check-name/").refused(422, "bad_input")


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "\\u0000"}', b'{"name": "\\ud800"}', b'{"name": NaN}', b'{"name": 1e999}', b'{"na\\u0000me": 1}',
        b'{"name": 99999999999999999999}', b'{"name": ' + b"[" * 40 + b"]" * 40 + b"}", b"[]", b'"x"', b"null",
        b'{"name": null}', b'{"name": ["x"]}', b'{"name": "x", "extra": 1}',
    ],
)  # fmt: skip
def test_what_no_database_can_keep_is_refused_in_words(writer: Program, body: bytes) -> None:
    error = raw(writer, "etl/check-name/", body)
    assert error.status == 422 and error.error["code"] == "bad_input", error.json


def test_a_body_nested_without_end_is_refused(writer: Program) -> None:
    assert raw(writer, "etl/check-name/", b"[" * 100_000).status in (400, 422)


def test_a_query_with_a_zero_byte_is_refused(writer: Program) -> None:
    assert writer.get("etl/sources/", q="a\0b").refused(422, "bad_input")


def test_scopes_decide_what_a_key_may_do(acme: Tenant, reader: Program, writer: Program) -> None:
    from web.api.api_client import program

    asks_only = program(acme, "recommend")
    assert "scope read" in asks_only.get("/api/models/").refused(403, "not_allowed")["message"]
    with scope(acme.id):
        revoke_key(ApiKey.objects.get(prefix=asks_only.key.split("_")[2]))
    asks_only.get("/api/models/").refused(401, "not_signed_in")
    assert reader.get("/api/models/").status == writer.get("/api/models/").status == 200
    for path in ("etl/run/", "etl/toggle/", "connections/create/", "etl/add-source/"):
        error = reader.post(path, {}).refused(403, "not_allowed")
        assert "scope write" in error["message"] and "--scope write" in error["advice"]


def test_the_document_says_how_to_sign_in_and_declares_every_refusal() -> None:
    document = Client().get("/api/openapi.json").json()
    assert document["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    assert document["components"]["securitySchemes"]["runToken"]["in"] == "header"
    runner = {f"/api/{address.pattern}" for address in get_resolver("b2b_recs.web.etl.remote.urls").url_patterns}
    shown = {path.replace("/etl/runner", "") for path in document["paths"] if "/runner/" in path}
    assert {path.replace("<int:run_id>", "{run_id}") for path in runner} == shown
    declared = 0
    for methods in document["paths"].values():
        for method, operation in methods.items():
            assert operation["summary"] and operation["description"] and operation["tags"]
            if operation["tags"] == ["Runner"]:
                assert operation["security"] == [{"runToken": []}]
                assert {"401", "405", "409", "413", "422"} <= set(operation["responses"])
                declared += 1
                continue
            wanted = {"401", "403", "404", "405", "422"} | ({"400", "413", "415"} if method == "post" else set())
            assert wanted <= set(operation["responses"])
            declared += 1
    assert declared == sum(len(methods) for methods in api.get_openapi_schema()["paths"].values()) >= 29


def test_no_answer_has_a_place_for_a_secret() -> None:
    """Only what is sent may have one, and what a runner gets of its one run; the proof of a test is no secret."""
    document = api.get_openapi_schema()
    text = json.dumps(
        [
            operation["responses"]
            for methods in document["paths"].values()
            for operation in methods.values()
            if operation["tags"] != ["Runner"]
        ]
    )
    reached: set[str] = set()
    waiting = {name for name in document["components"]["schemas"] if f'schemas/{name}"' in text}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        inside = json.dumps(document["components"]["schemas"][name])
        waiting |= {one for one in document["components"]["schemas"] if f'schemas/{one}"' in inside} - reached
    fields = {field for name in reached for field in document["components"]["schemas"][name].get("properties", {})}
    assert "code" in fields and fields.isdisjoint({"password", "secret", "token", "key_file", "private_key", "hash"})


def test_the_page_of_the_document_brings_everything_itself(client: Client) -> None:
    answer = client.get("/api/docs")
    page: Any = answer.content.decode()
    assert answer.status_code == 200 and "unsafe" not in answer["Content-Security-Policy"]
    assert "//" not in page.replace("</", "").split("<body", 1)[1].replace("/api/", "")
    assert "style=" not in page and "onclick" not in page and "http:" not in page and "https:" not in page
    sources = [part.split('"', 1)[0] for part in page.split('src="')[1:]]
    assert len(sources) == 2
    for source in (*sources, "/static/ninja/swagger-ui.css"):
        assert finders.find(source.removeprefix(settings.STATIC_URL)), source
    without_scripts = page.split("<body", 1)[1].split("<noscript>", 1)[1].split("</noscript>", 1)[0]
    document = client.get("/api/openapi.json").json()
    listed = re.findall(r'<td class="mono strong">(\w+)</td><td class="mono [^"]*">([^<]+)</td>', without_scripts)
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert 'href="/api/openapi.json"' in without_scripts
    assert len(listed) == len(described) and set(listed) == described
