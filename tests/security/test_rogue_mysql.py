"""Servers that misbehave: each ends in words, within a bound, and gets neither a file nor a password."""

from __future__ import annotations

import time
from typing import Any

import pytest
from doubles import rogue_mysql as rogue

from b2b_recs.engine import errors
from b2b_recs.engine.sources import small_answers
from b2b_recs.engine.sources.mysql import client, connection
from b2b_recs.engine.sources.registry import open_source

TYPES = ("mysql", "mariadb")
BOUND = 8.0


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits and small answers, so that the bounds are reached in a test."""
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 1.5)
    monkeypatch.setattr(connection, "QUESTION_SECONDS", 1.5)
    monkeypatch.setattr(small_answers, "MOST_BYTES", 4_000_000)
    monkeypatch.setattr(client, "SMALL_ANSWER_BYTES", 4_000_000)


CASES: list[tuple[rogue.Behaviour, tuple[type[errors.EngineError], ...], str]] = [
    (rogue.silent, (errors.SourceTimeout,), "in time"),
    (rogue.dripping, (errors.SourceTimeout,), "in time"),
    (rogue.hanging_up, (errors.ConnectionRefused,), "port"),
    (rogue.half_closed, (errors.ConnectionRefused,), "port"),
    (rogue.of_another_kind, (errors.ConnectionRefused, errors.SourceRefused), "port"),
    (rogue.asking_for_a_file_at_once, (errors.SourceRefused,), ""),
    (rogue.asking_for_a_file, (errors.SourceRefused,), "file of this machine"),
    (rogue.asking_for_a_file_of_a_table, (errors.SourceRefused,), "file of this machine"),
    (rogue.asking_for_the_plain_password, (errors.SourceRefused,), "not safe without encryption"),
    (rogue.offering_its_own_key, (errors.SourceRefused,), "not safe without encryption"),
    (rogue.starting_encryption_for_ever, (errors.SourceTimeout,), "in time"),
    (rogue.listing_for_ever, (errors.SourceRefused,), "longer answer"),
    (rogue.describing_for_ever, (errors.SourceRefused,), "longer answer"),
    (rogue.thinking_for_ever, (errors.SourceTimeout,), "in time"),
    (rogue.lying_about_lengths, (errors.ConnectionLost,), ""),
    (rogue.cutting_rows_short, (errors.ConnectionLost,), ""),
]


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize(("behaviour", "expected", "words"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_server_that_misbehaves_ends_in_words_within_a_bound(
    type: str, behaviour: rogue.Behaviour, expected: tuple[type[errors.EngineError], ...], words: str
) -> None:
    started = time.monotonic()
    with rogue.RogueMySQL(behaviour) as server:
        with pytest.raises(expected) as caught, open_source(type, parameters(server), local) as source:
            source.check()
        heard = server.heard
    assert time.monotonic() - started < BOUND
    assert words in str(caught.value)
    assert caught.value.advice
    assert caught.value.__cause__ is None
    assert rogue.PASSWORD.encode() not in heard
    assert b"root:" not in heard and rogue.PASSWORD not in str(caught.value)


@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_a_server_without_encryption_gets_no_word_about_who_asks(mode: str) -> None:
    with rogue.RogueMySQL(rogue.half_closed) as server:
        with pytest.raises(errors.SourceRefused) as caught:
            open_source("mariadb", parameters(server, ssl_mode=mode), local)
        assert caught.value.field == "ssl_mode"
        assert b"reader-of-the-rogue" not in server.heard


def test_a_server_that_hangs_does_not_hold_up_the_end_of_a_read() -> None:
    """The one who stops a read waits no longer than a connection takes, whatever the server does."""
    with rogue.RogueMySQL(rogue.thinking_for_ever) as server:
        source = open_source("mariadb", parameters(server), local)
        started = time.monotonic()
        with pytest.raises(errors.SourceTimeout):
            source.columns("shop", "lines")
        source.close()
        assert time.monotonic() - started < BOUND


def parameters(server: rogue.RogueMySQL, **changes: Any) -> dict[str, Any]:
    """What a victim has typed."""
    good = {"host": "shop.example", "port": server.port, "database": "shop", "username": "reader-of-the-rogue"}
    return {**good, "password": rogue.PASSWORD, **changes}


def local(host: str, port: int) -> str:
    """Where every name leads."""
    return "127.0.0.1"
