"""What the object stores share: pages of a listing that has an end, ranges of an object that has not changed."""

from __future__ import annotations

import re
import time
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from b2b_recs.engine.errors import ConnectionLost, SourceRefused
from b2b_recs.engine.sources.contract import FileInfo
from b2b_recs.engine.sources.files.range_file import range_file
from b2b_recs.engine.sources.files.store import FileStore, file_changed
from b2b_recs.engine.sources.object_stores.http_client import Answer, StoreClient

PAGE_BYTES = 32 * 1024 * 1024
_MOST_PAGES = 2000
_MOST_EMPTY_PAGES = 50
_LIST_SECONDS = 600.0
_PARTIAL = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects of a listing by their full names, and what to ask with for the next ones."""

    objects: tuple[FileInfo, ...]
    following: str = ""


class ObjectStore(FileStore):
    """A bucket, or a folder of one. ``folder`` is what the names of its objects begin with, "" or ending in a slash."""

    folder_field: ClassVar[str] = "prefix"
    client: StoreClient

    def __init__(self, name: str, folder: str) -> None:
        super().__init__()
        self._name = name
        self.folder = folder if not folder or folder.endswith("/") else f"{folder}/"

    @property
    def place(self) -> str:
        """The bucket, with the folder in it."""
        return f"{self._name}/{self.folder}".removesuffix("/")

    @abstractmethod
    def page(self, prefix: str, following: str, count: int | None = None) -> Page:
        """At most ``count`` objects whose names begin with ``prefix``, from where ``following`` says."""

    @abstractmethod
    def fetch(self, name: str, file: FileInfo, start: int, stop: int) -> Answer:
        """The answer to a question for a range of an object that has to be the one with the file's mark."""

    @abstractmethod
    def described(self, name: str, path: str) -> FileInfo:
        """An object as it is now. Raises TableMissing when it is gone."""

    @abstractmethod
    def refused(self, answer: Answer, path: str = "") -> Exception:
        """Why the store did not do what it was asked; ``path`` is the file it was about, if any."""

    def check(self) -> None:
        """Ask for one name. Raises DatabaseMissing, AuthenticationRefused, PermissionMissing, SourceRefused."""
        self.page(self.folder, "", 1)

    def list(self, prefix: str) -> Iterator[FileInfo]:
        """The objects below the folder, those that stand for folders left out. Raises SourceRefused without an end."""
        begin, following, seen, empty = self.folder + prefix, "", {""}, 0
        until = time.monotonic() + _LIST_SECONDS
        for _ in range(_MOST_PAGES):
            page = self.page(begin, following)
            for found in page.objects:
                path = found.path.removeprefix(self.folder)
                if found.path.startswith(begin) and path and not path.endswith("/"):
                    yield FileInfo(path, found.size, found.mark, found.modified)
            following = page.following
            if not following:
                return
            empty = 0 if page.objects else empty + 1
            if following in seen or empty > _MOST_EMPTY_PAGES or time.monotonic() > until:
                break
            seen.add(following)
        raise SourceRefused(
            f"{self.kind} {self.place} does not come to the end of its list of files.",
            advice="Name a folder, so that fewer files are looked at.",
            field="prefix",
        )

    def open(self, file: FileInfo) -> BinaryIO:
        """The content, asked for by ranges, each only of the object that was listed."""
        name = self.folder + file.path

        def fetch(start: int, stop: int) -> bytes:
            answer = self.fetch(name, file, start, stop)
            if answer.status in (412, 416):
                raise file_changed(file)
            whole = answer.status == 200 and start == 0 and stop == file.size
            if answer.status not in (200, 206):
                raise self.refused(answer, file.path)
            if not whole:
                self._check_range(answer, file, start, stop)
            if len(answer.body) != stop - start:
                raise ConnectionLost(f"{self.place} sent only a part of {file.path}.", advice="Run the job again.")
            return answer.body

        return range_file(file.size, fetch)

    def info(self, path: str) -> FileInfo:
        """The object as it is now. Raises TableMissing."""
        return self.described(self.folder + path, path)

    def interrupt(self) -> None:
        """End the connections another thread waits for."""
        self.client.interrupt()

    def close(self) -> None:
        """Close connections."""
        self.client.close()

    def _check_range(self, answer: Answer, file: FileInfo, start: int, stop: int) -> None:
        found = _PARTIAL.fullmatch(answer.headers.get("content-range", ""))
        if answer.status != 206 or found is None:
            raise SourceRefused(
                f"{self.place} does not answer with parts of files.", advice="Use a store that does.", field="endpoint"
            )
        if int(found[3]) != file.size:
            raise file_changed(file)
        if (int(found[1]), int(found[2])) != (start, stop - 1):
            raise ConnectionLost(f"{self.place} sent another part of {file.path}.", advice="Run the job again.")
