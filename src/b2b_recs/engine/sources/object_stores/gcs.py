"""A bucket of Google Cloud Storage, by its JSON interface."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from b2b_recs.engine.errors import (
    AuthenticationRefused,
    BadInput,
    DatabaseMissing,
    PermissionMissing,
    SourceRefused,
    TableMissing,
)
from b2b_recs.engine.sources.contract import Dialer, FileInfo
from b2b_recs.engine.sources.object_stores.endpoint import Endpoint
from b2b_recs.engine.sources.object_stores.http_client import Answer, StoreClient
from b2b_recs.engine.sources.object_stores.parameters import GcsParameters, service_account
from b2b_recs.engine.sources.object_stores.store import PAGE_BYTES, ObjectStore, Page

_SCOPE = "https://www.googleapis.com/auth/devstorage.read_only"
_TOKEN_SECONDS, _RENEW_SECONDS = 3600, 600
_FIELDS = "name,size,generation,updated"


class GcsStore(ObjectStore):
    """A bucket reached as the service account it was given, or as anybody. Raises what ``refused`` says."""

    kind: ClassVar[str] = "The bucket"

    def __init__(self, parameters: GcsParameters, dial: Dialer, clock: Callable[[], float] = time.time) -> None:
        super().__init__(parameters.bucket, parameters.prefix)
        self._bucket = parameters.bucket
        key = "" if parameters.anonymous else parameters.service_account.get_secret_value()
        self._token = SignedToken(key, clock) if key else None
        self.client = StoreClient(
            Endpoint.of(parameters.address), dial, self.hurry, authority=parameters.ca_certificate
        )

    @property
    def version(self) -> str:
        """The interface that is spoken."""
        return "Cloud Storage v1"

    def page(self, prefix: str, following: str, count: int | None = None) -> Page:
        """A page of the listing."""
        query = [("fields", f"nextPageToken,items({_FIELDS})"), ("maxResults", str(count or 1000))]
        query += [("prefix", prefix)] if prefix else []
        query += [("pageToken", following)] if following else []
        answer = self._ask("o", query, {}, PAGE_BYTES)
        if answer.status != 200:
            raise self.refused(answer)
        found = self._object(answer)
        try:
            objects = tuple(_described(item) for item in found.get("items", []))
            token = str(found.get("nextPageToken") or "")
        except (ValueError, TypeError, KeyError, AttributeError):
            raise self._no_store() from None
        return Page(objects, token)

    def fetch(self, name: str, file: FileInfo, start: int, stop: int) -> Answer:
        """A range of this generation of the object, packed as it is stored."""
        query = [("alt", "media"), ("ifGenerationMatch", file.mark)]
        # Without accepting gzip, objects stored as such come unpacked, and no range of them can be asked for.
        headers = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "gzip"}
        return self._ask(f"o/{quote(name, safe='')}", query, headers, max(stop - start, 64 * 1024))

    def described(self, name: str, path: str) -> FileInfo:
        """The object's size, generation and time."""
        answer = self._ask(f"o/{quote(name, safe='')}", [("fields", _FIELDS)], {}, 1024 * 1024)
        if answer.status != 200:
            raise self.refused(answer, path)
        try:
            found = _described(self._object(answer))
        except (ValueError, TypeError, KeyError):
            raise self._no_store() from None
        return FileInfo(path, found.size, found.mark, found.modified)

    def refused(self, answer: Answer, path: str = "") -> Exception:
        """Why the store said no."""
        words = _message(answer)[:200] or f"it answered {answer.status}"
        if answer.status == 401:
            return AuthenticationRefused(
                f"The key for {self.place} was refused: {words}",
                advice="Give a key of the service account that has not been deleted, then test again.",
                field="service_account",
            )
        if answer.status == 403:
            role = "Storage Object Viewer (roles/storage.objectViewer)"
            return PermissionMissing(
                f"{self.kind} {path or self.place} may not be read: {words}",
                advice=f"Give the service account the role {role} on the bucket.",
                field="bucket",
            )
        if answer.status == 404 and path:
            return TableMissing(
                f"{self.kind} {self.place} has no file {path[:200]!r}.", advice="Look at the list again."
            )
        if answer.status == 404:
            return DatabaseMissing(
                f"There is no bucket named {self._bucket}.", advice="Check the bucket's name.", field="bucket"
            )
        if 300 <= answer.status < 400:
            words = "it sent us to another address, where nothing is followed"
        return SourceRefused(
            f"{self.client.endpoint.host} refused to read {path or self.place}: {words}",
            advice="Check the bucket and the endpoint, then test again.",
            field="endpoint",
            transient=answer.status in (408, 429) or answer.status >= 500,
        )

    def _ask(
        self, target: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str], most_bytes: int
    ) -> Answer:
        def sent() -> Mapping[str, str]:
            return headers if self._token is None else {**headers, "Authorization": f"Bearer {self._token.now()}"}

        path = f"/storage/v1/b/{quote(self._bucket, safe='')}/{target}?{urlencode(query, quote_via=quote)}"
        return self.client.ask("GET", path, sent, most_bytes)

    def _object(self, answer: Answer) -> dict[str, Any]:
        try:
            found = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise self._no_store() from None
        if not isinstance(found, dict):
            raise self._no_store()
        return found

    def _no_store(self) -> SourceRefused:
        return SourceRefused(
            f"{self.client.endpoint.host} does not answer as Google Cloud Storage does.",
            advice="Check the endpoint.",
            field="endpoint",
        )


class SignedToken:
    """A token the service account signs by itself, good for reading from stores only, so that no other server is asked.

    https://developers.google.com/identity/protocols/oauth2/service-account#jwt-auth
    """

    def __init__(self, key: str, clock: Callable[[], float]) -> None:
        self._email, self._key_id, pem = service_account(key)
        self._clock = clock
        self._text, self._until = "", 0.0
        try:
            private = serialization.load_pem_private_key(pem.encode(), None)
        except (ValueError, TypeError):
            private = None
        if not isinstance(private, rsa.RSAPrivateKey):
            raise BadInput(
                "The private key of the service account cannot be read.",
                advice="Give the whole JSON text as it was downloaded.",
                field="service_account",
            )
        self._private = private

    def now(self) -> str:
        """A token that is good for some minutes at least."""
        if self._clock() > self._until - _RENEW_SECONDS:
            begins = int(self._clock())
            self._until = begins + _TOKEN_SECONDS
            head = {"alg": "RS256", "typ": "JWT", "kid": self._key_id}
            claims = {"iss": self._email, "sub": self._email, "scope": _SCOPE, "iat": begins, "exp": int(self._until)}
            text = f"{_packed(head)}.{_packed(claims)}"
            signature = self._private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
            self._text = f"{text}.{_url_safe(signature)}"
        return self._text


def _packed(part: Mapping[str, Any]) -> str:
    return _url_safe(json.dumps(part, separators=(",", ":")).encode())


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _described(item: Mapping[str, Any]) -> FileInfo:
    modified = item.get("updated")
    when = datetime.fromisoformat(str(modified)) if modified else None
    return FileInfo(str(item["name"]), int(item["size"]), str(item["generation"]), when)


def _message(answer: Answer) -> str:
    try:
        error = json.loads(answer.body)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError, RecursionError):
        text = answer.body[:200].decode("utf-8", "replace").strip()
        return "" if text.startswith("<") else text
