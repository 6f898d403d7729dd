"""Documents that are costly to make, kept beside the version of the table they are about, and made in the background.

A document is made once: whoever asks meanwhile, in this process or another, is told that it is on its way.
"""

from __future__ import annotations

import fcntl
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.warehouse.local import LocalTable

FOLDER = "_profiles"
MOST = 40  # documents kept for one table; the oldest go
MOST_WAITING = 8  # documents being made or waiting for their turn; further ones are begun when they are asked for again
_REFUSED_SECONDS = 60  # how long a refusal stands before the work may be tried again
_NAME = re.compile(r"[a-z0-9-]{1,100}")

_log = logging.getLogger(__name__)
Document = TypeVar("Document", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Answer(Generic[Document]):
    """The document, or why there is none; neither while it is being made."""

    document: Document | None = None
    refusal: EngineError | None = None

    @property
    def ready(self) -> bool:
        """Whether asking again would answer the same."""
        return self.document is not None or self.refusal is not None


@dataclass(frozen=True, slots=True)
class Place(Generic[Document]):
    """Where one document of a table is kept: ``name`` says what it is and of which version."""

    table: LocalTable
    name: str
    kind: type[Document]

    @property
    def path(self) -> Path:
        """The file."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} cannot name a document")
        return self.table.folder / FOLDER / f"{self.name}.json"

    def read(self) -> Document | None:
        """The document; None when there is none, or one of another form."""
        try:
            return self.kind.model_validate_json(self.path.read_bytes())
        except (OSError, ValidationError):
            return None

    def write(self, document: Document) -> None:
        """Keep the document; a folder that cannot be written keeps nothing, and it will be made again."""
        with suppress(OSError):
            self.path.parent.mkdir(exist_ok=True)
            fresh = self.path.with_name(f".{self.name}.{threading.get_ident()}.new")
            fresh.write_text(document.model_dump_json(), encoding="utf-8")
            fresh.replace(self.path)
            self._forget_old()

    def _forget_old(self) -> None:
        there = sorted(self.path.parent.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in there[MOST:]:
            path.unlink(missing_ok=True)
            path.with_suffix(".lock").unlink(missing_ok=True)

    @contextmanager
    def making(self) -> Iterator[bool]:
        """Whether the caller is the one who makes the document now; another process may be at it."""
        try:
            self.path.parent.mkdir(exist_ok=True)
            handle = self.path.with_suffix(".lock").open("ab")
        except OSError:
            yield True
            return
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True


_NOT_YET: Answer[BaseModel] = Answer()


class Workshop:
    """Makes documents in threads of this process, so many at a time; a few wait their turn."""

    def __init__(self, at_once: int = 1) -> None:
        self._turn = threading.Semaphore(at_once)
        self._lock = threading.Lock()
        self._at_work: set[Path] = set()
        self._made: dict[Path, tuple[float, Answer[BaseModel]]] = {}

    def ask(self, place: Place[Document], make: Callable[[], Document], wait: float = 0.0) -> Answer[Document]:
        """The document if it is there or comes within ``wait`` seconds; else it is being made when this returns."""
        until = time.monotonic() + wait
        while True:
            found = self._found(place)
            if found.ready:
                return found
            self._start(place, make)
            left = until - time.monotonic()
            if left <= 0:
                return self._found(place)
            time.sleep(min(0.02, left))

    def _found(self, place: Place[Document]) -> Answer[Document]:
        document = place.read()
        if document is not None:
            return Answer(document)
        with self._lock:
            at, answer = self._made.get(place.path, (0.0, _NOT_YET))
        known = answer.ready and time.monotonic() - at <= _REFUSED_SECONDS
        return answer if known else Answer()  # type: ignore[return-value]

    def _start(self, place: Place[Document], make: Callable[[], Document]) -> None:
        with self._lock:
            if place.path in self._at_work or len(self._at_work) >= MOST_WAITING:
                return
            self._at_work.add(place.path)
        threading.Thread(target=self._work, args=(place, make), name=f"profile {place.name}", daemon=True).start()

    def _work(self, place: Place[Document], make: Callable[[], Document]) -> None:
        try:
            with self._turn, place.making() as mine:
                if mine and place.read() is None:
                    self._note(place, _made_or_refused(make))
        finally:
            with self._lock:
                self._at_work.discard(place.path)

    def _note(self, place: Place[Document], answer: Answer[Document]) -> None:
        if answer.document is not None:
            place.write(answer.document)
            if place.path.exists():
                return
        now = time.monotonic()
        with self._lock:
            self._made = {path: one for path, one in self._made.items() if now - one[0] <= _REFUSED_SECONDS}
            self._made[place.path] = (now, answer)  # type: ignore[assignment]


def _made_or_refused(make: Callable[[], Document]) -> Answer[Document]:
    try:
        return Answer(make())
    except EngineError as refusal:
        return Answer(refusal=refusal)
    except Exception:
        _log.exception("A document about a table was not made")
        told = "The table could not be examined."
        return Answer(refusal=NotMade(told, advice="Try again. If it stays so, tell the operator of the platform."))


class NotMade(EngineError):
    """Something nobody foresaw stopped the work."""

    code = "not_made"
