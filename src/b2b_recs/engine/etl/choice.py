"""Which files a run of a table of files loads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from b2b_recs.engine.sources.contract import FileInfo

# Files are read in groups of at most so many bytes or files: what a killed run has to read again is one group.
_GROUP_BYTES = 64 * 1024 * 1024
_GROUP_FILES = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """The files a run loads, and the paths of loaded ones that are no longer there."""

    load: tuple[FileInfo, ...] = ()
    gone: tuple[str, ...] = ()

    def groups(self) -> Iterator[tuple[str, ...]]:
        """The paths to load, in groups that are read one after the other."""
        group: list[str] = []
        size = 0
        for file in self.load:
            if group and (size + file.size > _GROUP_BYTES or len(group) >= _GROUP_FILES):
                yield tuple(group)
                group, size = [], 0
            group.append(file.path)
            size += file.size
        if group:
            yield tuple(group)


NOTHING = Choice()
