"""Finding a text wherever it may have been left: files, database rows, command lines, pages."""

from __future__ import annotations

import base64
import contextlib
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import psutil
import psycopg
from psycopg import sql

PAGES = 120
LOOKS = 3  # a process may become another program, or rename itself, shortly after its start


def spellings(secret: str) -> list[bytes]:
    """The secret as it might be written down: plain, as UTF-16, in hexadecimal, and in base64 at every offset."""
    plain = secret.encode()
    found = [plain, secret.encode("utf-16-le"), plain.hex().encode(), plain.hex().upper().encode()]
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + plain)
        # The first and last signs of the code depend on the neighbours.
        found.append(coded[4 if offset else 0 : len(coded) - 4])
    return found


def told(secrets: Mapping[str, str], text: bytes | str) -> list[str]:
    """The names of the secrets that can be read in the text."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return [name for name, secret in secrets.items() if any(one in raw for one in spellings(secret))]


def in_files(secrets: Mapping[str, str], root: Path) -> dict[str, list[str]]:
    """Files under the folder that hold a secret."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            with contextlib.suppress(FileNotFoundError):
                names = told(secrets, path.read_bytes())
                if names:
                    found[str(path.relative_to(root))] = names
    return found


def rows(connection: psycopg.Connection[Any]) -> Iterator[tuple[str, bytes]]:
    """Every table of every schema with all its rows, as COPY writes them; sealed columns are among them."""
    tables = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    for schema, table in tables:
        statement = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(schema, table))
        with connection.cursor().copy(statement) as copy:
            yield f"{schema}.{table}", b"".join(bytes(part) for part in copy)


class CommandLines:
    """Collects every command line of this machine, and the environment of some processes, while the block lasts."""

    def __init__(self) -> None:
        self.family: set[int] = set()
        self._seen: set[str] = set()
        self._environments: set[str] = set()
        self._looks: Counter[int] = Counter()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def seen(self) -> list[str]:
        """The command lines so far."""
        return sorted(self._seen.copy())

    @property
    def environments(self) -> list[str]:
        """The environments so far of the processes in ``family`` and of what they started."""
        return sorted(self._environments.copy())

    def __enter__(self) -> CommandLines:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            for number in psutil.pids():
                if self._looks[number] < LOOKS:
                    self._looks[number] += 1
                    with contextlib.suppress(psutil.Error):
                        self._look(psutil.Process(number))

    def _look(self, process: psutil.Process) -> None:
        self._seen.add("\n".join(process.cmdline()))
        if self.family & {process.pid, *(ancestor.pid for ancestor in process.parents())}:
            self._environments.add(repr(sorted(process.environ().items())))


def pages(client: httpx.Client, start: tuple[str, ...]) -> dict[str, httpx.Response]:
    """What every address answers that can be reached by following links; nothing that signs out or changes."""
    waiting, found = list(start), {}
    while waiting and len(found) < PAGES:
        address = waiting.pop(0)
        if address in found:
            continue
        found[address] = answer = client.get(address)
        for link in re.findall(r'(?:href|hx-get|src)="([^"#]+)"', answer.text):
            parts = urlsplit(urljoin(str(answer.url), link.replace("&amp;", "&")))
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            if parts.netloc == client.base_url.netloc.decode() and not path.startswith(
                ("/static/", "/accounts/logout")
            ):
                waiting.append(path)
    return found
