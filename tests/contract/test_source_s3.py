"""Amazon S3 against the contract, by a moto server that checks signatures over TLS."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from contract.s3_arena import S3Arena
from contract.stored_files_arena import StoredFilesArena
from contract.stored_files_contract import KEYS, STORE_PARAMETERS, StoredFilesContract

from b2b_recs.engine import errors


class S3Contract(StoredFilesContract):
    type = "s3"
    revokes = True
    bad_connections = (
        ("key", {"secret_access_key": "wrong-canary"}, errors.AuthenticationRefused, "secret_access_key"),
        ("user", {"access_key_id": "AKIANOBODYHERE"}, errors.AuthenticationRefused, "access_key_id"),
        ("bucket", {"bucket": "no-such-bucket"}, errors.DatabaseMissing, "bucket"),
        ("host", {"endpoint": "https://no-such-host.invalid"}, errors.HostUnknown, "endpoint"),
        ("port", {"endpoint": "https://s3.store.test:1"}, errors.ConnectionRefused, "endpoint"),
        ("certificate", {"ca_certificate": ""}, errors.SourceRefused, "ca_certificate"),
    )
    bad_parameters = (
        *STORE_PARAMETERS,
        ({"bucket": ""}, "bucket"),
        ({"bucket": "s3://bucket"}, "bucket"),
        ({"bucket": "../bucket"}, "bucket"),
        ({"bucket": "a..b"}, "bucket"),
        ({"region": "evil.example.com/"}, "region"),
        ({"access_key_id": ""}, "access_key_id"),
        ({"secret_access_key": ""}, "secret_access_key"),
        ({"secret_access_key": ["canary"]}, "secret_access_key"),
        ({"session_token": "canary\x00"}, "session_token"),
    )

    # Signs that XML cannot hold, and steps that a path would take.
    keys = (*KEYS, "orders/control\x01.csv", "orders/x/../y.csv", "orders/tab\there.csv")

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls, s3_server: Any) -> Iterator[S3Arena]:
        with contextlib.closing(S3Arena(s3_server, cls.form)) as arena:
            yield arena

    @pytest.fixture(autouse=True)
    def _servers(self, s3_server: Any) -> None:
        self.server = s3_server

    def dialled(self, arena: Any) -> tuple[dict[str, Any], tuple[str, int]]:
        port = arena.relay.port
        return {"endpoint": f"https://shop.invalid:{port}"}, ("shop.invalid", port)

    @contextlib.contextmanager
    def private_server(self) -> Iterator[StoredFilesArena]:
        with contextlib.closing(S3Arena(self.server, self.form, "private")) as arena:
            arena.make("large", {"id": "integer", "word": "text"}, [(at, "x" * 500) for at in range(20_000)])
            yield arena


class TestParquetInS3(S3Contract):
    form = "parquet"
    # Text that repeats is so small in a Parquet file that the first batch brings the whole table.
    comes_in_parts = False
    measures_memory = False


class TestCsvInS3(S3Contract):
    form = "csv"

    def test_a_certificate_for_another_name_is_refused(self, lines: S3Arena) -> None:
        endpoint = f"https://other.store.test:{lines.relay.port}"
        with pytest.raises(errors.SourceRefused) as caught, lines.open(endpoint=endpoint) as source:
            source.check()
        assert caught.value.field == "ca_certificate"
        assert "certificate" in caught.value.message

    def test_a_login_without_the_right_says_which_to_ask_for(self, lines: S3Arena) -> None:
        lines.forbid("s3:GetObject")
        try:
            with lines.open() as source:
                assert source.tables()
                with pytest.raises(errors.PermissionMissing) as caught:
                    source.columns("", lines.named("lines"))
            assert "s3:GetObject" in caught.value.advice
            lines.forbid("s3:ListBucket")
            with lines.open() as source, pytest.raises(errors.PermissionMissing) as caught:
                source.check()
            assert "s3:ListBucket" in caught.value.advice
        finally:
            lines.forbid("")

    def test_a_bucket_in_the_host_name_is_asked_there(self, lines: S3Arena) -> None:
        lines.asked.clear()
        with lines.open(host_style=True) as source, pytest.raises(errors.SourceRefused):
            # This moto was told not to look for buckets in host names; what counts is where it was asked.
            source.check()
        assert {host for host, _ in lines.asked} == {"contract.s3.store.test"}
