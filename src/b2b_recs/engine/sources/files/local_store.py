"""Files in a folder of this machine that the guard allowed; nothing outside it is ever opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import BinaryIO, ClassVar

from b2b_recs.engine.errors import PermissionMissing, SourceRefused, TableMissing
from b2b_recs.engine.quoted import quoted
from b2b_recs.engine.sources.contract import Dialer, FileInfo
from b2b_recs.engine.sources.files.locations import folder_behind
from b2b_recs.engine.sources.files.store import FileStore, file_changed, same_file, timed_mark

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without blocking: a named pipe in the folder must not hold a run for ever.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DEPTH = 64


class LocalStore(FileStore):
    """One folder. Links are followed only when the folder is opened, by the guard; below it they are left out."""

    kind: ClassVar[str] = "The folder"

    def __init__(self, location: str, dial: Dialer) -> None:
        super().__init__()
        self._root: Path = folder_behind(location, dial)
        self._location = location

    @property
    def place(self) -> str:
        """The folder as the user wrote it."""
        return self._location

    @property
    def version(self) -> str:
        """What this place is."""
        return "local folder"

    def check(self) -> None:
        """Look into the folder. Raises SourceRefused, PermissionMissing."""
        try:
            os.close(os.open(self._root, _FOLDER))
            next(iter(os.scandir(self._root)), None)
        except OSError as error:
            raise self._refused(error, "") from None

    def list(self, prefix: str) -> Iterator[FileInfo]:
        """Regular files below the folder whose paths begin with ``prefix``."""
        self.check()
        self.left_out.clear()
        folder = prefix.rpartition("/")[0]
        if folder and not _plain(folder.split("/")):
            return
        if (self._root / folder).resolve() != self._root / folder:
            return
        yield from self._walk(folder, prefix, 0)

    def open(self, file: FileInfo) -> BinaryIO:
        """The file, opened step by step without following any link."""
        content = os.fdopen(self._descriptor(file.path), "rb")
        if not same_file(_info(file.path, os.fstat(content.fileno())), file):
            content.close()
            raise file_changed(file)
        return content

    def info(self, path: str) -> FileInfo:
        """The file as it is now."""
        descriptor = self._descriptor(path)
        try:
            return _info(path, os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Nothing is held open."""

    def _walk(self, folder: str, prefix: str, depth: int) -> Iterator[FileInfo]:
        if depth > _DEPTH:
            return
        try:
            entries = sorted(os.scandir(self._root / folder), key=lambda entry: entry.name)
        except OSError as error:
            if depth == 0 and isinstance(error, FileNotFoundError | NotADirectoryError):
                return
            raise self._refused(error, folder) from None
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if not path.startswith(prefix):
                continue
            if not _readable_name(path):
                self.leave_out(path)
                continue
            try:
                if entry.is_symlink():
                    self.leave_out(path)
                elif entry.is_dir(follow_symlinks=False):
                    yield from self._walk(path, prefix, depth + 1)
                elif entry.is_file(follow_symlinks=False):
                    yield _info(path, entry.stat(follow_symlinks=False))
            except FileNotFoundError:
                continue

    def _descriptor(self, path: str) -> int:
        *folders, name = path.split("/")
        if not _readable_name(path) or not _plain([*folders, name]):
            raise self._missing(path)
        try:
            at = os.open(self._root, _FOLDER)
            try:
                for folder in folders:
                    below = os.open(folder, _FOLDER, dir_fd=at)
                    os.close(at)
                    at = below
                found = os.open(name, _FILE, dir_fd=at)
            finally:
                os.close(at)
        except OSError as error:
            raise self._refused(error, path) from None
        if not stat.S_ISREG(os.fstat(found).st_mode):
            os.close(found)
            raise self._missing(path)
        return found

    def _missing(self, path: str) -> TableMissing:
        return TableMissing(
            f"The folder {self._location} has no file {quoted(path, 200)}.", advice="Choose a file from the list."
        )

    def _refused(self, error: OSError, path: str) -> SourceRefused:
        if isinstance(error, PermissionError):
            what = f"The file {path}" if path else f"The folder {self._location}"
            return PermissionMissing(
                f"{what} may not be read by this installation.",
                advice="Give the user that runs it the right to read.",
                field="location",
            )
        if path:
            return self._missing(path)
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return self._no_folder()
        return SourceRefused(
            f"The folder {self._location} cannot be read: {error.strerror}.",
            advice="Check the disk or the share it is on.",
            field="location",
        )

    def _no_folder(self) -> SourceRefused:
        if self._root.is_file():
            return SourceRefused(
                f"{self._location} is a file.",
                advice=f"Name its folder, such as {PurePath(self._location).parent}; its files become the tables.",
                field="location",
            )
        return SourceRefused(
            f"There is no folder {self._location}; it was looked for at {self._root}.",
            advice="Check the spelling of the folder.",
            field="location",
        )


def _info(path: str, found: os.stat_result) -> FileInfo:
    """Size, time and number of the file: one that was moved in has another mark even when size and time agree."""
    mark = f"{found.st_size}-{found.st_mtime_ns}-{found.st_ino}"
    if found.st_mtime_ns % 1_000_000_000 == 0:
        # A share that keeps whole seconds only.
        mark = timed_mark(mark, found.st_mtime)
    return FileInfo(path, found.st_size, mark, datetime.fromtimestamp(found.st_mtime, UTC))


def _plain(names: list[str]) -> bool:
    """Whether a path made of these names stays where it begins."""
    return all(name not in ("", ".", "..") and "\x00" not in name for name in names)


def _readable_name(path: str) -> bool:
    """Whether a name is text; one that is not cannot be kept or shown."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
