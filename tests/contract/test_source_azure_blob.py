"""Azure Blob Storage against the contract, by Azurite, which checks keys and signatures."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from contract.azure_arena import AzureArena
from contract.sources_contract import ODD_NAMES
from contract.stored_files_arena import StoredFilesArena
from contract.stored_files_contract import STORE_PARAMETERS, StoredFilesContract
from object_store_servers import AZURE_KEY

from b2b_recs.engine import errors

WRONG_KEY = base64.b64encode(b"wrong-canary").decode()


class AzureContract(StoredFilesContract):
    type = "azure_blob"
    # Azure takes a backslash for a slash.
    odd_names = tuple(name for name in ODD_NAMES if "\\" not in name)
    bad_connections = (
        ("key", {"account_key": WRONG_KEY}, errors.AuthenticationRefused, "account_key"),
        ("account", {"account": "nobodyhere"}, errors.AuthenticationRefused, "account_key"),
        ("container", {"container": "no-such-container"}, errors.DatabaseMissing, "container"),
        ("host", {"endpoint": "https://no-such-host.invalid"}, errors.HostUnknown, "endpoint"),
        ("port", {"endpoint": "http://teststore.blob.store.test:1"}, errors.ConnectionRefused, "endpoint"),
        (
            "signature",
            {"account_key": "", "sas_token": lambda arena: arena.signature(key=WRONG_KEY)},
            errors.AuthenticationRefused,
            "sas_token",
        ),
    )
    bad_parameters = (
        *STORE_PARAMETERS,
        ({"account": ""}, "account"),
        ({"account": "evil.example.com/"}, "account"),
        ({"account": "UPPER"}, "account"),
        ({"container": ""}, "container"),
        ({"container": "a/b"}, "container"),
        ({"account_key": ""}, "account_key"),
        ({"account_key": "canary!"}, "account_key"),
        ({"account_key": ["canary"]}, "account_key"),
        ({"sas_token": "canary"}, "sas_token"),
        ({"sas_token": "sv=1&sig=canary&sig=canary"}, "sas_token"),
        ({"sas_token": "sv=2021-12-02&sig=canary"}, "account_key"),
    )

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls, azure_server: Any) -> Iterator[AzureArena]:
        with contextlib.closing(AzureArena(azure_server, cls.form)) as arena:
            yield arena

    @pytest.fixture(autouse=True)
    def _servers(self, azure_server: Any) -> None:
        self.server = azure_server

    def dialled(self, arena: Any) -> tuple[dict[str, Any], tuple[str, int]]:
        port = arena.relay.port
        return {"endpoint": f"http://teststore.invalid:{port}"}, ("teststore.invalid", port)

    @contextlib.contextmanager
    def private_server(self) -> Iterator[StoredFilesArena]:
        with contextlib.closing(AzureArena(self.server, self.form, "private")) as arena:
            arena.make("large", {"id": "integer", "word": "text"}, [(at, "x" * 500) for at in range(20_000)])
            yield arena


class TestCsvInAzure(AzureContract):
    form = "csv"

    def test_a_signature_that_reads_and_lists_is_enough(self, lines: AzureArena) -> None:
        with lines.open(account_key="", sas_token="?" + lines.signature()) as source:
            assert source.check().tables
            assert [info.name for info in source.columns("", lines.named("lines"))][:3] == ["id", "at", "word"]

    @pytest.mark.parametrize("how", ["forged", "ended"])
    def test_a_signature_that_is_forged_or_has_ended_is_refused(self, lines: AzureArena, how: str) -> None:
        more = {"key": WRONG_KEY} if how == "forged" else {"ends": "2020-01-01T00:00:00Z"}
        signature = lines.signature(**more)
        with (
            lines.open(account_key="", sas_token=signature) as source,
            pytest.raises(errors.AuthenticationRefused) as caught,
        ):
            source.check()
        assert caught.value.field == "sas_token"
        assert "sig=" not in str(caught.value)

    def test_a_signature_that_may_not_list_says_what_to_allow(self, lines: AzureArena) -> None:
        signature = lines.signature("r")
        with (
            lines.open(account_key="", sas_token=signature) as source,
            pytest.raises(errors.PermissionMissing) as caught,
        ):
            source.check()
        assert "(rl)" in caught.value.advice

    def test_an_account_in_the_path_is_signed_as_well(self, lines: AzureArena) -> None:
        with lines.open(endpoint=f"http://127.0.0.1:{lines.relay.port}", account_key=AZURE_KEY) as source:
            assert source.check().tables
