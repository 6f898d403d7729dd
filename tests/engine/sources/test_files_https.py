"""Files at https addresses: dialled where the guard says, verified for their name, followed only to https."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from doubles.https_files import HttpsFiles, Served

from b2b_recs.engine import errors
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import ReadRequest
from b2b_recs.engine.sources.files.source import FileSource
from b2b_recs.engine.sources.registry import open_source, parse_parameters

ROWS = b"id,word\n1,a\n2,b\n"
COLUMNS = (ColumnMapping("id", "text", WarehouseType.INT64), ColumnMapping("word", "text", WarehouseType.STRING))


@pytest.fixture(scope="module")
def server() -> Iterator[HttpsFiles]:
    with contextlib.closing(HttpsFiles(("files.test", "other.test"))) as server:
        yield server


@pytest.fixture(autouse=True)
def _fresh(server: HttpsFiles) -> None:
    server.files = {"/orders.csv": Served(ROWS)}
    server.asked.clear()


class Guard:
    """Sends test names to this machine and refuses what is inside, as a hosted installation does."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> str:
        self.asked.append((host, port))
        if host.endswith(".test"):
            return "127.0.0.1"
        raise errors.AddressForbidden(f"{host} is not public.", advice="Use a public address.", field="host")


def opened(server: HttpsFiles, location: str, guard: Any = None, kind: str = "csv") -> FileSource:
    parameters = {"location": location, "ca_certificate": server.authority.pem}
    source = open_source(kind, parameters, guard or Guard())
    assert isinstance(source, FileSource)
    return source


def rows(source: FileSource, table: str = "orders.csv") -> list[dict[str, Any]]:
    return [row for batch in source.read(ReadRequest("", table, COLUMNS)) for row in batch.rows.to_pylist()]


def test_a_file_is_read_at_the_address_that_was_checked(server: HttpsFiles) -> None:
    guard = Guard()
    with opened(server, server.address("/orders.csv"), guard) as source:
        check = source.check()
        assert [table.name for table in check.tables] == ["orders.csv"]
        assert check.server_version == "https"
        assert rows(source) == [{"id": 1, "word": "a"}, {"id": 2, "word": "b"}]
    assert set(guard.asked) == {("files.test", server.port)}


def test_several_addresses_are_several_tables_and_one_pattern(server: HttpsFiles) -> None:
    server.files["/more/later.csv"] = Served(b"id,word\n3,c\n")
    location = f"{server.address('/orders.csv')} {server.address('/more/later.csv?part=x%2Fy')}"
    with opened(server, location) as source:
        assert [table.name for table in source.tables()] == ["*.csv", "later.csv", "orders.csv"]
        assert [row["id"] for row in rows(source, "*.csv")] == [3, 1, 2]
    assert ("GET", "/more/later.csv?part=x%2Fy") in server.asked


def test_the_signed_part_goes_with_the_given_addresses_and_nowhere_else(server: HttpsFiles) -> None:
    server.files["/away.csv"] = Served(b"", 302, server.address("/orders.csv"))
    location = f"{server.address('/away.csv?part=1')} {server.address('/orders.csv')}"
    parameters = {"location": location, "ca_certificate": server.authority.pem, "signature": "?sig=canary%2F1&se=2030"}
    with open_source("csv", parameters, Guard()) as source:
        assert [table.name for table in source.tables()] == ["*.csv", "away.csv", "orders.csv"]
    asked = [path for _, path in server.asked]
    assert {"/away.csv?part=1&sig=canary%2F1&se=2030", "/orders.csv?sig=canary%2F1&se=2030"} <= set(asked)
    assert "/orders.csv" in asked  # where the first one sent us on


@pytest.mark.parametrize(
    "query",
    ["sig=canary", "sv=1&sig=canary", "X-Amz-Signature=canary", "access_token=canary", "api_key=canary", "code=canary"],
)
def test_an_address_with_a_signature_in_it_is_refused_before_it_is_kept(query: str) -> None:
    with pytest.raises(errors.BadInput) as refused:
        parse_parameters("csv", {"location": f"https://files.test/orders.csv?{query}"})
    assert refused.value.field == "location"
    assert "its own field" in str(refused.value)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("location", "signature"),
    [("https://files.test/a.csv", "sig=a b"), ("https://files.test/a.csv", "sig=ü"), ("orders", "sig=canary")],
)
def test_a_signed_part_that_cannot_be_one_is_refused(location: str, signature: str) -> None:
    with pytest.raises(errors.BadInput) as refused:
        parse_parameters("csv", {"location": location, "signature": signature})
    assert refused.value.field == "signature"
    assert signature not in str(refused.value)


def test_a_file_is_downloaded_once_and_only_as_far_as_it_is_read(server: HttpsFiles) -> None:
    line = b"1," + b"x" * 998 + b"\n"
    server.files["/orders.csv"] = Served(b"id,word\n" + line * 100_000)
    with opened(server, server.address("/orders.csv")) as source:
        source.columns("", "orders.csv")
        assert source._store._downloads["orders.csv"]._length < 20_000_000  # type: ignore[attr-defined]
        assert source.count(ReadRequest("", "orders.csv", COLUMNS)) == 100_000
        assert len(rows(source)) == 100_000
    assert [method for method, _ in server.asked].count("GET") == 1


def test_parquet_is_read_from_its_end(server: HttpsFiles) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2], "word": ["a", "b"]}), sink)
    server.files["/orders.parquet"] = Served(sink.getvalue())
    with opened(server, server.address("/orders.parquet"), kind="parquet") as source:
        assert source.count(ReadRequest("", "orders.parquet", COLUMNS)) == 2
        assert rows(source, "orders.parquet") == [{"id": 1, "word": "a"}, {"id": 2, "word": "b"}]


def test_a_server_without_head_is_asked_with_get(server: HttpsFiles) -> None:
    server.files["/orders.csv"].head = False
    with opened(server, server.address("/orders.csv")) as source:
        assert len(rows(source)) == 2


def test_a_server_that_tells_no_tag_is_read_within_a_session_and_again_in_the_next(server: HttpsFiles) -> None:
    server.files["/orders.csv"].tag = False
    marks = set()
    for _ in range(2):
        with opened(server, server.address("/orders.csv")) as source:
            assert len(rows(source)) == 2
            marks.add(source.files("", "orders.csv")[0].mark)
    assert len(marks) == 2


def test_a_redirect_is_followed_through_the_guard(server: HttpsFiles) -> None:
    server.files["/old.csv"] = Served(b"", 302, server.address("/orders.csv", "other.test"))
    guard = Guard()
    with opened(server, server.address("/old.csv"), guard) as source:
        assert len(rows(source, "old.csv")) == 2
    assert {host for host, _ in guard.asked} == {"files.test", "other.test"}


@pytest.mark.parametrize(
    "target",
    ["https://127.0.0.1/x.csv", "https://169.254.169.254/latest/meta-data.csv", "https://localhost:1/x.csv",
     "https://[::1]/x.csv", "https://2130706433/x.csv"],
)  # fmt: skip
def test_a_redirect_inside_is_refused(server: HttpsFiles, target: str) -> None:
    server.files["/evil.csv"] = Served(b"", 307, target)
    with opened(server, server.address("/evil.csv")) as source, pytest.raises(errors.AddressForbidden) as refused:
        source.check()
    assert refused.value.field == "location"


@pytest.mark.parametrize(
    "target",
    ["http://files.test/x.csv", "file:///etc/passwd", "ftp://files.test/x.csv", "jar:file:/x!/y", "gopher://files.test/x",
     "//", "https://user:canary@files.test/x.csv", "https://files.test\\@127.0.0.1/x.csv", "https://files.test/"],
)  # fmt: skip
def test_a_redirect_to_anything_but_a_file_over_https_is_refused(server: HttpsFiles, target: str) -> None:
    server.files["/evil.csv"] = Served(b"", 302, target)
    with opened(server, server.address("/evil.csv")) as source, pytest.raises(errors.SourceRefused) as refused:
        source.check()
    assert refused.value.field == "location"
    assert "canary" not in str(refused.value)


def test_redirects_come_to_an_end(server: HttpsFiles) -> None:
    server.files["/loop.csv"] = Served(b"", 301, server.address("/loop.csv"))
    with opened(server, server.address("/loop.csv")) as source, pytest.raises(errors.SourceRefused) as refused:
        source.check()
    assert "more than 5 times" in refused.value.message
    assert len(server.asked) == 6


def test_a_certificate_for_another_name_or_from_nobody_is_refused(server: HttpsFiles) -> None:
    with opened(server, server.address("/orders.csv", "wrong.test")) as source:
        with pytest.raises(errors.SourceRefused) as refused:
            source.check()
        assert "certificate" in refused.value.message
    with open_source("csv", {"location": server.address("/orders.csv")}, Guard()) as source:
        with pytest.raises(errors.SourceRefused) as refused:
            source.check()
        assert "certificate" in refused.value.message
    assert server.asked == []


@pytest.mark.parametrize(
    ("status", "error", "transient"),
    [
        (404, errors.TableMissing, False),
        (401, errors.AuthenticationRefused, False),
        (403, errors.AuthenticationRefused, False),
        (500, errors.SourceRefused, True),
        (429, errors.SourceRefused, True),
        (206, errors.SourceRefused, False),
    ],
)
def test_a_refusal_of_the_server_is_told(server: HttpsFiles, status: int, error: Any, transient: bool) -> None:
    server.files["/no.csv"] = Served(b"", status, head=False)
    with opened(server, server.address("/no.csv")) as source, pytest.raises(error) as refused:
        source.check()
    assert type(refused.value) is error
    assert (refused.value.field, refused.value.transient) == ("location", transient)


def test_a_file_that_changes_or_is_cut_off_while_it_is_read_is_a_lost_connection(server: HttpsFiles) -> None:
    with opened(server, server.address("/orders.csv")) as source:
        source.columns("", "orders.csv")
        server.files["/orders.csv"] = Served(b"id,word\n" + b"9,z\n" * 300_000)
        (now,) = source.files("", "orders.csv")
        batches = source.read(ReadRequest("", "orders.csv", COLUMNS, batch_bytes=64 * 1024))
        assert next(batches).rows.slice(0, 1).to_pylist() == [{"id": 9, "word": "z"}]
        server.files["/orders.csv"] = Served(ROWS)
        with pytest.raises(errors.ConnectionLost):
            list(batches)
        assert source.files("", "orders.csv")[0].mark != now.mark
    server.files["/orders.csv"] = Served(ROWS * 1000, sent=500)
    with opened(server, server.address("/orders.csv")) as source, pytest.raises(errors.ConnectionLost) as lost:
        rows(source)
    assert lost.value.transient


def test_addresses_that_end_in_the_same_name_are_refused(server: HttpsFiles) -> None:
    with pytest.raises(errors.BadInput) as refused:
        opened(server, f"{server.address('/a/x.csv')} {server.address('/b/x.csv')}")
    assert refused.value.field == "location"
