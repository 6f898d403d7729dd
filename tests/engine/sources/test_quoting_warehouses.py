"""Names and values enter the SQL of warehouses through the same door."""

from __future__ import annotations

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.sources.quoting import quote_escaped_name, quote_escaped_text, quote_text_without_backslash

TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), max_size=40)
ATTACKS = ["", "'", "\\", "\\'", "' OR 1=1 --", "a\\\\'b", "\n\r\t", "🛒", "%s {x} $1 ?"]


@pytest.mark.parametrize("dialect", ["bigquery", "snowflake"])
@settings(deadline=None)
@given(text=TEXTS | st.sampled_from(ATTACKS))
def test_an_escaped_text_is_one_literal_that_means_itself(dialect: str, text: str) -> None:
    tree = sqlglot.parse_one(f"SELECT {quote_escaped_text(text)}", dialect=dialect)
    (value,) = tree.expressions
    assert value.is_string
    assert value.this == text


@settings(deadline=None)
@given(text=TEXTS | st.sampled_from(ATTACKS))
def test_a_text_without_a_backslash_means_itself(text: str) -> None:
    written = quote_text_without_backslash(text)
    assert "\\" not in written
    assert duckdb.sql(f"SELECT {written}").fetchall() == [(text,)]


@pytest.mark.parametrize("name", ["select", "a`; DROP TABLE x; --", "back\\slash", "ünïcode name"])
def test_an_escaped_name_is_one_name(name: str) -> None:
    written = quote_escaped_name(name, limit=100)
    assert written[0] == written[-1] == "`"
    inner = written[1:-1].replace("\\\\", "").replace("\\`", "")
    assert "`" not in inner and "\\" not in inner


@pytest.mark.parametrize("name", ["", "a\x00b", "x" * 101, "\ud800"])
def test_a_name_no_warehouse_has_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        quote_escaped_name(name, limit=100)
