"""A test of a place that does not answer ends in time, with words that name the setting at fault."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from doubles.store_server import Reply, Seen, store_double

from b2b_recs.engine import errors
from b2b_recs.engine.sources.files import source as files_source
from b2b_recs.engine.sources.files.hurry import CHECK_SECONDS, Hurry
from b2b_recs.engine.sources.firestore import connection as firestore
from b2b_recs.engine.sources.mysql import connection as mysql
from b2b_recs.engine.sources.oracle import connection as oracle
from b2b_recs.engine.sources.postgresql import connection as postgresql
from b2b_recs.engine.sources.registry import open_source
from b2b_recs.engine.sources.snowflake import connection as snowflake
from b2b_recs.engine.sources.sqlserver import connection as sqlserver

SECONDS, BOUND = 0.3, 4.0
S3 = {"bucket": "shop", "access_key_id": "AKIA", "secret_access_key": "canary", "format": "csv"}
AZURE = {"account": "shop", "container": "data", "account_key": "Y2FuYXJ5", "format": "csv"}
GCS = {"bucket": "shop", "anonymous": True, "format": "csv"}
SFTP = {"host": "quiet.example", "username": "reader", "password": "canary", "format": "csv"}
PLACES: list[tuple[str, dict[str, Any], str]] = [
    ("s3", {**S3, "endpoint": "http://quiet.example:{port}"}, "endpoint"),
    ("s3", {**S3, "endpoint": "https://quiet.example:{port}"}, "endpoint"),
    ("gcs", {**GCS, "endpoint": "https://quiet.example:{port}"}, "endpoint"),
    ("azure_blob", {**AZURE, "endpoint": "https://quiet.example:{port}"}, "endpoint"),
    ("sftp", {**SFTP, "port": "{port}"}, "host"),
    ("csv", {"location": "https://quiet.example:{port}/a.csv"}, "location"),
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_source, "CHECK_SECONDS", SECONDS)


@contextlib.contextmanager
def silent(*, full: bool) -> Iterator[int]:
    """The port of a server that never says anything; a ``full`` one does not even take the connection."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0 if full else 8)
        port = listener.getsockname()[1]
        for _ in range(4 if full else 0):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


@pytest.mark.parametrize("full", [False, True], ids=["connects", "never connects"])
@pytest.mark.parametrize(("type_name", "given", "field"), PLACES, ids=[f"{one[0]}-{one[2]}" for one in PLACES])
def test_a_place_that_never_answers_is_told_in_time(
    type_name: str, given: dict[str, Any], field: str, full: bool
) -> None:
    with silent(full=full) as port:
        asked = {name: value.format(port=port) if isinstance(value, str) else value for name, value in given.items()}
        with open_source(type_name, asked, lambda host, port: "127.0.0.1") as source:
            started = time.monotonic()
            with pytest.raises((errors.SourceTimeout, errors.ConnectionRefused)) as caught:
                source.check()
            assert time.monotonic() - started < BOUND
    assert caught.value.field == field and "quiet.example" in caught.value.message and caught.value.advice


def test_tries_again_only_while_there_is_time() -> None:
    def answer(seen: Seen) -> Reply:
        time.sleep(0.12)
        return 503, {}, b""

    with store_double(answer) as double:
        with open_source("s3", {**S3, "endpoint": f"http://store.example:{double.port}"}, here) as source:
            started = time.monotonic()
            with pytest.raises(errors.SourceRefused):
                source.check()
            assert time.monotonic() - started < BOUND
        assert len(double.seen) == 1


def test_a_place_that_answers_and_lists_too_slowly_is_told_so() -> None:
    page = (
        b'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b"<IsTruncated>true</IsTruncated><NextContinuationToken>%d</NextContinuationToken></ListBucketResult>"
    )

    def answer(seen: Seen) -> Reply:
        time.sleep(0.05)
        return 200, {}, page % len(double.seen)

    with (
        store_double(answer) as double,
        open_source("s3", {**S3, "endpoint": f"http://store.example:{double.port}"}, here) as source,
    ):
        with pytest.raises(errors.SourceTimeout) as caught:
            source.check()
        assert caught.value.field == "prefix" and "was reached" in caught.value.message


def test_no_login_takes_longer_than_a_page_waits() -> None:
    assert snowflake.CONNECT_SECONDS < 15 and firestore.FIRST_SECONDS < 15
    for module in (postgresql, mysql, oracle, sqlserver):
        assert module.CONNECT_SECONDS <= 10


def test_a_session_is_in_no_hurry_but_during_a_test() -> None:
    hurry = Hurry()
    with hurry.within(5):
        assert hurry.left(60) <= 5 and hurry.left(1) == 1
        assert hurry.allows(1) and not hurry.allows(6)
    assert hurry.left(60) == 60 and hurry.allows(3600)
    # The page's own limit is 20 seconds, 15 of them where strangers share the platform.
    assert CHECK_SECONDS < 15


def here(host: str, port: int) -> str:
    return "127.0.0.1"
