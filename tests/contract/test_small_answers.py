"""A list of tables that goes on and on is given up within the memory it may take."""

from __future__ import annotations

from typing import Any

import pytest
from contract.mongodb_arena import MongoDBArena
from contract.postgresql_arena import PostgreSQLArena
from contract.redshift_arena import RedshiftArena

from b2b_recs.engine import errors
from b2b_recs.engine.sources import small_answers

# More than any database has; the stand-in puts them in order before it sends the first, so they must have an end.
MANY = """
    CREATE OR REPLACE VIEW standin.svv_tables AS
    SELECT 'd' AS table_catalog, 'public' AS table_schema, 'table ' || g AS table_name, 'BASE TABLE' AS table_type,
           NULL::text AS remarks
    FROM generate_series(1, 400000) AS g"""


def test_a_list_of_tables_that_goes_on_and_on_is_given_up(postgres_server: Any) -> None:
    arena = RedshiftArena(postgres_server, "redshift_many")
    arena.execute("DROP VIEW standin.svv_tables", MANY, "GRANT SELECT ON standin.svv_tables TO PUBLIC")
    with arena.open() as source:
        with pytest.raises(errors.SourceRefused, match="longer answer than a database gives") as caught:
            source.tables()
        assert caught.value.field == "host" and caught.value.advice


@pytest.mark.parametrize("arena_type", [PostgreSQLArena, RedshiftArena])
def test_an_answer_of_more_rows_than_allowed_is_refused_in_the_same_words(
    postgres_server: Any, monkeypatch: pytest.MonkeyPatch, arena_type: Any
) -> None:
    arena = arena_type(postgres_server, f"small_answers_{arena_type.type}")
    arena.execute(*(f"CREATE TABLE many_{number} (id integer)" for number in range(40)))
    with arena.open() as source:
        assert source.columns("public", "many_1")
        monkeypatch.setattr(small_answers, "MOST_ROWS", 30)
        with pytest.raises(errors.SourceRefused, match="longer answer"):
            source.tables()
    monkeypatch.undo()
    with arena.open() as source:
        assert len(source.tables()) >= 40


def test_collections_without_an_end_are_refused_in_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    arena = MongoDBArena()
    for number in range(6):
        arena.make(f"many_{number}", {"id": "integer"}, [(number,)])
    with arena.open() as source:
        assert len(source.tables()) == 6
        monkeypatch.setattr(small_answers, "MOST_ROWS", 5)
        with pytest.raises(errors.SourceRefused, match="longer answer") as caught:
            source.tables()
        assert caught.value.field == "host"
    arena.server.close()


def test_texts_beyond_the_allowed_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_answers, "MOST_BYTES", 100)
    ended: list[bool] = []
    rows = (("x" * 30, None, 7) for _ in range(10))
    with pytest.raises(errors.SourceRefused):
        small_answers.small_answer(rows, "host.example.com", lambda: ended.append(True))
    assert ended == [True]
    assert small_answers.small_answer([("a", b"b"), (None, 1)], "host") == [("a", b"b"), (None, 1)]
