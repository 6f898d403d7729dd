"""A bucket of Amazon S3, or of a store that speaks its protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import ClassVar
from urllib.parse import unquote_plus

from b2b_recs.engine.errors import (
    AuthenticationRefused,
    DatabaseMissing,
    PermissionMissing,
    SourceRefused,
    TableMissing,
)
from b2b_recs.engine.sources.contract import Dialer, FileInfo
from b2b_recs.engine.sources.object_stores.endpoint import Endpoint
from b2b_recs.engine.sources.object_stores.http_client import Answer, StoreClient
from b2b_recs.engine.sources.object_stores.parameters import S3Parameters
from b2b_recs.engine.sources.object_stores.s3_signing import Keys, path_of, query_of, signed
from b2b_recs.engine.sources.object_stores.store import PAGE_BYTES, ObjectStore, Page
from b2b_recs.engine.sources.object_stores.xml_answers import Element, NotAnAnswer, error_code, parsed

_KEY_CODES = {"InvalidAccessKeyId": "access_key_id", "SignatureDoesNotMatch": "secret_access_key"}
_TOKEN_CODES = ("InvalidToken", "ExpiredToken", "TokenRefreshRequired")
_REGION_CODES = ("AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException")


def _now() -> datetime:
    return datetime.now(UTC)


class S3Store(ObjectStore):
    """A bucket reached with the keys it was given, or with none at all. Raises what ``refused`` says."""

    kind: ClassVar[str] = "The bucket"

    def __init__(self, parameters: S3Parameters, dial: Dialer, now: Callable[[], datetime] = _now) -> None:
        super().__init__(parameters.bucket, parameters.prefix)
        self._bucket, self._region, self._now = parameters.bucket, parameters.region, now
        self._by_path = not parameters.host_names_bucket
        self._server = ""
        self._keys = (
            None
            if parameters.anonymous
            else Keys(
                parameters.access_key_id,
                parameters.secret_access_key.get_secret_value(),
                parameters.session_token.get_secret_value(),
            )
        )
        endpoint = Endpoint.of(parameters.address)
        where = "endpoint" if parameters.endpoint else "region"
        self.client = StoreClient(endpoint, dial, self.hurry, authority=parameters.ca_certificate, where=where)

    @property
    def version(self) -> str:
        """What the server calls itself."""
        return self._server or "S3"

    def page(self, prefix: str, following: str, count: int | None = None) -> Page:
        """A page of the second kind of listing, with names encoded so that any sign can be in them."""
        query = [("list-type", "2"), ("encoding-type", "url"), ("prefix", prefix)]
        if following:
            query.append(("continuation-token", following))
        if count is not None:
            query.append(("max-keys", str(count)))
        answer = self._ask("GET", "", query, {}, PAGE_BYTES)
        if answer.status != 200:
            raise self.refused(answer)
        name = answer.headers.get("server", "")
        self._server = "".join(sign for sign in name if sign.isprintable())[:40]
        try:
            root = parsed(answer.body)
            if root.tag != "ListBucketResult":
                raise NotAnAnswer("another answer")
            encoded = root.findtext("EncodingType") == "url"
            objects = tuple(_listed(element, encoded) for element in root.iter("Contents"))
        except ValueError:
            raise self._no_store() from None
        more = root.findtext("IsTruncated") == "true"
        return Page(objects, (root.findtext("NextContinuationToken") or "") if more else "")

    def fetch(self, name: str, file: FileInfo, start: int, stop: int) -> Answer:
        """A range of the object with this tag."""
        headers = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}
        if file.mark:
            headers["If-Match"] = f'"{file.mark}"'
        return self._ask("GET", name, [], headers, max(stop - start, 64 * 1024))

    def described(self, name: str, path: str) -> FileInfo:
        """The object's size, tag and time as its head says."""
        answer = self._ask("HEAD", name, [], {"Accept-Encoding": "identity"}, 0)
        if answer.status != 200:
            raise self.refused(answer, path)
        size, modified = answer.headers.get("content-length", ""), answer.headers.get("last-modified", "")
        if not (size.isascii() and size.isdigit()):
            raise self._no_store()
        try:
            when = parsedate_to_datetime(modified)
        except ValueError:
            when = None
        return FileInfo(path, int(size), _tag(answer.headers.get("etag", "")), when)

    def refused(self, answer: Answer, path: str = "") -> Exception:
        """Why S3 said no: by its own code where it gives one, by the status for a head, which has no body."""
        code, root = error_code(answer.body)
        words = ((root.findtext("Message") if root is not None else "") or code or f"it answered {answer.status}")[:200]
        place = self.place
        if code in _KEY_CODES or code in _TOKEN_CODES:
            return AuthenticationRefused(
                f"The keys for {place} were refused: {code}.",
                advice="Check the access key ID, the secret access key and the session token, then test again.",
                field=_KEY_CODES.get(code, "session_token"),
            )
        if code in _REGION_CODES or answer.status in (301, 302, 307, 308):
            named = answer.headers.get("x-amz-bucket-region") or (root.findtext("Region") if root is not None else "")
            return SourceRefused(
                f"The bucket {self._bucket} is not served here" + (f"; it is in {named[:40]}." if named else "."),
                advice=f"Choose the region {named[:40]}." if named else "Check the region and the endpoint.",
                field="region",
            )
        if code == "NoSuchBucket":
            return DatabaseMissing(
                f"There is no bucket named {self._bucket}.", advice="Check the bucket's name.", field="bucket"
            )
        if code == "NoSuchKey" or (answer.status == 404 and path):
            return TableMissing(f"{self.kind} {place} has no file {path[:200]!r}.", advice="Look at the list again.")
        if code == "InvalidObjectState":
            return SourceRefused(f"The file {path} is in an archive.", advice="Restore it in the store first.")
        if code == "RequestTimeTooSkewed":
            return SourceRefused(f"The clock of this machine differs from that of {place}.", advice="Set the clock.")
        if answer.status in (401, 403):
            action = f"s3:GetObject on {path}" if path else "s3:ListBucket"
            return PermissionMissing(
                f"{self.kind} {place} may not be read: {words}", advice=f"Allow {action} to these keys.", field="bucket"
            )
        return SourceRefused(
            f"{self.client.endpoint.host} refused to read {path or place}: {words}",
            advice="Check the bucket and the endpoint, then test again.",
            field="endpoint",
            transient=answer.status in (408, 429) or answer.status >= 500,
        )

    def _ask(
        self, method: str, name: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str], most_bytes: int
    ) -> Answer:
        path = path_of(
            *((self._bucket, name) if self._by_path and name else (self._bucket,) if self._by_path else (name,))
        )
        text = query_of(query)
        given = {"Host": self.client.endpoint.authority, **headers}

        def sent() -> Mapping[str, str]:
            keys = self._keys
            return given if keys is None else signed(method, path, text, given, keys, self._region, self._now())

        return self.client.ask(method, f"{path}?{text}" if text else path, sent, most_bytes)

    def _no_store(self) -> SourceRefused:
        return SourceRefused(
            f"{self.client.endpoint.host} does not answer as an S3 store does.",
            advice="Check the endpoint.",
            field="endpoint",
        )


def _listed(element: Element, encoded: bool) -> FileInfo:
    key, size = element.findtext("Key") or "", element.findtext("Size") or ""
    modified = element.findtext("LastModified") or ""
    when = datetime.fromisoformat(modified) if modified else None
    return FileInfo(unquote_plus(key) if encoded else key, int(size), _tag(element.findtext("ETag") or ""), when)


def _tag(text: str) -> str:
    return text.removeprefix("W/").strip('"')
