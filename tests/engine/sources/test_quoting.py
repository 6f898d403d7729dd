"""Names and values enter SQL through one door."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.sources.quoting import quote_name, quote_qualified, quote_text


def test_quotes_inside_a_name_are_doubled() -> None:
    assert quote_qualified("public", 'a"; DROP TABLE x; --') == '"public"."a""; DROP TABLE x; --"'


@pytest.mark.parametrize("name", ["", "a\x00", "é" * 32, "x" * 64, "\ud800"])
def test_a_name_the_server_would_change_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        quote_name(name)


def test_the_longest_name_is_kept_whole() -> None:
    assert quote_name("x" * 63) == '"' + "x" * 63 + '"'


@pytest.mark.parametrize("strings", ["on", "off"])
def test_a_text_means_itself_under_either_setting(postgres_server: Any, strings: str) -> None:
    @given(st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",))))
    def echoed(text: str) -> None:
        assert connection.execute(f"SELECT {quote_text(text)}".encode()).fetchone() == (text,)

    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        try:
            connection.execute(f"SET standard_conforming_strings = {strings}".encode())
        except psycopg.Error:
            pytest.skip("this server no longer knows the setting")
        echoed()


def test_a_nul_in_a_text_is_refused() -> None:
    with pytest.raises(BadInput):
        quote_text("a\x00b")
