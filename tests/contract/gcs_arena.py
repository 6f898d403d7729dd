"""A bucket in gcp-storage-emulator as the source contract's suite needs it."""

from __future__ import annotations

import functools
import http.client
import json
import socket
import threading
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from contract.stored_files_arena import StoredFilesArena
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from object_store_servers import StoreServer

BUCKET = "contract"


class GcsArena(StoredFilesArena):
    """A bucket, and a service account that the emulator does not check."""

    type: ClassVar[str] = "gcs"

    def __init__(self, server: StoreServer, form: str, bucket: str = BUCKET) -> None:
        super().__init__(server.port, form)
        self._server = server
        self._bucket = bucket
        self._ask("POST", "/storage/v1/b?project=test", {bucket: json.dumps({"name": bucket}).encode()}, (200, 409))

    def put(self, name: str, content: bytes) -> None:
        self.put_all({name: content})

    def put_all(self, files: Mapping[str, bytes]) -> None:
        self._ask("POST", f"/upload/storage/v1/b/{self._bucket}/o?uploadType=media&name={{}}", files, (200,))

    def remove(self, name: str) -> None:
        self._ask("DELETE", f"/storage/v1/b/{self._bucket}/o/{{}}", {name: b""}, (204, 200))

    def listed(self) -> dict[str, int]:
        answer = json.loads(self._ask("GET", f"/storage/v1/b/{self._bucket}/o", {"": b""}, (200,)))
        return {one["name"]: int(one["size"]) for one in answer["items"]}

    @functools.cached_property
    def mail_server(self) -> str:
        """The address of a server of another kind, which greets whoever comes."""
        listener = socket.create_server(("127.0.0.1", 0))

        def greet() -> None:
            while True:
                line, _ = listener.accept()
                with line:
                    line.sendall(b"220 mail.store.test ESMTP\r\n\r\n")
                    line.recv(65536)

        threading.Thread(target=greet, daemon=True).start()
        return f"http://gcs.store.test:{listener.getsockname()[1]}"

    def parameters(self, **changes: Any) -> dict[str, Any]:
        good = {
            "bucket": self._bucket,
            "endpoint": f"http://gcs.store.test:{self.relay.port}",
            "service_account": service_account(),
            "format": self.form,
        }
        return good | changes

    def _ask(self, method: str, path: str, bodies: Mapping[str, bytes], good: tuple[int, ...]) -> bytes:
        """The last answer."""
        content = b""
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=30)
        try:
            for name, body in bodies.items():
                headers = {"Content-Type": "application/json" if "{}" not in path else "application/octet-stream"}
                connection.request(method, path.format(quote(name, safe="")), body, headers)
                answer = connection.getresponse()
                content = answer.read()
                assert answer.status in good, (method, path, name, answer.status, content[:500])
        finally:
            connection.close()
        return content


@functools.cache
def private_key() -> rsa.RSAPrivateKey:
    """The key of the service account of the tests."""
    return rsa.generate_private_key(65537, 2048)


def service_account(**changes: Any) -> str:
    """The text of a key file as Google writes it."""
    pem = private_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    good = {
        "type": "service_account",
        "project_id": "test",
        "private_key_id": "canary-key-id",
        "private_key": pem.decode(),
        "client_email": "reader@test.iam.gserviceaccount.com",
        "client_id": "1",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "universe_domain": "googleapis.com",
    }
    return json.dumps(good | changes)
