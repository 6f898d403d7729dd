"""Requests to object stores: how they are signed, what a bad server can do, what is read of what is stored."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote_plus
from xml.sax.saxutils import escape

import pytest
from contract.gcs_arena import service_account
from doubles.store_server import Reply, Seen, StoreDouble, store_double
from hypothesis import given
from hypothesis import strategies as st

from b2b_recs.engine import errors
from b2b_recs.engine.sources.contract import FileInfo
from b2b_recs.engine.sources.files.range_file import FIRST_BYTES, MOST_BYTES, range_file
from b2b_recs.engine.sources.files.store import FileStore
from b2b_recs.engine.sources.object_stores.s3_signing import Keys, path_of, query_of, signed
from b2b_recs.engine.sources.registry import open_source

KEY = "canary-secret-key"
LISTED = (
    b'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Contents><Key>a.csv</Key>'
    b"<Size>10</Size><ETag>&quot;tag&quot;</ETag><LastModified>2024-01-02T03:04:05.000Z</LastModified></Contents>%s"
    b"</ListBucketResult>"
)


def here(host: str, port: int) -> str:
    return "127.0.0.1"


def parameters(type_name: str, port: int, **changes: Any) -> dict[str, Any]:
    good: dict[str, dict[str, Any]] = {
        "s3": {"bucket": "shop", "access_key_id": "AKIA", "secret_access_key": KEY},
        "gcs": {"bucket": "shop", "service_account": service_account()},
        "azure_blob": {"account": "shop", "container": "data", "account_key": "Y2FuYXJ5"},
    }
    return good[type_name] | {"endpoint": f"http://store.example:{port}", "format": "csv"} | changes


@contextlib.contextmanager
def opened(double: StoreDouble, type_name: str = "s3", **changes: Any) -> Iterator[FileStore]:
    """The store of a source that talks to the double."""
    with open_source(type_name, parameters(type_name, double.port, **changes), here) as source:
        yield source._store  # type: ignore[attr-defined]


def listing(more: bytes = b"") -> Reply:
    return 200, {}, LISTED % more


# Signatures.


@pytest.mark.parametrize(
    ("path", "query", "more", "signature"),
    [
        (
            path_of("test.txt"), "", {"Range": "bytes=0-9"},
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        ("/", query_of([("lifecycle", "")]), {}, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        (
            "/", query_of([("prefix", "J"), ("max-keys", "2")]), {},
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)  # fmt: skip
def test_requests_are_signed_as_amazons_examples_are(
    path: str, query: str, more: dict[str, str], signature: str
) -> None:
    keys = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    headers = {"Host": "examplebucket.s3.amazonaws.com", **more}
    sent = signed("GET", path, query, headers, keys, "us-east-1", datetime(2013, 5, 24, tzinfo=UTC))
    assert sent["Authorization"].endswith(f"Signature={signature}")


def test_nothing_of_the_environment_reaches_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy", "AWS_ENDPOINT_URL",
                 "AWS_ENDPOINT_URL_S3"):  # fmt: skip
        monkeypatch.setenv(name, "http://canary.invalid:1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
                 "GOOGLE_APPLICATION_CREDENTIALS", "AZURE_STORAGE_ACCOUNT_KEY"):  # fmt: skip
        monkeypatch.setenv(name, "canary-environment")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    with (
        store_double(lambda seen: listing()) as double,
        opened(double, anonymous=True, access_key_id="", secret_access_key="") as store,
    ):
        assert [file.path for file in store.list("")] == ["a.csv"]
    assert len(double.seen) == 1
    assert "canary" not in str(double.seen)
    assert "authorization" not in double.seen[0].headers


@pytest.mark.parametrize("type_name", ["s3", "gcs", "azure_blob"])
def test_a_secret_is_never_sent_nor_told(type_name: str) -> None:
    with (
        store_double(lambda seen: (500, {}, repr(seen).encode())) as double,
        opened(double, type_name) as store,
        pytest.raises(errors.SourceRefused) as caught,
    ):
        store.check()
    assert caught.value.transient
    for secret in (KEY, "PRIVATE KEY", "Y2FuYXJ5"):
        assert secret not in str(double.seen) + str(caught.value)


# Listings.

NAMES = [f"many/{at:05} & <ü>.csv" for at in range(1200)]


def page_of(seen: Seen) -> Reply:
    """Up to 500 of the names in the words of the store that was asked, with a token that needs to be encoded."""
    path, _, query = seen.target.partition("?")
    asked = dict(parse_qsl(query))
    given = asked.get("continuation-token") or asked.get("pageToken") or asked.get("marker") or "at+/=0"
    start = int(given.removeprefix("at+/="))
    some, token = NAMES[start : start + 500], f"at+/={start + 500}" if start + 500 < len(NAMES) else ""
    if path.startswith("/storage/v1"):
        items = [{"name": name, "size": "7", "generation": "1", "updated": "2024-01-02T03:04:05.678Z"} for name in some]
        return 200, {}, json.dumps({"items": items} | ({"nextPageToken": token} if token else {})).encode()
    if "comp" in asked:
        tail = "<Content-Length>7</Content-Length><Etag>0x1</Etag></Properties></Blob>"
        blobs = "".join(f"<Blob><Name>{escape(name)}</Name><Properties>{tail}" for name in some)
        body = f"<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>{token}</NextMarker></EnumerationResults>"
        return 200, {}, b"\xef\xbb\xbf" + body.encode()
    assert asked["encoding-type"] == "url"
    objects = "".join(f"<Contents><Key>{quote_plus(name)}</Key><Size>7</Size></Contents>" for name in some)
    more = (
        f"<IsTruncated>{str(bool(token)).lower()}</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
    )
    return 200, {}, f"<ListBucketResult><EncodingType>url</EncodingType>{objects}{more}</ListBucketResult>".encode()


@pytest.mark.parametrize("type_name", ["s3", "gcs", "azure_blob"])
def test_a_listing_of_several_pages_is_complete(type_name: str) -> None:
    with store_double(page_of) as double, opened(double, type_name) as store:
        found = list(store.list("many/"))
        assert [file.path for file in found] == NAMES
        assert {file.size for file in found} == {7}
        assert len(double.seen) == 3
        store.check()
        assert len(double.seen) == 4


# Servers that misbehave.


def test_a_failure_of_the_server_is_tried_again_and_then_told() -> None:
    answers = [(503, {}, b""), (500, {}, b""), listing()]
    with store_double(lambda seen: answers.pop(0)) as double, opened(double) as store:
        assert [file.path for file in store.list("")] == ["a.csv"]
        answers[:] = [(503, {}, b"<Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>")] * 3
        with pytest.raises(errors.SourceRefused) as caught:
            list(store.list(""))
    assert caught.value.transient and "Reduce your rate" in caught.value.message


@pytest.mark.parametrize("how", ["same token", "new tokens without files"])
def test_a_listing_without_an_end_is_given_up(how: str) -> None:
    def answer(seen: Seen) -> Reply:
        token = b"same" if how == "same token" else b"token-%d" % time.monotonic_ns()
        more = b"<IsTruncated>true</IsTruncated><NextContinuationToken>%s</NextContinuationToken>" % token
        if how == "same token":
            return listing(more)
        return 200, {}, b"<ListBucketResult>%s</ListBucketResult>" % more

    with store_double(answer) as double, opened(double) as store, pytest.raises(errors.SourceRefused) as caught:
        list(store.list(""))
    assert "end of its list" in caught.value.message
    assert len(double.seen) < 60


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><ListBucketResult>&b;</ListBucketResult>',
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><ListBucketResult><Contents><Key>&f;</Key></Contents>'
        b"</ListBucketResult>",
        "<!DOCTYPE x><ListBucketResult/>".encode("utf-16"),
        b"<html>hello</html>",
        b"",
        b"\xff\xfe\x00",
        b"<ListBucketResult>" * 10,
        b"<ListBucketResult><Contents><Key>a</Key><Size>many</Size></Contents></ListBucketResult>",
    ],
)
def test_an_answer_that_is_no_listing_is_refused(body: bytes) -> None:
    with (
        store_double(lambda seen: (200, {}, body)) as double,
        opened(double) as store,
        pytest.raises(errors.SourceRefused) as caught,
    ):
        list(store.list(""))
    assert caught.value.field == "endpoint"
    assert "root:" not in str(caught.value)


def test_an_answer_larger_than_asked_for_is_not_taken() -> None:
    file = FileInfo("a.csv", 10, "tag")

    def pour(seen: Seen) -> Reply:
        return 206, {"Content-Range": "bytes 0-9/10"}, b"x" * 10_000_000

    with (
        store_double(pour) as double,
        opened(double) as store,
        store.open(file) as content,
        pytest.raises(errors.SourceRefused),
    ):
        content.read()


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ((206, {"Content-Range": "bytes 0-9/20"}, b"x" * 10), errors.ConnectionLost),
        ((206, {"Content-Range": "bytes 1-10/10"}, b"x" * 10), errors.ConnectionLost),
        ((206, {"Content-Range": "bytes 0-9/10"}, b"x" * 9), errors.ConnectionLost),
        ((206, {}, b"x" * 10), errors.SourceRefused),
        ((200, {}, b"x" * 9), errors.ConnectionLost),
        ((412, {}, b""), errors.ConnectionLost),
        ((416, {}, b""), errors.ConnectionLost),
        ((404, {}, b"<Error><Code>NoSuchKey</Code></Error>"), errors.TableMissing),
        ((403, {}, b"<Error><Code>InvalidObjectState</Code></Error>"), errors.SourceRefused),
    ],
    ids=str,
)
def test_a_part_that_is_not_the_one_asked_for_is_never_used(reply: Reply, expected: type[Exception]) -> None:
    file = FileInfo("a.csv", 10, "tag")
    with (
        store_double(lambda seen: reply) as double,
        opened(double) as store,
        store.open(file) as content,
        pytest.raises(expected),
    ):
        content.read()
    assert double.seen[0].headers["if-match"] == '"tag"'
    assert double.seen[0].headers["range"] == "bytes=0-9"


def test_google_is_asked_for_one_generation_as_it_is_stored() -> None:
    file = FileInfo("a b.csv", 10, "17")
    with (
        store_double(lambda seen: (412, {}, b"{}")) as double,
        opened(double, "gcs") as store,
        store.open(file) as content,
        pytest.raises(errors.ConnectionLost),
    ):
        content.read()
    assert double.seen[0].target == "/storage/v1/b/shop/o/a%20b.csv?alt=media&ifGenerationMatch=17"
    assert double.seen[0].headers["accept-encoding"] == "gzip"
    assert double.seen[0].headers["authorization"].startswith("Bearer ey")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((301, {"x-amz-bucket-region": "eu-west-1", "Location": "http://127.0.0.1:1/"}, b""), "eu-west-1"),
        ((400, {}, b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"), "eu-west-1"),
    ],
)
def test_a_bucket_elsewhere_says_where_and_is_not_followed(reply: Reply, words: str) -> None:
    with (
        store_double(lambda seen: reply) as double,
        opened(double) as store,
        pytest.raises(errors.SourceRefused) as caught,
    ):
        store.check()
    assert caught.value.field == "region" and words in caught.value.advice
    assert len(double.seen) == 1


def test_a_read_that_waits_is_given_up_at_once_when_it_is_interrupted() -> None:
    def wait(seen: Seen) -> Reply:
        time.sleep(20)
        return listing()

    with store_double(wait) as double, opened(double) as store:
        ended = threading.Event()

        def look() -> None:
            with contextlib.suppress(errors.EngineError):
                store.check()
            ended.set()

        threading.Thread(target=look, daemon=True).start()
        until = time.monotonic() + 10
        while not ended.is_set() and time.monotonic() < until:
            if double.seen:
                store.interrupt()
            ended.wait(0.05)
        assert ended.is_set()


# Reading by ranges.


class Asked:
    """A file in memory that keeps which ranges were asked for."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.ranges: list[tuple[int, int]] = []

    def __call__(self, start: int, stop: int) -> bytes:
        self.ranges.append((start, stop))
        return self.content[start:stop]


def test_going_straight_on_asks_for_ever_more_and_only_once() -> None:
    asked = Asked(bytes(40_000_000))
    with range_file(len(asked.content), asked) as content:
        while content.read(1_000_000):
            pass
    widths = [stop - start for start, stop in asked.ranges]
    assert sum(widths) == len(asked.content)
    assert widths[0] <= 1_000_000 and max(widths) == MOST_BYTES
    assert len(widths) < 14


def test_a_jump_asks_for_little() -> None:
    asked = Asked(bytes(40_000_000))
    with range_file(len(asked.content), asked) as content:
        for start in (39_999_992, 5_000_000, 20_000_000):
            content.seek(start)
            content.read(8)
    assert all(stop - start <= FIRST_BYTES for start, stop in asked.ranges)
    assert len(asked.ranges) == 3


@given(
    content=st.binary(max_size=3000),
    steps=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 4000)), max_size=20),
)
def test_a_file_read_by_ranges_equals_the_file(content: bytes, steps: list[tuple[int, int]]) -> None:
    with range_file(len(content), Asked(content)) as file:
        for start, count in steps:
            file.seek(start)
            assert file.read(count) == content[start : start + count]
        file.seek(0)
        assert file.read() == content
