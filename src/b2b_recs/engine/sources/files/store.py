"""What a place that keeps files can do; a folder, a web server and every object store are such places."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, ClassVar

from b2b_recs.engine.errors import ConnectionLost
from b2b_recs.engine.sources.contract import FileInfo
from b2b_recs.engine.sources.files.hurry import Hurry

_MOST_LEFT_OUT = 1_000
_MAY_CHANGE = "~"
# Clocks of two machines differ a little, and some places keep every other second.
_UNSURE_SECONDS = 2.0


class FileStore(ABC):
    """One place that keeps files, opened read only.

    Paths are relative to the place, with ``/`` between their parts and none at the start. Raises the classes of
    ``b2b_recs.engine.errors``; a driver's own error never escapes, not from the files that ``open`` returns either.
    """

    # How the kind of place is called in messages: "The bucket", "The folder".
    kind: ClassVar[str]
    # The setting that says where in the place the files lie.
    folder_field: ClassVar[str] = "location"

    def __init__(self) -> None:
        self.hurry = Hurry()
        # What the last list passed over, by the path as it is shown: links, and files whose names are no text.
        self.left_out: list[str] = []

    @property
    @abstractmethod
    def place(self) -> str:
        """How messages name this place, without any secret: the folder, the bucket, the host."""

    @property
    def version(self) -> str:
        """What a test of the connection shows as the server's version."""
        return self.kind

    @abstractmethod
    def check(self) -> None:
        """Look whether the place is there and may be read; raises what a test of the connection should say."""

    @abstractmethod
    def list(self, prefix: str) -> Iterator[FileInfo]:
        """The files whose paths begin with ``prefix`` (any text, ``""`` for all), folders left out, in any order.

        Files beyond the prefix may come too; the caller matches each path.
        """

    @abstractmethod
    def open(self, file: FileInfo) -> BinaryIO:
        """The content, readable and seekable, for one thread; reads only what is asked for where the place can.

        Raises TableMissing when the file is gone, ``file_changed`` when it is not the one that was listed.
        """

    @abstractmethod
    def info(self, path: str) -> FileInfo:
        """The file as it is now, for comparing marks after a read. Raises TableMissing when it is gone."""

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """While this lasts, everything that is asked of the place ends after so many seconds together."""
        return self.hurry.within(seconds)

    def leave_out(self, path: str) -> None:
        """Note a file, or a folder, that is not read though it lies in the place."""
        if len(self.left_out) < _MOST_LEFT_OUT:
            self.left_out.append(path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))

    def interrupt(self) -> None:
        """Make another thread that waits for this place give up; the place stays usable."""
        return None

    @abstractmethod
    def close(self) -> None:
        """Release connections and temporary files; safe to call twice."""


def timed_mark(told: str, seconds: float, now: float | None = None) -> str:
    """``told`` as the mark of a file that was written at ``seconds``, in a place that tells no parts of seconds.

    While that second may not be over, the file may be written once more without telling another time. The mark then
    is one that it has no longer a little later, so that whoever kept it looks at the file again, once.
    """
    now = time.time() if now is None else now
    return f"{told}{_MAY_CHANGE}" if abs(now - seconds) < _UNSURE_SECONDS else told


def same_file(one: FileInfo, other: FileInfo) -> bool:
    """Whether two looks at a file saw the same content, as far as its place can tell."""
    return one.mark.removesuffix(_MAY_CHANGE) == other.mark.removesuffix(_MAY_CHANGE)


def file_changed(file: FileInfo) -> ConnectionLost:
    """The refusal for a file whose content is no longer the one that was listed."""
    return ConnectionLost(
        f"The file {file.path} changed while it was read.",
        advice="Run the job again when nobody is writing the file; write it elsewhere and move it in when complete.",
    )
