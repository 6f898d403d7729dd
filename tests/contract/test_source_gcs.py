"""Google Cloud Storage against the contract, by gcp-storage-emulator, which checks no keys."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from contract.gcs_arena import GcsArena, private_key, service_account
from contract.stored_files_arena import StoredFilesArena
from contract.stored_files_contract import STORE_PARAMETERS, StoredFilesContract
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from b2b_recs.engine import errors
from b2b_recs.engine.sources.object_stores.gcs import SignedToken
from b2b_recs.engine.sources.registry import open_source, parse_parameters


class GcsContract(StoredFilesContract):
    type = "gcs"
    guards_ranges = False
    takes_empty_files = False
    # The emulator has one page only; pages are proven in test_object_stores.py.
    lists_pages = False
    bad_connections = (
        ("bucket", {"bucket": "no-such-bucket"}, errors.DatabaseMissing, "bucket"),
        ("host", {"endpoint": "https://no-such-host.invalid"}, errors.HostUnknown, "endpoint"),
        ("port", {"endpoint": "http://gcs.store.test:1"}, errors.ConnectionRefused, "endpoint"),
        ("server", {"endpoint": lambda arena: arena.mail_server}, errors.SourceRefused, "endpoint"),
        (
            "encryption",
            {"endpoint": lambda arena: f"https://gcs.store.test:{arena.relay.port}"},
            errors.SourceRefused,
            "endpoint",
        ),
        (
            "key",
            {"service_account": service_account(private_key="-----BEGIN PRIVATE KEY-----\ncanary")},
            errors.BadInput,
            "service_account",
        ),
    )
    bad_parameters = (
        *STORE_PARAMETERS,
        ({"bucket": ""}, "bucket"),
        ({"bucket": "gs://bucket"}, "bucket"),
        ({"bucket": "a/b"}, "bucket"),
        ({"service_account": ""}, "service_account"),
        ({"service_account": "canary"}, "service_account"),
        ({"service_account": "[]"}, "service_account"),
        ({"service_account": "{" * 100_000}, "service_account"),
        ({"service_account": service_account(type="authorized_user")}, "service_account"),
        ({"service_account": service_account(type="external_account")}, "service_account"),
        ({"service_account": service_account(private_key=None)}, "service_account"),
        ({"service_account": service_account(client_email="canary\r\nx: y")}, "service_account"),
        ({"service_account": service_account(token_uri="http://oauth2.googleapis.com/token")}, "service_account"),
        ({"service_account": service_account(token_uri="https://169.254.169.254/token")}, "service_account"),
        ({"service_account": service_account(token_uri="https://googleapis.com.evil.com/t")}, "service_account"),
        ({"service_account": service_account(token_uri="https://evilgoogleapis.com/t")}, "service_account"),
        ({"service_account": service_account(token_uri="file:///etc/passwd")}, "service_account"),
        ({"service_account": service_account(universe_domain="evil.com")}, "service_account"),
    )

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls, gcs_server: Any) -> Iterator[GcsArena]:
        with contextlib.closing(GcsArena(gcs_server, cls.form)) as arena:
            yield arena

    @pytest.fixture(autouse=True)
    def _servers(self, gcs_server: Any) -> None:
        self.server = gcs_server

    def dialled(self, arena: Any) -> tuple[dict[str, Any], tuple[str, int]]:
        port = arena.relay.port
        return {"endpoint": f"http://shop.invalid:{port}"}, ("shop.invalid", port)

    @contextlib.contextmanager
    def private_server(self) -> Iterator[StoredFilesArena]:
        with contextlib.closing(GcsArena(self.server, self.form, "private")) as arena:
            arena.make("large", {"id": "integer", "word": "text"}, [(at, "x" * 500) for at in range(20_000)])
            yield arena


class TestCsvInGcs(GcsContract):
    form = "csv"

    def test_without_an_endpoint_google_is_asked(self) -> None:
        asked: list[tuple[str, int]] = []

        def refusing(host: str, port: int) -> str:
            asked.append((host, port))
            raise errors.AddressForbidden(f"{host} is not for tests.", advice="None.", field="host")

        parameters = {"bucket": "some-bucket", "service_account": service_account(), "format": "csv"}
        with open_source("gcs", parameters, refusing) as source, pytest.raises(errors.AddressForbidden):
            source.check()
        assert asked == [("storage.googleapis.com", 443)]


def test_a_token_is_signed_by_the_key_reads_only_and_is_renewed_before_it_ends() -> None:
    now = [1_700_000_000.0]
    token = SignedToken(service_account(), lambda: now[0])
    first = token.now()
    head, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in first.split("."))
    signed = first.rpartition(".")[0].encode()
    private_key().public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    assert json.loads(head) == {"alg": "RS256", "typ": "JWT", "kid": "canary-key-id"}
    assert json.loads(claims) == {
        "iss": "reader@test.iam.gserviceaccount.com",
        "sub": "reader@test.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/devstorage.read_only",
        "iat": 1_700_000_000,
        "exp": 1_700_003_600,
    }
    now[0] += 2900
    assert token.now() == first
    now[0] += 200
    assert token.now() != first


def test_a_bucket_anybody_may_read_needs_no_key() -> None:
    parameters = parse_parameters("gcs", {"bucket": "public", "anonymous": True, "format": "csv"})
    assert parameters.address == "https://storage.googleapis.com"  # type: ignore[attr-defined]
