"""A list of tables that goes on and on is given up within the memory it may take."""

from __future__ import annotations

from typing import Any

import pytest
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
        with pytest.raises(errors.SourceRefused, match="longer answer"):
            source.columns("public", "table 1")


def test_texts_beyond_the_allowed_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_answers, "MOST_BYTES", 100)
    ended: list[bool] = []
    rows = (("x" * 30, None, 7) for _ in range(10))
    with pytest.raises(errors.SourceRefused):
        small_answers.small_answer(rows, "host.example.com", lambda: ended.append(True))
    assert ended == [True]
    assert small_answers.small_answer([("a", b"b"), (None, 1)], "host") == [("a", b"b"), (None, 1)]
