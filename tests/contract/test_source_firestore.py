"""Firestore against the contract, and what only Firestore has."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from certificates import Authority
from contract.firestore_arena import HOST, PROJECT, FirestoreArena
from contract.sources_contract import ANY_PARAMETERS, SourceContract, request_for, table_of
from doubles.firestore import ServiceAccount
from google.cloud.firestore_v1.types import document as documents
from google.cloud.firestore_v1.types import firestore as calls
from google.type import latlng_pb2
from relay import Relay

from b2b_recs.engine import errors
from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources import google_cloud, small_answers
from b2b_recs.engine.sources.contract import ReadRequest, Source, Window
from b2b_recs.engine.sources.firestore import connection
from b2b_recs.engine.sources.google_cloud import Service

OTHER = ServiceAccount(PROJECT).text


def key_with(**changes: Any) -> str:
    """A key file that says something else."""
    return json.dumps(json.loads(OTHER) | changes)


def of(account: str) -> Callable[[FirestoreArena], str]:
    """The key of another account of the project."""
    email = f"{account}@{PROJECT}.iam.gserviceaccount.com"
    return lambda arena: json.dumps(json.loads(arena.account.text) | {"client_email": email})


class TestFirestore(SourceContract):
    type = "firestore"
    tells_json = False
    revokes = True
    heavy_text = 500
    keyed = False
    empty_tables = False
    ordered_columns = False
    sees_the_past = True
    heavy_rows = 6_000
    measured = (6_000, 5_000)
    odd_names = ('a"; DROP TABLE lines; --', "a`b]c'd", "🛒 emoji", "back\\slash %s %(x)s {y} ?", " spaces ", "select")
    impossible_names = ("", "a\x00b", "x" * 2000, "a/b")
    bad_connections = (
        ("key", {"service_account": OTHER}, errors.AuthenticationRefused, "service_account"),
        ("project", {"project": "no-such-project"}, errors.DatabaseMissing, "database"),
        ("database", {"database": "no-such-database"}, errors.DatabaseMissing, "database"),
        ("mode", {"database": "datastore-mode"}, errors.SourceRefused, "database"),
        ("damaged key", {"service_account": key_with(private_key="canary")}, errors.BadInput, "service_account"),
        ("right", {"service_account": of("norights")}, errors.PermissionMissing, "service_account"),
        ("service", {"service_account": of("off")}, errors.SourceRefused, "project"),
    )
    bad_parameters = (
        ({"project": ""}, "project"),
        ({"project": "My Shop"}, "project"),
        ({"project": "shop/../other"}, "project"),
        ({"database": "a b"}, "database"),
        ({"service_account": "canary"}, "service_account"),
        ({"service_account": "{}"}, "service_account"),
        ({"service_account": key_with(type="external_account")}, "service_account"),
        ({"service_account": key_with(token_uri="http://canary.example/token")}, "service_account"),
        ({"service_account": key_with(token_uri="https://googleapis.com.canary.example/")}, "service_account"),
        ({"service_account": key_with(universe_domain="canary.example")}, "service_account"),
        ({"sampled_documents": 0}, "sampled_documents"),
        *ANY_PARAMETERS,
    )

    def prepared(self, arena: FirestoreArena) -> list[Any]:
        return ["contract.firestore_arena:served_at", *arena.place]

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls) -> Iterator[FirestoreArena]:
        with pytest.MonkeyPatch.context() as patch:
            arena = FirestoreArena(patch)
            yield arena
            arena.server.close()

    @contextlib.contextmanager
    def private_server(self) -> Iterator[FirestoreArena]:
        with pytest.MonkeyPatch.context() as patch:
            arena = FirestoreArena(patch)
            arena.make("large", {"id": "integer", "word": "text"}, [(at, "x" * 500) for at in range(6_000)])
            yield arena
            arena.server.close()

    @contextlib.contextmanager
    def relayed(self, arena: Any) -> Iterator[tuple[Relay, Callable[[], Source]]]:
        """A relay before the service, under its name and its certificate."""
        with contextlib.closing(Relay(arena.server.port)) as relay, pytest.MonkeyPatch.context() as patch:
            patch.setattr(connection, "SERVICE", replace(connection.SERVICE, port=relay.port))
            patch.setattr(arena, "port", relay.port)
            yield relay, arena.open

    def dialled(self, arena: Any) -> tuple[dict[str, Any], tuple[str, int]]:
        return {}, (HOST, arena.port)


@pytest.fixture(scope="module")
def arena() -> Iterator[FirestoreArena]:
    with pytest.MonkeyPatch.context() as patch:
        arena = FirestoreArena(patch)
        yield arena
        arena.server.close()


def test_answers_without_an_end_are_given_up(arena: FirestoreArena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_answers, "MOST_ROWS", 1_000)
    names = ["lines"] * 300
    sent = itertools.count()

    def page(request: Any, context: Any) -> Iterator[Any]:
        found = calls.ListCollectionIdsResponse(collection_ids=names, next_page_token="more")
        yield calls.ListCollectionIdsResponse.pb(found)

    def rows(query: Any, moment: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        return ((f"{arena.server.root}/lines/{at}", {"n": pb(integer_value=at)}) for at in sent)

    with arena.open() as source:
        monkeypatch.setattr(arena.server, "_collections", page)
        for _ in ("full pages", "empty ones"):
            with pytest.raises(errors.SourceRefused, match="longer answer than a database gives") as caught:
                source.tables()
            assert caught.value.field == "database"
            names.clear()
        monkeypatch.setattr(arena.server, "_found", rows)
        assert "n" in {column.name for column in source.columns("", "lines")}
        assert len(source.samples("", "lines", ["n"], 3)["n"]) == 3
    assert next(sent) < 100_000


def test_a_document_longer_than_any_is_given_up(arena: FirestoreArena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google_cloud, "MESSAGE_BYTES", 2**20)
    arena.server.put("long", {"a": {"n": pb(string_value="x" * 2**21)}})
    with arena.open() as source:
        for ask in (lambda: source.columns("", "long"), lambda: list(source.read(ReadRequest("", "long", ())))):
            with pytest.raises(errors.SourceRefused, match="longer answer than a database gives"):
                ask()


def pb(**value: Any) -> Any:
    """A value by the name of its kind."""
    return documents.Value.pb(documents.Value(**value))


BERLIN = latlng_pb2.LatLng(latitude=52.5, longitude=13.25)
LIST = [{"integer_value": 2**60}, {"string_value": "a"}, {"null_value": 0}]
MAP = {"b": {"double_value": 0.5}, "a": {"boolean_value": True}}
VECTOR = {"__type__": {"string_value": "__vector__"}, "value": {"array_value": {"values": [{"double_value": 1.5}]}}}
MATRIX: list[tuple[str, str, list[tuple[Any, Any]]]] = [
    ("integer", "INT64", [(-(2**63), -(2**63)), (2**63 - 1, 2**63 - 1), (None, None)]),
    ("double", "FLOAT64", [(0.1, 0.1), (5e-324, 5e-324), (float("-inf"), float("-inf")), (-0.0, -0.0)]),
    ("boolean", "BOOL", [(True, True), (False, False)]),
    ("string", "STRING", [("", ""), ("00123", "00123"), ("🛒 𝄞", "🛒 𝄞")]),
    ("bytes", "BYTES", [(b"\x00\xff", b"\x00\xff"), (b"", b"")]),
    (
        "timestamp",
        "TIMESTAMP",
        [
            (datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)),
            (datetime(2024, 2, 29, 1, 2, 3, 456789, tzinfo=UTC), datetime(2024, 2, 29, 1, 2, 3, 456789, tzinfo=UTC)),
            (datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
        ],
    ),
    ("reference", "STRING", [(pb(reference_value="projects/p/databases/d/documents/products/7"), "products/7")]),
    ("geopoint", "GEOGRAPHY", [(pb(geo_point_value=BERLIN), "POINT(13.25 52.5)")]),
    ("array", "JSON", [(pb(array_value={"values": LIST}), '[1152921504606846976, "a", null]')]),
    ("map", "JSON", [(pb(map_value={"fields": MAP}), '{"a": true, "b": 0.5}')]),
    ("vector", "JSON", [(pb(map_value={"fields": VECTOR}), "[1.5]")]),
]


@pytest.mark.parametrize(("kind", "warehouse", "cases"), MATRIX, ids=[case[0] for case in MATRIX])
def test_every_kind_is_read_as_it_was_written(
    arena: FirestoreArena, kind: str, warehouse: str, cases: list[tuple[Any, Any]]
) -> None:
    arena.put("matrix", *({"value": value} for value, _ in cases))
    with arena.open() as source:
        (column,) = [column for column in source.columns("", "matrix") if column.name == "value"]
        assert column.source_type == kind
        request = request_for(source, arena, "matrix")
        assert request.columns[1].warehouse_type is WarehouseType(warehouse)
        rows = table_of(source, request).to_pylist()
    read = {int(row["_id"]): row["value"] for row in rows}
    for at, (_, expected) in enumerate(cases):
        assert repr(read[at]) == repr(expected) if isinstance(expected, float) else read[at] == expected


def test_a_field_of_several_kinds_becomes_text_and_says_so(arena: FirestoreArena) -> None:
    arena.put("mixed", {"v": 12}, {"v": "00123"}, {})
    with arena.open() as source:
        request = request_for(source, arena, "mixed")
        assert (request.columns[1].warehouse_type, request.columns[1].confidence) == (WarehouseType.STRING, "low")
        assert sorted(filter(None, table_of(source, request).column("v").to_pylist())) == ["00123", "12"]


def test_a_text_that_turns_up_among_numbers_is_refused_and_not_changed(arena: FirestoreArena) -> None:
    arena.put("later", {"v": 12})
    with arena.open() as source:
        request = request_for(source, arena, "later")
        arena.put("later", {"v": 12}, {"v": "00123"})
        source.tables()
        batches = list(source.read(request))
    assert [row["v"] for batch in batches for row in batch.rows.to_pylist()] == [12]
    assert [row.reason for batch in batches for row in batch.rejected] == ["v: 00123 is text, not a number"]


def test_documents_without_a_cursor_are_loaded_with_the_backfill_of_everything(arena: FirestoreArena) -> None:
    arena.put("gaps", {"at": datetime(2024, 1, 1, tzinfo=UTC)}, {"v": 1}, {"at": None}, {"at": "yesterday"})
    upper = "2024-01-01 00:00:00+00:00"
    with arena.open() as source:
        request = request_for(source, arena, "gaps")
        request = replace(request, columns=tuple(column for column in request.columns if column.name != "at"))
        for window, expected in (
            (Window("at", None, upper, lower_inclusive=True), ["0"]),
            (Window("at", upper, upper, include_null=True), ["1", "2", "3"]),
        ):
            read = table_of(source, replace(request, window=window))
            assert sorted(read.column("_id").to_pylist()) == expected
            assert source.count(replace(request, window=window)) == len(expected)


def test_the_ids_of_documents_are_an_order_to_resume_in(arena: FirestoreArena) -> None:
    arena.put("events", {"v": 0}, {"v": 1}, {"v": 2})
    with arena.open() as source:
        assert source.max_cursor("", "events", "_id") == "2"
        request = request_for(source, arena, "events", order_by=("_id",), key_after=("0",))
        assert table_of(source, request).column("v").to_pylist() == [1, 2]


def test_a_certificate_of_another_authority_or_name_is_refused(arena: FirestoreArena) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for service in (Service(HOST, arena.port, Authority().pem), Service("other.example", arena.port)):
            patch.setattr(connection, "SERVICE", service)
            with pytest.raises(errors.SourceRefused):
                arena.open()
