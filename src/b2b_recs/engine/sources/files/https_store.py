"""Files at https addresses, each dialled where the guard said and verified for its name."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import ssl
from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import BinaryIO, ClassVar
from urllib.parse import unquote, urljoin, urlsplit

import httpcore

from b2b_recs.engine.errors import (
    AuthenticationRefused,
    BadInput,
    ConnectionLost,
    ConnectionRefused,
    EngineError,
    SourceRefused,
    SourceTimeout,
    TableMissing,
)
from b2b_recs.engine.sources import trust
from b2b_recs.engine.sources.contract import Dialer, FileInfo
from b2b_recs.engine.sources.files.download import Download
from b2b_recs.engine.sources.files.guarded_backend import CONNECT_SECONDS, GuardedBackend
from b2b_recs.engine.sources.files.limits import LIMITS, too_much
from b2b_recs.engine.sources.files.locations import addresses, checked_address
from b2b_recs.engine.sources.files.store import FileStore, file_changed, same_file, timed_mark

_REDIRECTS = 5
_MOVED = (301, 302, 303, 307, 308)
_READ_SECONDS = 60.0
_HEADERS: dict[str | bytes, str | bytes] = {"User-Agent": "b2b-recs", "Accept": "*/*", "Accept-Encoding": "identity"}
_TIMEOUT = {"connect": CONNECT_SECONDS, "read": _READ_SECONDS, "write": _READ_SECONDS, "pool": CONNECT_SECONDS}


class HttpsStore(FileStore):
    """One or more files, each at an address of its own; a path is the last part of the address."""

    kind: ClassVar[str] = "The address"

    def __init__(self, location: str, dial: Dialer, certificate: str = "", signature: str = "") -> None:
        super().__init__()
        given = addresses(location)
        self._addresses = {_name(address): address for address in given}
        self._signature = signature
        if len(self._addresses) < len(given):
            raise BadInput(
                "Two of the addresses end in the same file name.", advice="Make one connection each.", field="location"
            )
        self._pool = httpcore.ConnectionPool(
            ssl_context=trust.verifying(certificate),
            network_backend=GuardedBackend(dial, self.hurry),
            max_connections=4,
            http2=False,
        )
        self._downloads: dict[str, Download] = {}
        self._session = secrets.token_hex(8)

    @property
    def place(self) -> str:
        """The host of the first address."""
        return str(urlsplit(next(iter(self._addresses.values()))).hostname)

    @property
    def version(self) -> str:
        """What this place is."""
        return "https"

    def check(self) -> None:
        """Ask for the first file."""
        self.info(next(iter(self._addresses)))

    def list(self, prefix: str) -> Iterator[FileInfo]:
        """The files at the addresses, as their servers describe them now."""
        for path in self._addresses:
            if path.startswith(prefix):
                yield self.info(path)

    def open(self, file: FileInfo) -> BinaryIO:
        """The file, downloaded as far as it is read."""
        kept = self._downloads.get(file.path)
        if kept is None or kept.mark != file.mark:
            if kept is not None:
                kept.close()
            response = self._ask("GET", file.path)
            found = self._described(file.path, response)
            if not same_file(found, file):
                response.close()
                raise file_changed(file)
            kept = Download(self._chunks(response, file), file, response.close)
            self._downloads[file.path] = kept
        return kept.reader()

    def info(self, path: str) -> FileInfo:
        """The file as its server describes it now. Raises TableMissing, and what a server refuses with."""
        for method in ("HEAD", "GET"):
            response = self._ask(method, path, refusals=method == "GET")
            with contextlib.closing(response):
                if response.status < 400:
                    return self._described(path, response)
        raise self._missing(path)

    def close(self) -> None:
        """Close connections and remove what was downloaded."""
        for kept in self._downloads.values():
            kept.close()
        self._downloads.clear()
        self._pool.close()

    def _ask(self, method: str, path: str, *, refusals: bool = True) -> httpcore.Response:
        """The answer after at most five redirects; with ``refusals`` only a good one, else the words for a bad one."""
        if path not in self._addresses:
            raise self._missing(path)
        address = self._signed(self._addresses[path])
        for _ in range(_REDIRECTS + 1):
            response = self._request(method, address)
            if response.status not in _MOVED:
                if refusals and response.status != 200:
                    response.close()
                    raise self._refused(path, address, response.status)
                return response
            response.close()
            target = urljoin(address, _header(response, "location"))
            try:
                address = checked_address(target)
            except ValueError:
                raise SourceRefused(
                    f"{urlsplit(address).hostname} sent us on to an address that is not https.",
                    advice="Use the final https address of the file.",
                    field="location",
                ) from None
        raise SourceRefused(
            f"{self.place} sent us on more than {_REDIRECTS} times.",
            advice="Use the final address of the file.",
            field="location",
        )

    def _signed(self, address: str) -> str:
        """The address with the signature; where a server sends us on, it does not go along."""
        if not self._signature:
            return address
        plain = address.partition("#")[0]
        return f"{plain}{'&' if '?' in plain else '?'}{self._signature}"

    def _request(self, method: str, address: str) -> httpcore.Response:
        parts = urlsplit(address)
        host = str(parts.hostname)
        try:
            request = httpcore.Request(
                method,
                httpcore.URL(
                    scheme=b"https",
                    host=host.encode(),
                    port=parts.port or 443,
                    target=((parts.path or "/") + (f"?{parts.query}" if parts.query else "")).encode(),
                ),
                headers={"Host": parts.netloc, **_HEADERS},
                extensions={"timeout": _TIMEOUT},
            )
            return self._pool.handle_request(request)
        except EngineError as error:
            error.field = "location"
            raise
        except Exception as error:
            raise _words(error, host) from None

    def _chunks(self, response: httpcore.Response, file: FileInfo) -> Iterator[bytes]:
        total = 0
        try:
            for chunk in response.iter_stream():
                total += len(chunk)
                if total > LIMITS.download_bytes:
                    raise too_much(file.path, f"is larger than {LIMITS.download_bytes // 2**30} GB")
                yield chunk
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, ssl.SSLError, OSError):
            raise ConnectionLost(
                f"The connection to {self.place} broke while {file.path} was read.", advice="Run the job again."
            ) from None

    def _described(self, path: str, response: httpcore.Response) -> FileInfo:
        length, tag = _header(response, "content-length"), _header(response, "etag")
        modified = _header(response, "last-modified")
        size = int(length) if length.isascii() and length.isdigit() else 0
        when = None
        with contextlib.suppress(ValueError, TypeError):
            when = parsedate_to_datetime(modified).astimezone(UTC) if modified else None
        # Of a server that tells neither tag nor time, a file counts as another one in each session.
        seen = f"{size}|{tag}|{modified}" if tag or modified else f"{size}|{self._session}"
        mark = hashlib.sha256(seen.encode()).hexdigest()[:32]
        # Tags are often made of the size and the time, which is told in seconds.
        return FileInfo(path, size, mark if when is None else timed_mark(mark, when.timestamp()), when)

    def _missing(self, path: str) -> TableMissing:
        return TableMissing(
            f"{self.place} has no file {path[:200]!r}.", advice="Check the address of the file.", field="location"
        )

    def _refused(self, path: str, address: str, status: int) -> EngineError:
        host = urlsplit(address).hostname
        if status in (404, 410):
            return self._missing(path)
        if status in (401, 403, 407):
            return AuthenticationRefused(
                f"{host} does not let us read {path} (it answered {status}).",
                advice="Use an address that opens without signing in.",
                field="location",
            )
        return SourceRefused(
            f"{host} answered {status} when asked for {path}.",
            advice="Open the address in a browser to see what the server says.",
            field="location",
            transient=status in (408, 429) or status >= 500,
        )


def _name(address: str) -> str:
    name = unquote(urlsplit(address).path.rpartition("/")[2])
    # A sign that separates folders, or one that is no text, cannot be in a name.
    return name.replace("/", "_").encode("utf-8", "replace").decode()


def _header(response: httpcore.Response, name: str) -> str:
    wanted = name.encode()
    return next((value.decode("latin-1") for key, value in response.headers if key.lower() == wanted), "")


def _words(error: Exception, host: str) -> EngineError:
    """The engine's error for what the HTTP library raises."""
    if isinstance(error, httpcore.ConnectTimeout):
        return ConnectionRefused(
            f"Nothing answers at {host}.", advice="Check the address and any firewall.", field="location"
        )
    if isinstance(error, httpcore.TimeoutException):
        return SourceTimeout(
            f"{host} did not answer in time.", advice="Check the address and any firewall.", field="location"
        )
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return SourceRefused(
            f"The certificate of {host} could not be verified.",
            advice="Use the name the certificate was made for; it has to be signed by a known authority.",
            field="location",
        )
    if isinstance(error, ssl.SSLError) or "SSL" in str(error):
        return SourceRefused(f"{host} does not speak https.", advice="Check the address.", field="location")
    if isinstance(error, httpcore.ConnectError | OSError):
        return ConnectionRefused(
            f"Nothing answers at {host}.", advice="Check the address and any firewall.", field="location"
        )
    return ConnectionLost(f"{host} broke off the connection.", advice="Try again.", field="location")
