"""Tables of refusals: the first line that knows an error speaks of it, and no error is left without words."""

from __future__ import annotations

import pytest

from b2b_recs.engine.errors import ConnectionLost, SourceRefused, TableMissing
from b2b_recs.engine.sources.error_table import LOST, NO_TABLE, NOT_READ, Refusal, refusal_of
from b2b_recs.engine.sources.firestore import errors as firestore
from b2b_recs.engine.sources.mysql import errors as mysql
from b2b_recs.engine.sources.oracle import errors as oracle
from b2b_recs.engine.sources.postgresql import errors as postgresql
from b2b_recs.engine.sources.snowflake import errors as snowflake
from b2b_recs.engine.sources.sqlserver import errors as sqlserver

TABLE = (NO_TABLE.when(codes=(42,)), LOST.when(codes=(OSError,), pattern="hung up"), NOT_READ)


@pytest.mark.parametrize(
    ("codes", "said", "kind"),
    [
        ({42}, "the server hung up", TableMissing),
        ({7}, "the server hung up", ConnectionLost),
        ({7, OSError}, "", ConnectionLost),
        ({7}, "", SourceRefused),
        ((), "", SourceRefused),
    ],
)
def test_the_first_line_that_knows_the_code_or_the_words_tells(codes: set[object], said: str, kind: type) -> None:
    assert type(refusal_of(TABLE, codes, said, host="h", subject="a.b", words="no")) is kind


def test_what_a_server_says_is_never_read_as_a_name_to_fill_in() -> None:
    told = refusal_of(TABLE, (), host="db.example", subject="a.{host}", words="{subject} {0} %s")
    assert told.message == "db.example refused to read a.{host}: {subject} {0} %s."


@pytest.mark.parametrize("source", [firestore, mysql, oracle, postgresql, snowflake, sqlserver])
def test_every_table_ends_with_words_for_any_other_error(source: object) -> None:
    tables = [
        value
        for value in vars(source).values()
        if isinstance(value, tuple) and value and all(isinstance(line, Refusal) for line in value)
    ]
    whole = [table for table in tables if not table[-1].codes and not table[-1].pattern]
    assert whole
    for table in whole:
        assert all(line.codes or line.pattern for line in table[:-1]), "a line in the middle would hide those after it"
