"""What a read does beyond single values: encodings, extensions' types, locks, order of questions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from contract.postgresql_arena import PostgreSQLArena, dial
from contract.sources_contract import eventually
from engine.etl.arena import Job, Table

from b2b_recs.engine.errors import BadInput, Cancelled, ColumnMissing
from b2b_recs.engine.etl.spec import CopyResult
from b2b_recs.engine.schema.types import ColumnMapping, Confidence, WarehouseType
from b2b_recs.engine.sources.contract import ReadRequest, Source, Window
from b2b_recs.engine.sources.postgresql.catalog import list_columns
from b2b_recs.engine.sources.postgresql.select import select_count
from b2b_recs.engine.sources.registry import SOURCE_TYPES, open_source

W = WarehouseType


@pytest.fixture(scope="module")
def arena(postgres_server: Any) -> PostgreSQLArena:
    return PostgreSQLArena(postgres_server, "reading")


@pytest.fixture
def source(arena: PostgreSQLArena) -> Iterator[Source]:
    with arena.open() as source:
        yield source


def proposed(source: Source, table: str, **more: Any) -> ReadRequest:
    columns = source.columns("public", table)
    return ReadRequest("public", table, tuple(SOURCE_TYPES["postgresql"].propose(columns, {}, "UTC")), **more)


def read(source: Source, request: ReadRequest) -> tuple[list[dict[str, Any]], list[Any]]:
    batches = list(source.read(request))
    return [row for batch in batches for row in batch.rows.to_pylist()], [
        row for batch in batches for row in batch.rejected
    ]


def superuser(server: Any, database: str) -> Source:
    parameters = {
        "host": server.host, "port": server.port, "database": database, "username": server.user,
        "password": server.password,
    }  # fmt: skip
    return open_source("postgresql", parameters, dial)


def make_database(server: Any, name: str, encoding: str) -> psycopg.Connection[Any]:
    server.drop_database(name)
    server.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C'")
    return psycopg.connect(server.url(name), autocommit=True)


def test_a_latin1_database_reads_as_unicode(postgres_server: Any) -> None:
    with make_database(postgres_server, "latin", "LATIN1") as connection:
        connection.execute("CREATE TABLE t AS SELECT 'café'::text AS word")
    with superuser(postgres_server, "latin") as source:
        assert read(source, proposed(source, "t")) == ([{"word": "café"}], [])


def test_bytes_that_are_not_text_are_rejected_readably(postgres_server: Any) -> None:
    good, bad = (
        [b"abc", "é🙂".encode(), b""],
        [b"caf\xe9", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"],
    )
    with make_database(postgres_server, "anything", "SQL_ASCII") as connection:
        connection.execute("CREATE TABLE t (at integer, word text)")
        for at, value in enumerate(good + bad):
            connection.execute("INSERT INTO t VALUES (%s, convert_from(%b, 'SQL_ASCII'))", [at, value])
    with superuser(postgres_server, "anything") as source:
        rows, rejected = read(source, proposed(source, "t"))
        assert [row["word"].encode() for row in rows] == good
        assert [row.row["word"] for row in rejected] == ["\\x" + value.hex() for value in bad]
        assert all("UTF-8" in row.reason for row in rejected)
        samples = source.samples("public", "t", ["word"], 20)["word"]
        assert samples[: len(good)] == [value.decode() for value in good]
        assert samples[len(good)] == "\\x636166e9"


def test_a_type_nobody_knows_is_read_as_text_with_low_confidence(postgres_server: Any, arena: PostgreSQLArena) -> None:
    arena.execute("DROP TABLE IF EXISTS v", "DROP EXTENSION IF EXISTS vector", "CREATE EXTENSION vector")
    arena.execute("CREATE TABLE v AS SELECT '[1,2.5]'::vector AS place")
    with arena.open() as source:
        request = proposed(source, "v")
        assert request.columns[0].confidence is Confidence.LOW
        assert read(source, request) == ([{"place": "[1,2.5]"}], [])
        assert source.samples("public", "v", ["place"], 1) == {"place": ["[1,2.5]"]}


def test_shapes_are_read_as_well_known_text_and_other_systems_rejected(arena: PostgreSQLArena) -> None:
    """A stand-in for PostGIS: a type of that name whose functions print what they were given."""
    arena.execute(
        "DROP SCHEMA IF EXISTS gis CASCADE",
        "CREATE SCHEMA gis",
        "CREATE TYPE gis.geometry",
        "CREATE FUNCTION gis.g_in(cstring) RETURNS gis.geometry LANGUAGE internal IMMUTABLE STRICT AS 'textin'",
        "CREATE FUNCTION gis.g_out(gis.geometry) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout'",
        "CREATE TYPE gis.geometry (INPUT = gis.g_in, OUTPUT = gis.g_out)",
        "CREATE FUNCTION gis.ST_AsText(gis.geometry, integer) RETURNS text LANGUAGE sql "
        "AS $$ SELECT split_part($1::text, ';', 2) $$",
        "CREATE FUNCTION gis.ST_SRID(gis.geometry) RETURNS integer LANGUAGE sql "
        "AS $$ SELECT split_part($1::text, ';', 1)::integer $$",
        "GRANT USAGE ON SCHEMA gis TO reader",
        "DROP TABLE IF EXISTS places",
        "CREATE TABLE places (shape gis.geometry)",
        "INSERT INTO places VALUES ('4326;POINT(1 2)'), ('0;POINT(3 4)'), ('27700;POINT(5 6)'), (NULL)",
    )
    with arena.open() as source:
        request = proposed(source, "places")
        assert request.columns[0].warehouse_type is W.GEOGRAPHY
        rows, rejected = read(source, request)
        assert [row["shape"] for row in rows] == ["POINT(1 2)", "POINT(3 4)", None]
        assert [row.row["shape"] for row in rejected] == ["27700;POINT(5 6)"]


def test_no_lock_is_left_on_a_table_between_questions(arena: PostgreSQLArena, source: Source) -> None:
    arena.execute("DROP TABLE IF EXISTS busy", "CREATE TABLE busy AS SELECT 1 AS id")
    request = proposed(source, "busy")
    assert source.count(request) == 1
    assert read(source, request)[0] == [{"id": 1}]
    arena.execute("SET lock_timeout = '2s'; DROP TABLE busy")
    assert arena.rows("SELECT to_regclass('busy')") == [(None,)]


def test_a_table_cannot_be_dropped_while_it_is_read(arena: PostgreSQLArena, source: Source) -> None:
    arena.execute("DROP TABLE IF EXISTS held")
    arena.execute("CREATE TABLE held AS SELECT g AS id, repeat('x', 500) AS word FROM generate_series(1, 40000) g")
    batches = source.read(proposed(source, "held", batch_bytes=64 * 1024))
    seen = next(batches).rows.num_rows
    dropping = threading.Thread(target=lambda: arena.execute("DROP TABLE held"), daemon=True)
    dropping.start()
    seen += sum(batch.rows.num_rows for batch in batches)
    assert seen == 40_000
    dropping.join(10)
    assert not dropping.is_alive()


def test_a_question_in_the_middle_of_a_read_is_refused(arena: PostgreSQLArena, source: Source) -> None:
    arena.execute("DROP TABLE IF EXISTS one", "CREATE TABLE one AS SELECT generate_series(1, 3) AS id")
    request = proposed(source, "one")
    batches = source.read(request)
    next(batches)
    for question in (lambda: source.count(request), lambda: source.columns("public", "one"), source.tables):
        with pytest.raises(RuntimeError):
            question()
    batches.close()  # type: ignore[attr-defined]
    assert source.count(request) == 3


def test_a_read_that_waits_for_the_server_can_be_cancelled(arena: PostgreSQLArena, source: Source) -> None:
    arena.execute(
        "CREATE OR REPLACE VIEW slow AS SELECT g AS id, pg_sleep(600)::text AS word FROM generate_series(1, 3) g",
        "GRANT SELECT ON slow TO reader",
    )
    request = proposed(source, "slow")
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(Cancelled):
        list(source.read(request, cancelled))
    busy = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND state = 'active'"
    assert eventually(lambda: arena.rows(busy) == [(0,)])
    assert source.tables()


def test_rejected_rows_carry_every_column_as_the_source_prints_it(arena: PostgreSQLArena, source: Source) -> None:
    arena.execute(
        "DROP TABLE IF EXISTS mixed",
        "CREATE TABLE mixed (id integer, at timestamp, word char(4), bits bytea, home inet, gone text)",
        "INSERT INTO mixed VALUES (1, 'infinity', 'ab', '\\x00', '10.0.0.1', NULL)",
        "INSERT INTO mixed VALUES (2, '2024-01-01', '', '', NULL, NULL)",
    )
    rows, rejected = read(source, proposed(source, "mixed"))
    assert [row["id"] for row in rows] == [2]
    assert rejected[0].row == {
        "id": "1", "at": "infinity", "word": "ab  ", "bits": "\\x00", "home": "10.0.0.1", "gone": None,
    }  # fmt: skip
    assert (rejected[0].column, rejected[0].reason) == ("at", "at: infinity lies outside the years 1 to 9999")


def test_a_wide_row_limit_and_small_batches_give_every_row_once(arena: PostgreSQLArena, source: Source) -> None:
    arena.execute("DROP TABLE IF EXISTS many", "CREATE TABLE many AS SELECT generate_series(1, 50000) AS id")
    request = proposed(source, "many", batch_bytes=16 * 1024, row_limit=49_999, order_by=("id",))
    batches = list(source.read(request))
    assert len(batches) > 10
    assert [row for batch in batches for row in batch.rows.column(0).to_pylist()] == list(range(1, 50_000))
    assert all(batch.rows.nbytes < 64 * 1024 for batch in batches)


def test_a_column_of_another_name_is_refused_before_anything_is_read(arena: PostgreSQLArena, source: Source) -> None:
    arena.execute("DROP TABLE IF EXISTS one", "CREATE TABLE one AS SELECT generate_series(1, 3) AS id")
    source.columns("public", "one")
    wrong = ReadRequest("public", "one", (ColumnMapping('id" FROM pg_authid --', "integer", W.INT64),))
    with pytest.raises(ColumnMissing):
        list(source.read(wrong))


def test_a_large_cursor_of_every_kind_comes_back_as_exact_text(arena: PostgreSQLArena, source: Source) -> None:
    for kind, values, wanted in (
        ("numeric", ["1.10", "99999999999999999999.000001", "'NaN'", "'Infinity'"], "99999999999999999999.000001"),
        ("double precision", ["0.1", "0.30000000000000004", "'NaN'", "'Infinity'"], "0.30000000000000004"),
        ("date", ["'2024-01-01'", "'infinity'", "'20226-02-01'"], "2024-01-01"),
        (
            "timestamp with time zone",
            ["'2024-01-01 00:00:00.000001+02'", "'infinity'"],
            "2023-12-31 22:00:00.000001+00",
        ),
        ("text", ["'a'", "'é'"], "é"),
        ("uuid", ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"], "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ):
        arena.execute("DROP TABLE IF EXISTS c", f"CREATE TABLE c (v {kind})", "INSERT INTO c VALUES (NULL)")
        arena.execute(*(f"INSERT INTO c VALUES ({value})" for value in values))
        source.columns("public", "c")
        largest = source.max_cursor("public", "c", "v")
        assert largest == wanted
        covered = proposed(source, "c", window=Window("v", lower=largest, upper=largest, lower_inclusive=True))
        assert source.count(covered) == 1


@pytest.mark.parametrize(
    ("kind", "good", "odd", "loaded", "key"),
    [
        ("timestamptz", ["2026-02-01", "2026-02-02"], ["infinity", "-infinity", "20226-02-01"], False, ["id"]),
        ("date", ["2026-02-01", "2026-02-02"], ["infinity", "-infinity", "20226-02-01"], False, []),
        ("numeric(20,2)", ["1.50", "2.50"], ["NaN"], False, []),
        ("real", ["1.5", "2.5"], ["NaN", "Infinity", "-Infinity"], True, []),
    ],
)
def test_a_cursor_no_run_can_go_on_from_is_told_of_once_and_hides_nothing(
    arena: PostgreSQLArena, tmp_path: Path, kind: str, good: list[str], odd: list[str], loaded: bool, key: list[str]
) -> None:
    arena.execute("DROP TABLE IF EXISTS w", f"CREATE TABLE w (id int PRIMARY KEY, at {kind} NOT NULL)")
    arena.execute(f"INSERT INTO w VALUES (1, '{good[0]}')")
    job = Job(tmp_path, Table({}, []), source_table="w", load={"cursor": "at", "key": key}, reject_threshold=1.0)
    job.kind = SOURCE_TYPES["postgresql"]

    def run() -> CopyResult:
        with arena.open() as source:
            job.source = source
            result: CopyResult = job.run()
        return result

    assert str(run().cursor_after).startswith(good[0].rstrip("0"))
    arena.execute(*(f"INSERT INTO w VALUES ({at + 10}, '{value}')" for at, value in enumerate(odd)))
    second = run()
    assert (second.rows_read, second.reconciled) == (1 + len(odd), True)
    assert (second.rows_loaded, second.rows_rejected) == ((len(odd), 0) if loaded else (0, len(odd)))
    arena.execute(f"INSERT INTO w VALUES (2, '{good[1]}')")
    third = run()
    assert (third.rows_loaded, third.reconciled) == (1, True)
    assert str(third.cursor_after).startswith(good[1].rstrip("0"))
    assert {1, 2} <= set(job.ids())
    if not loaded:
        assert job.table.rejected.row_count() == len(odd)


def test_an_index_on_the_cursor_finds_what_no_window_holds(arena: PostgreSQLArena, source: Source) -> None:
    arena.execute("DROP TABLE IF EXISTS i", "CREATE TABLE i (at timestamptz)", "CREATE INDEX ON i (at)")
    arena.execute("INSERT INTO i SELECT now() - n * interval '1 hour' FROM generate_series(1, 20000) n", "ANALYZE i")
    window = Window("at", "2999-01-01", "2999-02-01", lower_inclusive=True, include_null=True, beyond=True)
    request = proposed(source, "i", window=window)
    table = {column.info.name: column for column in list_columns(source._session, "public", "i")}
    plan = arena.rows(f"EXPLAIN {select_count(request, table)}")
    assert not [line for (line,) in plan if "Seq Scan" in line]


def test_a_window_bound_is_a_value_and_never_sql(arena: PostgreSQLArena, source: Source) -> None:
    arena.execute("DROP TABLE IF EXISTS w", "CREATE TABLE w AS SELECT 'a'::text AS v")
    hostile = "'); DROP TABLE w; --\\"
    request = proposed(source, "w", window=Window("v", lower=hostile))
    assert source.count(request) == 1
    with pytest.raises(BadInput):
        source.count(proposed(source, "w", window=Window("v", lower="a\x00")))
    assert arena.rows("SELECT count(*) FROM w") == [(1,)]


def test_a_key_that_rows_of_other_tables_may_repeat_is_none(arena: PostgreSQLArena, source: Source) -> None:
    arena.execute(
        "DROP TABLE IF EXISTS parent, cut CASCADE",
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE child (CONSTRAINT own PRIMARY KEY (id)) INHERITS (parent)",
        "CREATE TABLE cut (id int PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE cut_low PARTITION OF cut FOR VALUES FROM (0) TO (10)",
        "INSERT INTO parent VALUES (1)",
        "INSERT INTO child VALUES (1)",
    )
    keys = {name: source.columns("public", name)[0].key_position for name in ("parent", "child", "cut")}
    assert keys == {"parent": None, "child": 1, "cut": 1}
