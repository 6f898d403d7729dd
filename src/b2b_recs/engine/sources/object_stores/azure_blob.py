"""A container of Azure Blob Storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import ClassVar
from urllib.parse import parse_qsl, quote, unquote, urlencode

from b2b_recs.engine.errors import (
    AuthenticationRefused,
    DatabaseMissing,
    PermissionMissing,
    SourceRefused,
    TableMissing,
)
from b2b_recs.engine.sources.contract import Dialer, FileInfo
from b2b_recs.engine.sources.object_stores.azure_signing import authorization
from b2b_recs.engine.sources.object_stores.endpoint import Endpoint
from b2b_recs.engine.sources.object_stores.http_client import Answer, StoreClient
from b2b_recs.engine.sources.object_stores.parameters import AzureBlobParameters
from b2b_recs.engine.sources.object_stores.store import PAGE_BYTES, ObjectStore, Page
from b2b_recs.engine.sources.object_stores.xml_answers import Element, NotAnAnswer, error_code, parsed

_VERSION = "2021-12-02"
_KEY_CODES = ("AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation")
_CLOSED_CODES = (
    "AuthorizationFailure", "AuthorizationPermissionMismatch", "AuthorizationProtocolMismatch",
    "AuthorizationResourceTypeMismatch", "AuthorizationServiceMismatch", "AuthorizationSourceIPMismatch",
    "InsufficientAccountPermissions", "KeyBasedAuthenticationNotPermitted",
)  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC)


class AzureBlobStore(ObjectStore):
    """A container reached with the key or the signature it was given. Raises what ``refused`` says."""

    kind: ClassVar[str] = "The container"

    def __init__(self, parameters: AzureBlobParameters, dial: Dialer, now: Callable[[], datetime] = _now) -> None:
        super().__init__(parameters.container, parameters.prefix)
        self._account, self._now = parameters.account, now
        self._root = f"/{parameters.account}" if parameters.account_in_path else ""
        self._key, self._sas = "", ""
        if not parameters.anonymous:
            self._key = parameters.account_key.get_secret_value()
            self._sas = parameters.sas_token.get_secret_value()
        where = "endpoint" if parameters.endpoint else "account"
        self.client = StoreClient(
            Endpoint.of(parameters.address), dial, self.hurry, authority=parameters.ca_certificate, where=where
        )

    @property
    def version(self) -> str:
        """The version of the interface that is spoken."""
        return f"Azure Blob Storage {_VERSION}"

    def page(self, prefix: str, following: str, count: int | None = None) -> Page:
        """A page of the listing."""
        query = [("restype", "container"), ("comp", "list"), ("prefix", prefix)]
        query += [("marker", following)] if following else []
        query += [("maxresults", str(count))] if count is not None else []
        answer = self._ask("GET", "", query, {}, PAGE_BYTES)
        if answer.status != 200:
            raise self.refused(answer)
        try:
            root = parsed(answer.body)
            if root.tag != "EnumerationResults":
                raise NotAnAnswer("another answer")
            blobs = [blob for blob in root.iter("Blob") if blob.findtext("Properties/ResourceType") != "directory"]
            objects = tuple(_listed(blob) for blob in blobs)
        except (ValueError, TypeError):
            raise self._no_store() from None
        return Page(objects, root.findtext("NextMarker") or "")

    def fetch(self, name: str, file: FileInfo, start: int, stop: int) -> Answer:
        """A range of the blob with this tag."""
        headers = {"Range": f"bytes={start}-{stop - 1}", "If-Match": f'"{file.mark}"'}
        return self._ask("GET", name, [], headers, max(stop - start, 64 * 1024))

    def described(self, name: str, path: str) -> FileInfo:
        """The blob's size, tag and time as its head says."""
        answer = self._ask("HEAD", name, [], {}, 0)
        if answer.status != 200:
            raise self.refused(answer, path)
        try:
            size = int(answer.headers["content-length"])
            when = parsedate_to_datetime(answer.headers["last-modified"])
        except (KeyError, ValueError):
            raise self._no_store() from None
        return FileInfo(path, size, answer.headers.get("etag", "").strip('"'), when)

    def refused(self, answer: Answer, path: str = "") -> Exception:
        """Why Azure said no, by its own code."""
        code, root = error_code(answer.body)
        code = answer.headers.get("x-ms-error-code", "") or code
        message = (root.findtext("Message") or "") if root is not None else ""
        words = (message.split("\n")[0] or code or f"it answered {answer.status}")[:200]
        # Azurite calls a wrong key a failed authorization, and says in words what it is.
        if code in _KEY_CODES or answer.status == 401 or message.startswith("Server failed to authenticate"):
            way = "shared access signature" if self._sas else "account key"
            return AuthenticationRefused(
                f"The {way} of {self._account} was refused: {code}.",
                advice=f"Check the storage account and the {way}, and that it has not ended; then test again.",
                field="sas_token" if self._sas else "account_key",
            )
        if code == "ContainerNotFound" or (answer.status == 404 and not path):
            return DatabaseMissing(
                f"{self._account} has no container named {self._name}.",
                advice="Check the container's name.",
                field="container",
            )
        if answer.status == 404:
            return TableMissing(
                f"{self.kind} {self.place} has no file {path[:200]!r}.", advice="Look at the list again."
            )
        if code == "BlobArchived":
            return SourceRefused(f"The file {path} is in an archive.", advice="Move it to another tier first.")
        if code in _CLOSED_CODES or answer.status in (403, 409):
            return PermissionMissing(
                f"{self.kind} {path or self.place} may not be read: {words}",
                advice="Allow reading and listing (rl), and this machine in the account's network rules.",
                field="container",
            )
        if 300 <= answer.status < 400:
            words = "it sent us to another address, where nothing is followed"
        return SourceRefused(
            f"{self.client.endpoint.host} refused to read {path or self.place}: {words}",
            advice="Check the container and the endpoint, then test again.",
            field="endpoint",
            transient=answer.status in (408, 429) or answer.status >= 500,
        )

    def _ask(
        self, method: str, name: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str], most_bytes: int
    ) -> Answer:
        path = f"{self._root}/{self._name}" + (f"/{quote(name, safe='/~')}" if name else "")
        asked = [*query, *parse_qsl(self._sas)]

        def sent() -> Mapping[str, str]:
            given = {**headers, "x-ms-version": _VERSION, "x-ms-date": format_datetime(self._now(), usegmt=True)}
            if self._key:
                given["Authorization"] = authorization(method, self._account, self._key, path, query, given)
            return given

        text = urlencode(asked, quote_via=quote)
        return self.client.ask(method, f"{path}?{text}" if text else path, sent, most_bytes)

    def _no_store(self) -> SourceRefused:
        return SourceRefused(
            f"{self.client.endpoint.host} does not answer as Azure Blob Storage does.",
            advice="Check the endpoint.",
            field="endpoint",
        )


def _listed(blob: Element) -> FileInfo:
    name = blob.find("Name")
    properties = blob.find("Properties")
    if name is None or properties is None or not name.text:
        raise NotAnAnswer("a blob without a name")
    text = unquote(name.text) if name.get("Encoded") == "true" else name.text
    tag = (properties.findtext("Etag") or "").strip('"')
    modified = properties.findtext("Last-Modified")
    when = parsedate_to_datetime(modified) if modified else None
    return FileInfo(text, int(properties.findtext("Content-Length") or ""), tag, when)
