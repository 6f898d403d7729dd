"""A container in Azurite as the source contract's suite needs it; Azurite checks keys and signatures."""

from __future__ import annotations

import base64
import hmac
import http.client
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from contract.stored_files_arena import StoredFilesArena
from object_store_servers import AZURE_ACCOUNT, AZURE_KEY, StoreServer

_VERSION = "2021-12-02"


class AzureArena(StoredFilesArena):
    """A container of the account, read with the account's key."""

    type: ClassVar[str] = "azure_blob"

    def __init__(self, server: StoreServer, form: str, container: str = "contract") -> None:
        super().__init__(server.port, form)
        self._server = server
        self._container = container
        self._ask("PUT", {"": b""}, (201, 409), restype="container")

    def put(self, name: str, content: bytes) -> None:
        self.put_all({name: content})

    def put_all(self, files: Mapping[str, bytes]) -> None:
        self._ask("PUT", files, (201,))

    def remove(self, name: str) -> None:
        self._ask("DELETE", {name: b""}, (202,))

    def listed(self) -> dict[str, int]:
        answer = ElementTree.fromstring(self._ask("GET", {"": b""}, (200,), restype="container", comp="list"))
        blobs = answer.iter("Blob")
        return {str(one.findtext("Name")): int(one.findtext("Properties/Content-Length") or 0) for one in blobs}

    def parameters(self, **changes: Any) -> dict[str, Any]:
        good = {
            "account": AZURE_ACCOUNT,
            "container": self._container,
            "endpoint": f"http://{AZURE_ACCOUNT}.blob.store.test:{self.relay.port}",
            "account_key": AZURE_KEY,
            "format": self.form,
        }
        return good | changes

    def signature(self, permissions: str = "rl", ends: str = "2099-01-01T00:00:00Z", key: str = AZURE_KEY) -> str:
        """A shared access signature for the container, as its owner makes one."""
        resource = f"/blob/{AZURE_ACCOUNT}/{self._container}"
        lines = [permissions, "", ends, resource, "", "", "", _VERSION, "c", "", "", "", "", "", "", ""]
        signed = base64.b64encode(hmac.digest(base64.b64decode(key), "\n".join(lines).encode(), "sha256")).decode()
        return urlencode({"sp": permissions, "se": ends, "sv": _VERSION, "sr": "c", "sig": signed})

    def _ask(self, method: str, bodies: Mapping[str, bytes], good: tuple[int, ...], **query: str) -> bytes:
        """The last answer."""
        content = b""
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=30)
        try:
            for name, body in bodies.items():
                path = f"/{AZURE_ACCOUNT}/{self._container}" + (f"/{quote(name, safe='/')}" if name else "")
                headers = {"x-ms-version": _VERSION, "x-ms-date": format_datetime(datetime.now(UTC), usegmt=True)}
                if name and method == "PUT":
                    headers["x-ms-blob-type"] = "BlockBlob"
                headers["Authorization"] = self._authorization(method, path, query, headers, len(body))
                asked = f"{path}?{urlencode(query)}" if query else path
                connection.request(method, asked, body if method == "PUT" else None, headers)
                answer = connection.getresponse()
                content = answer.read()
                assert answer.status in good, (method, path, answer.status, content[:500])
        finally:
            connection.close()
        return content

    @staticmethod
    def _authorization(
        method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], length: int
    ) -> str:
        own = [f"{name}:{value}" for name, value in sorted(headers.items())]
        size = str(length) if length else ""
        asked = [f"{name}:{value}" for name, value in sorted(query.items())]
        text = "\n".join([method, "", "", size, *[""] * 8, *own, f"/{AZURE_ACCOUNT}{path}", *asked])
        signed = hmac.digest(base64.b64decode(AZURE_KEY), text.encode(), "sha256")
        return f"SharedKey {AZURE_ACCOUNT}:{base64.b64encode(signed).decode()}"
