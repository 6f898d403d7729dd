"""Files below a folder of an SFTP server."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO, ClassVar

from b2b_recs.engine.errors import ConnectionLost, DatabaseMissing, SourceRefused, TableMissing
from b2b_recs.engine.sources.contract import Dialer, FileInfo
from b2b_recs.engine.sources.files.range_file import range_file
from b2b_recs.engine.sources.files.store import FileStore, file_changed, same_file, timed_mark
from b2b_recs.engine.sources.sftp.parameters import SftpParameters
from b2b_recs.engine.sources.sftp.session import Session, quietly

_REGULAR, _FOLDER, _LINK = 1, 2, 3
_MOST_ENTRIES, _MOST_DEPTH = 200_000, 32
_FOLDER_SECONDS, _LIST_SECONDS = 120.0, 600.0


class SftpStore(FileStore):
    """Regular files only: links are left out, so that nothing outside of the folder is read by its name."""

    kind: ClassVar[str] = "The folder"
    folder_field: ClassVar[str] = "folder"

    def __init__(self, parameters: SftpParameters, dial: Dialer) -> None:
        super().__init__()
        self._session = Session(parameters, dial, self.hurry)
        self._folder = parameters.folder.rstrip("/") or ("/" if parameters.folder else ".")
        self._parameters = parameters
        self._version = ""
        # Folders that are known to be ones themselves, not links to others.
        self._folders = {""}

    @property
    def place(self) -> str:
        """The host and the folder."""
        return f"{self._parameters.host}:{self._parameters.folder or '.'}"

    @property
    def version(self) -> str:
        """What the server calls itself."""
        return self._version or "SSH 2.0"

    def check(self) -> None:
        """Sign in and look whether the folder is one."""

        async def look() -> Any:
            client = await self._session.client()
            self._version = "".join(s for s in self._session.server_version() if s.isprintable())[:60]
            return await client.stat(self._folder.encode())

        try:
            found = self._session.run(look())
        except TableMissing:
            found = None
        if found is None or found.type != _FOLDER:
            raise DatabaseMissing(
                f"{self._parameters.host} has no folder {self._parameters.folder!r}.",
                advice="Check the folder; small and capital letters differ.",
                field="folder",
            )

    def list(self, prefix: str) -> Iterator[FileInfo]:
        """Files below the folder, found folder by folder. Raises SourceRefused when there is no end to them."""
        self.check()
        self.left_out.clear()
        begin = prefix.rpartition("/")[0]
        if _steps_out(begin) or not self._is_below(begin):
            return
        waiting = [(begin, begin.count("/") + 1 if begin else 0)]
        until, entries = time.monotonic() + _LIST_SECONDS, 0
        while waiting:
            folder, depth = waiting.pop()
            for name, attributes in self._entries(folder):
                entries += 1
                path = f"{folder}/{name}" if folder else name
                if attributes.type == _FOLDER and depth < _MOST_DEPTH:
                    self._folders.add(path)
                    waiting.append((path, depth + 1))
                elif attributes.type == _REGULAR and path.startswith(prefix):
                    yield _described(path, attributes)
                elif attributes.type == _LINK and path.startswith(prefix):
                    self.leave_out(path)
            if entries > _MOST_ENTRIES or time.monotonic() > until:
                raise self._endless()

    def open(self, file: FileInfo) -> BinaryIO:
        """The content, asked for by ranges of which many are on their way at once."""
        name = self._name(file.path)

        async def opened() -> tuple[Any, Any]:
            client = await self._session.client()
            handle = await client.open(name, "rb", encoding=None)
            return handle, await handle.stat()

        handle, attributes = self._session.run(opened(), file.path)

        async def read(start: int, stop: int) -> bytes:
            content: bytes = await handle.read(stop - start, start)
            if not same_file(_described(file.path, await handle.stat()), file):
                raise file_changed(file)
            return content

        def fetch(start: int, stop: int) -> bytes:
            content = self._session.run(read(start, stop), file.path)
            if len(content) != stop - start:
                raise ConnectionLost(f"{self.place} sent only a part of {file.path}.", advice="Run the job again.")
            return content

        def done() -> None:
            if not self._session.closed:
                self._session.run(quietly(handle.close()))

        if not same_file(_described(file.path, attributes), file):
            done()
            raise file_changed(file)
        return range_file(file.size, fetch, done)

    def info(self, path: str) -> FileInfo:
        """The file as it is now. Raises TableMissing."""
        name = self._name(path)

        async def look() -> Any:
            client = await self._session.client()
            return await client.lstat(name)

        attributes = self._session.run(look(), path)
        if attributes.type != _REGULAR:
            raise TableMissing(f"{self.place} has no file {path[:200]!r}.", advice="Look at the list again.")
        return _described(path, attributes)

    def interrupt(self) -> None:
        """Break the connection another thread waits for."""
        self._session.interrupt()

    def close(self) -> None:
        """Sign out."""
        self._session.close()

    def _entries(self, folder: str) -> Sequence[tuple[str, Any]]:
        name = self._name(folder) if folder else self._folder.encode()

        async def read() -> list[tuple[str, Any]]:
            client = await self._session.client()
            found: list[tuple[str, Any]] = []
            async for entry in client.scandir(name):
                text = _text(entry.filename)
                if not text:
                    self.leave_out(f"{folder}/{_shown(entry.filename)}".lstrip("/"))
                if text not in ("", ".", "..") and "/" not in text and "\x00" not in text:
                    found.append((text, entry.attrs))
                if len(found) > _MOST_ENTRIES:
                    raise self._endless()
            return found

        try:
            return self._session.run(read(), folder, _FOLDER_SECONDS)
        except TableMissing:
            # A folder that went away since its parent was read, or one a pattern names and nobody made.
            return []

    def _is_below(self, folder: str) -> bool:
        """Whether a folder is reached without following any link."""
        if folder in self._folders:
            return True
        name = f"{self._folder}/{folder}".encode()

        async def look() -> Any:
            client = await self._session.client()
            return await client.lstat(name)

        try:
            real = self._is_below(folder.rpartition("/")[0]) and self._session.run(look(), folder).type == _FOLDER
        except TableMissing:
            return False
        if real:
            self._folders.add(folder)
        return real

    def _name(self, path: str) -> bytes:
        if _steps_out(path) or not self._is_below(path.rpartition("/")[0]):
            raise TableMissing(f"{self.place} has no file {path[:200]!r}.", advice="Look at the list again.")
        return f"{self._folder}/{path}".encode()

    def _endless(self) -> SourceRefused:
        return SourceRefused(
            f"{self.kind} {self.place} does not come to the end of its list of files.",
            advice="Name a folder with fewer files.",
            field="folder",
        )


def _steps_out(path: str) -> bool:
    return "\x00" in path or any(part in ("..", ".") for part in path.split("/"))


def _shown(name: bytes | str) -> str:
    return name if isinstance(name, str) else name.decode("utf-8", "replace")


def _text(name: bytes | str) -> str:
    """A name as text; "" for one that is none, which no job could name."""
    try:
        return name if isinstance(name, str) else name.decode()
    except UnicodeDecodeError:
        return ""


def _described(path: str, attributes: Any) -> FileInfo:
    size, seconds = int(attributes.size or 0), int(attributes.mtime or 0)
    part = int(attributes.mtime_ns or 0)
    mark = f"{size}-{seconds}.{part:09}"
    return FileInfo(path, size, mark if part else timed_mark(mark, seconds), datetime.fromtimestamp(seconds, UTC))
