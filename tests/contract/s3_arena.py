"""A bucket in moto as the source contract's suite needs it: signatures checked, policies enforced."""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import ssl
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote, unquote, urlencode
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from contract.stored_files_arena import StoredFilesArena
from object_store_servers import S3_BUCKET, S3_HOST, StoreServer

# Enough to write files before signatures are checked again.
_UNCHECKED = b"1000000"
_ANY = "AWS4-HMAC-SHA256 Credential=AKIAOWNER/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
_ACTIONS = ("s3:ListBucket", "s3:GetObject")


class S3Arena(StoredFilesArena):
    """A bucket and a user that may list and read it."""

    type: ClassVar[str] = "s3"

    def __init__(self, server: StoreServer, form: str, bucket: str = S3_BUCKET) -> None:
        super().__init__(server.port, form)
        self._server = server
        self._bucket = bucket
        self._owner("PUT", f"/{bucket}")
        self._reader = reader = f"reader-{secrets.token_hex(4)}"
        self._iam(Action="CreateUser", UserName=reader)
        self.forbid("")
        made = ElementTree.fromstring(self._iam(Action="CreateAccessKey", UserName=reader))
        self.key_id, self.key = (
            str(next(element.text for element in made.iter() if element.tag.endswith(name)))
            for name in ("AccessKeyId", "SecretAccessKey")
        )

    def put(self, name: str, content: bytes) -> None:
        self.put_all({name: content})

    def put_all(self, files: Mapping[str, bytes]) -> None:
        with self._unchecked() as connection:
            for name, content in files.items():
                self._ask(connection, "PUT", f"/{self._bucket}/{quote(name, safe='/')}", content)

    def remove(self, name: str) -> None:
        self._owner("DELETE", f"/{self._bucket}/{quote(name, safe='/')}")

    def remove_all(self, names: Iterable[str]) -> None:
        left = list(names)
        while left:
            some, left = left[:1000], left[1000:]
            objects = "".join(f"<Object><Key>{escape(name)}</Key></Object>" for name in some)
            self._owner("POST", f"/{self._bucket}?delete", f"<Delete>{objects}</Delete>".encode())

    def listed(self) -> dict[str, int]:
        answer = ElementTree.fromstring(self._owner("GET", f"/{self._bucket}?list-type=2&encoding-type=url"))
        of = "{http://s3.amazonaws.com/doc/2006-03-01/}"
        objects = answer.iter(f"{of}Contents")
        return {unquote(str(one.findtext(f"{of}Key"))): int(one.findtext(f"{of}Size") or 0) for one in objects}

    def parameters(self, **changes: Any) -> dict[str, Any]:
        good = {
            "bucket": self._bucket,
            "endpoint": f"https://{S3_HOST}:{self.relay.port}",
            "ca_certificate": self._server.authority,
            "access_key_id": self.key_id,
            "secret_access_key": self.key,
            "format": self.form,
        }
        return good | changes

    def revoke(self, table: str) -> None:
        """Take the right to read objects from the reader."""
        self.forbid("s3:GetObject")

    def grant(self, table: str) -> None:
        """Give it back."""
        self.forbid("")

    def forbid(self, action: str) -> None:
        """Take one of the rights of the reader away; all are given back by the empty text."""
        allowed = [one for one in _ACTIONS if one != action]
        statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._iam(Action="PutUserPolicy", UserName=self._reader, PolicyName="read", PolicyDocument=policy)

    def _iam(self, **action: str) -> bytes:
        headers = {"Authorization": _ANY.format("iam"), "Content-Type": "application/x-www-form-urlencoded"}
        return self._owner("POST", "/", urlencode(action).encode(), headers)

    def _owner(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
        with self._unchecked() as connection:
            return self._ask(connection, method, path, body, headers)

    @contextlib.contextmanager
    def _unchecked(self) -> Iterator[http.client.HTTPSConnection]:
        """A connection of somebody the server does not check; afterwards it checks everybody again."""
        context = ssl.create_default_context(cadata=self._server.authority)
        connection = http.client.HTTPSConnection("127.0.0.1", self._server.port, timeout=30, context=context)
        with contextlib.closing(connection):
            self._ask(connection, "POST", "/moto-api/reset-auth", _UNCHECKED)
            try:
                yield connection
            finally:
                self._ask(connection, "POST", "/moto-api/reset-auth", b"0")

    @staticmethod
    def _ask(
        connection: http.client.HTTPSConnection,
        method: str,
        path: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        connection.request(method, path, body, {"Authorization": _ANY.format("s3"), **(headers or {})})
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status < 300, (method, path, answer.status, content[:500])
        return content
