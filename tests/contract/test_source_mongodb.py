"""MongoDB against the contract, and what only MongoDB has: documents of any shape, values of any kind."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from bson.binary import Binary, UuidRepresentation
from bson.code import Code
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp
from certificates import Authority
from contract.mongodb_arena import MongoDBArena
from contract.sources_contract import DATABASE_PARAMETERS, SourceContract, request_for, table_of

from b2b_recs.engine import errors
from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources import small_answers
from b2b_recs.engine.sources.contract import ReadRequest, Window
from b2b_recs.engine.sources.registry import SOURCE_TYPES, parse_parameters


class TestMongoDB(SourceContract):
    type = "mongodb"
    tells_json = False
    revokes = True
    heavy_text = 4_000
    measured = (24_000, 4_000)
    keyed = False
    tick = timedelta(milliseconds=1)
    heavy_rows = 8_000
    odd_names = (
        'a"; DROP TABLE lines; --',
        "a`b]c'd",
        "🛒 emoji ünïcode",
        "back\\slash %s %(x)s {y} ?",
        " spaces ",
        "select",
    )
    bad_parameters = DATABASE_PARAMETERS
    bad_connections = (
        ("password", {"password": "wrong-canary"}, errors.AuthenticationRefused, "password"),
        ("user", {"username": "nobody-here"}, errors.AuthenticationRefused, "password"),
        ("host", {"host": "no-such-host.invalid"}, errors.HostUnknown, "host"),
        ("port", {"port": 1}, errors.ConnectionRefused, "host"),
        ("database", {"database": "no_such_database"}, errors.DatabaseMissing, "database"),
        ("encryption", {"ssl_mode": "require"}, errors.SourceRefused, "ssl_mode"),
    )

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls) -> Iterator[MongoDBArena]:
        arena = MongoDBArena()
        yield arena
        arena.server.close()

    @contextlib.contextmanager
    def private_server(self) -> Iterator[MongoDBArena]:
        arena = MongoDBArena()
        arena.make("large", {"id": "integer", "word": "text"}, [(at, "x" * 500) for at in range(20_000)])
        yield arena
        arena.server.close()


Expected = Any
D = Decimal
ID = ObjectId("65a1b2c3d4e5f60718293a4b")
LAST = datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)


class Refused(str):
    """The row must be rejected for a reason with these words."""


MATRIX: list[tuple[str, str, list[tuple[Any, Expected]]]] = [
    ("int", "INT64", [(-(2**31), -(2**31)), (2**31 - 1, 2**31 - 1), (None, None)]),
    ("long", "INT64", [(Int64(-(2**63)), -(2**63)), (Int64(2**63 - 1), 2**63 - 1)]),
    ("double", "FLOAT64", [(0.1, 0.1), (5e-324, 5e-324), (float("inf"), float("inf")), (-0.0, -0.0)]),
    (
        "decimal",
        "NUMERIC",
        [
            (Decimal128("1234567890123456789012345.123456789"), D("1234567890123456789012345.123456789")),
            (Decimal128("-0.01"), D("-0.010000000")),
            (Decimal128("NaN"), Refused("not a number")),
            (Decimal128("Infinity"), Refused("not a number")),
            (Decimal128("1E+29"), Refused("29 digits before")),
            (Decimal128("1E-10"), Refused("9 digits after")),
        ],
    ),
    ("string", "STRING", [("", ""), ("00123", "00123"), ("🛒 𝄞", "🛒 𝄞"), ("x" * 100_000, "x" * 100_000)]),
    ("bool", "BOOL", [(True, True), (False, False)]),
    (
        "date",
        "TIMESTAMP",
        [
            (datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)),
            (LAST, LAST),
            (DatetimeMS(253_402_300_800_000), Refused("outside the years 1 to 9999")),
            (DatetimeMS(-62_135_596_800_001), Refused("outside the years 1 to 9999")),
        ],
    ),
    ("objectId", "STRING", [(ID, str(ID))]),
    ("binData", "BYTES", [(b"\x00\xff", b"\x00\xff"), (b"", b"")]),
    (
        "uuid",
        "STRING",
        [
            (
                Binary.from_uuid(uuid.UUID(int=7), UuidRepresentation.STANDARD),
                "00000000-0000-0000-0000-000000000007",
            )
        ],
    ),
    (
        "object",
        "JSON",
        [
            (
                {"a": 1, "b": Decimal128("1.10"), "c": None, "d": [Int64(2**60), 0.5, True], "e": ID},
                f'{{"a": 1, "b": 1.10, "c": null, "d": [1152921504606846976, 0.5, true], "e": "{ID}"}}',
            )
        ],
    ),
    (
        "array",
        "JSON",
        [
            ([], "[]"),
            (["a", 'q"'], '["a", "q\\""]'),
            ([datetime(2024, 1, 1, tzinfo=UTC)], '["2024-01-01T00:00:00.000Z"]'),
        ],
    ),
    ("regex", "STRING", [(Regex("^a.*b", "i"), "/^a.*b/i")]),
    ("javascript", "STRING", [(Code("return 1"), "return 1")]),
    ("timestamp", "STRING", [(Timestamp(1704067200, 7), "2024-01-01T00:00:00+00:00 #7")]),
    ("minKey", "STRING", [(MinKey(), "MinKey")]),
    ("maxKey", "STRING", [(MaxKey(), "MaxKey")]),
]  # fmt: skip


@pytest.fixture(scope="module")
def arena() -> Iterator[MongoDBArena]:
    arena = MongoDBArena()
    yield arena
    arena.server.close()


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> Iterator[MongoDBArena]:
    """A server whose answers name another one each time, until ``MOST_ROWS`` of them are too many."""
    monkeypatch.setattr(small_answers, "MOST_ROWS", 1_000)
    arena = MongoDBArena()
    arena.put("lines", {"id": 1})
    yield arena
    arena.server.close()


@pytest.mark.parametrize("names", [["lines"] * 50, []], ids=["full", "empty"])
def test_a_list_of_collections_without_an_end_is_given_up(
    endless: MongoDBArena, monkeypatch: pytest.MonkeyPatch, names: list[str]
) -> None:
    with endless.open() as source:
        batch = [{"name": name, "type": "collection"} for name in names]
        told = {"cursor": {"id": Int64(7), "ns": "shop.$cmd.listCollections", "firstBatch": batch, "nextBatch": batch}}
        monkeypatch.setattr(endless.server, "_do_listcollections", lambda document: told, raising=False)
        monkeypatch.setattr(endless.server, "_do_getmore", lambda document: told, raising=False)
        with pytest.raises(errors.SourceRefused, match="longer answer than a database gives") as caught:
            source.tables()
        assert caught.value.field == "host"
        if not names:
            with pytest.raises(errors.SourceRefused, match="longer answer"):
                source.columns("", "lines")


def test_a_server_that_ignores_how_much_was_asked_for_is_not_heard_to_an_end(
    endless: MongoDBArena, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def more(document: dict[str, Any]) -> dict[str, Any]:
        asked.append(1)
        batch = [{"_id": at, "word": "x" * 1_000} for at in range(1_000)]
        return {"cursor": {"id": Int64(7), "ns": "shop.lines", "firstBatch": batch, "nextBatch": batch}}

    for command in ("_do_find", "_do_getmore"):
        monkeypatch.setattr(endless.server, command, more, raising=False)
    with endless.open() as source:
        assert [column.name for column in source.columns("", "lines")] == ["_id", "word"]
        assert source.samples("", "lines", ["word"], 3)["word"]
    assert len(asked) < 40


@pytest.mark.parametrize(("kind", "warehouse", "cases"), MATRIX, ids=[case[0] for case in MATRIX])
def test_every_kind_is_read_as_it_was_written_or_refused(
    arena: MongoDBArena, kind: str, warehouse: str, cases: list[tuple[Any, Expected]]
) -> None:
    arena.put("matrix", *({"_id": at, "value": value} for at, (value, _) in enumerate(cases)))
    with arena.open() as source:
        (column,) = [column for column in source.columns("shop", "matrix") if column.name == "value"]
        assert column.source_type == kind
        request = request_for(source, arena, "matrix")
        assert request.columns[1].warehouse_type is WarehouseType(warehouse)
        batches = list(source.read(request))
    read = {row["_id"]: row["value"] for batch in batches for row in batch.rows.to_pylist()}
    rejected = {row.row["_id"]: row for batch in batches for row in batch.rejected}
    for at, (_, expected) in enumerate(cases):
        if isinstance(expected, Refused):
            assert expected in rejected[str(at)].reason and rejected[str(at)].column == "value"
        elif isinstance(expected, float):
            assert repr(read[at]) == repr(expected)
        else:
            assert read[at] == expected, at


def test_the_certificate_is_verified_for_the_name_and_not_for_the_address() -> None:
    authority = Authority()
    arena = MongoDBArena(authority.server_context("shop.example"))
    arena.make("lines", {"id": "integer"}, [(1,)])
    declared = SOURCE_TYPES["mongodb"]
    good = {"host": "shop.example", "ssl_mode": "verify-full", "ca_certificate": authority.pem}

    def open_with(**changes: Any) -> list[str]:
        parameters = parse_parameters("mongodb", arena.parameters(**{**good, **changes}))
        with declared.open(parameters, lambda host, port: "127.0.0.1") as source:
            return [table.name for table in source.tables()]

    try:
        assert open_with() == ["lines"]
        for changes in ({"host": "other.example"}, {"ca_certificate": Authority().pem}, {"ca_certificate": ""}):
            with pytest.raises(errors.SourceRefused) as caught:
                open_with(**changes)
            assert caught.value.field == "ssl_mode"
        with pytest.raises(errors.ConnectionRefused):
            open_with(ssl_mode="disable", ca_certificate="")
    finally:
        arena.server.close()


def mapped(request: ReadRequest, name: str, kind: WarehouseType) -> ReadRequest:
    """The request with one column mapped by hand."""
    return replace(
        request,
        columns=tuple(
            replace(column, warehouse_type=kind) if column.name == name else column for column in request.columns
        ),
    )


def test_a_field_of_several_kinds_becomes_text_and_says_so(arena: MongoDBArena) -> None:
    arena.put("mixed", {"_id": 1, "v": 12}, {"_id": 2, "v": "00123"}, {"_id": 3, "v": [1]}, {"_id": 4})
    with arena.open() as source:
        request = request_for(source, arena, "mixed")
        column = request.columns[1]
        assert (column.warehouse_type, column.confidence) == (WarehouseType.STRING, "low")
        assert column.warning
        assert table_of(source, request).column("v").to_pylist() == ["12", "00123", "[1]", None]


def test_a_text_that_turns_up_in_a_field_of_numbers_is_refused_and_not_changed(arena: MongoDBArena) -> None:
    arena.put("later", {"_id": 1, "v": 12})
    with arena.open() as source:
        request = request_for(source, arena, "later")
        arena.put("later", {"_id": 1, "v": 12}, {"_id": 2, "v": "00123"}, {"_id": 3, "v": 1.5}, {"_id": 4, "v": True})
        batches = list(source.read(request))
    assert [row["v"] for batch in batches for row in batch.rows.to_pylist()] == [12]
    rejected = {row.row["_id"]: row for batch in batches for row in batch.rejected}
    assert sorted(rejected) == ["2", "3", "4"]
    assert "is text, not a number" in rejected["2"].reason
    assert rejected["2"].row["v"] == "00123"


def test_whole_numbers_and_fractions_together_keep_every_digit(arena: MongoDBArena) -> None:
    arena.put("numbers", {"_id": 1, "v": 1}, {"_id": 2, "v": 0.5}, {"_id": 3, "v": Int64(2**53 + 1)})
    with arena.open() as source:
        request = request_for(source, arena, "numbers")
        assert request.columns[1].warehouse_type is WarehouseType.FLOAT64
        batches = list(source.read(request))
        exact = list(source.read(mapped(request, "v", WarehouseType.STRING)))
    assert [row["v"] for batch in batches for row in batch.rows.to_pylist()] == [1.0, 0.5]
    assert [row.reason for batch in batches for row in batch.rejected] == [
        f"v: {2**53 + 1} has more digits than FLOAT64 keeps"
    ]
    assert [row["v"] for batch in exact for row in batch.rows.to_pylist()] == ["1", "0.5", str(2**53 + 1)]


def test_documents_without_a_cursor_are_loaded_with_the_backfill_of_everything(arena: MongoDBArena) -> None:
    arena.put("gaps", {"_id": 1, "at": datetime(2024, 1, 1, tzinfo=UTC)}, {"_id": 2}, {"_id": 3, "at": None})
    with arena.open() as source:
        request = request_for(source, arena, "gaps")
        upper = "2024-01-01 00:00:00+00:00"
        windows = (
            (Window("at", None, upper, lower_inclusive=True), [1]),
            (Window("at", upper, upper, include_null=True), [2, 3]),
            (Window("at", None, None, include_null=True), [1, 2, 3]),
        )
        for window, expected in windows:
            read = table_of(source, replace(request, window=window))
            assert sorted(read.column("_id").to_pylist()) == expected
            assert source.count(replace(request, window=window)) == len(expected)


@pytest.mark.parametrize(
    ("good", "odd", "text"),
    [
        (datetime(2024, 1, 1, tzinfo=UTC), DatetimeMS(253_402_300_800_000), "2024-01-01 00:00:00+00:00"),
        (1.5, float("inf"), "1.5"),
        (1.5, float("nan"), "1.5"),
        (1.5, float("-inf"), "1.5"),
    ],
)
def test_values_that_end_no_window_can_be_asked_for(arena: MongoDBArena, good: Any, odd: Any, text: str) -> None:
    arena.put("odd", {"_id": 1, "v": good}, {"_id": 2, "v": odd}, {"_id": 3})
    with arena.open() as source:
        assert source.max_cursor("shop", "odd", "v") == text
        request = request_for(source, arena, "odd", window=Window("v", text, text, lower_inclusive=True))
        assert source.count(request) == 1
        for window, rows in (
            (Window("v", text, text, True, beyond=True), 2),
            (Window("v", text, text, True, True, True), 3),
        ):
            assert source.count(replace(request, window=window)) == rows


def test_object_ids_are_a_cursor(arena: MongoDBArena) -> None:
    ids = [ObjectId(f"{at:024x}") for at in (1, 2, 3)]
    arena.put("events", *({"_id": one, "v": at} for at, one in enumerate(ids)))
    with arena.open() as source:
        assert source.max_cursor("shop", "events", "_id") == str(ids[-1])
        request = request_for(source, arena, "events", window=Window("_id", str(ids[0])), order_by=("_id",))
        assert table_of(source, request).column("v").to_pylist() == [1, 2]


@pytest.mark.parametrize(
    ("make", "places"),
    [(lambda at: ObjectId(f"{at:024x}"), 10), (lambda at: at, 10), (lambda at: f"{at:05}", 2)],
    ids=["object ids", "numbers", "texts"],
)
def test_documents_from_first_to_last_are_looked_at(
    arena: MongoDBArena, make: Callable[[int], Any], places: int
) -> None:
    arena.put("spread", *({"_id": make(at), f"only {at}": 1} for at in range(1000)))
    with arena.open(sampled_documents=100) as source:
        names = [column.name for column in source.columns("shop", "spread")]
    seen = [int(name.removeprefix("only ")) for name in names if name.startswith("only")]
    assert len(seen) == 100 and seen == sorted(seen)
    assert {0, 999} <= set(seen)
    assert sum(after != before + 1 for before, after in pairwise(seen)) == places - 1


def test_an_empty_text_or_a_name_that_means_a_path_is_no_operator(arena: MongoDBArena) -> None:
    arena.put("paths", {"_id": 1, "a.b": 1, "c": 2})
    with arena.open() as source:
        request = request_for(source, arena, "paths")
        assert table_of(source, request).to_pylist() == [{"_id": 1, "a.b": 1, "c": 2}]
        for name in ("a.b", "$where", ""):
            with pytest.raises(errors.BadInput):
                source.count(replace(request, window=Window(name, "1")))


def test_a_collection_the_login_may_not_read_says_what_to_ask_for(arena: MongoDBArena) -> None:
    arena.put("secret", {"_id": 1})
    arena.server.hidden.add("secret")
    try:
        with arena.open() as source, pytest.raises(errors.PermissionMissing) as caught:
            source.columns("shop", "secret")
    finally:
        arena.server.hidden.clear()
        arena.drop("secret")
    assert '"read"' in caught.value.advice
