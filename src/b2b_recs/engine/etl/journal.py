"""The list of what a run has staged, one line per finished file, so that a killed run can go on."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from b2b_recs.engine.etl.bounds import Bounds
from b2b_recs.engine.etl.choice import Choice
from b2b_recs.engine.etl.plan import Fixed
from b2b_recs.engine.etl.reconcile import Claim
from b2b_recs.engine.sources.contract import Fields, FileInfo, KeyRange
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.engine.warehouse.parts import Part, storage_errors

# Days: no version expires, only files without one go.
_FOR_EVER = 36_500


@dataclass(frozen=True, slots=True)
class Staged:
    """One finished file of staged rows: ``after`` is the key of its last row, ``rejected`` rows are beside it.

    ``known`` of those were kept by a run before. ``unasked`` are the fields its rows have in the source beyond those
    that were read.
    """

    part: Part
    segment: int
    after: tuple[str, ...] | None
    read: int
    rejected: int
    arrow_bytes: int
    unasked: Fields = field(default_factory=dict)
    known: int = 0


@dataclass(frozen=True, slots=True)
class Header:
    """What a run fixed at its start, and what the source said it has."""

    run_key: str
    fingerprint: str
    now: datetime
    fixed: Fixed
    claim: Claim
    ranges: tuple[KeyRange, ...] = ()

    def document(self) -> dict[str, Any]:
        """The header as values JSON can hold."""
        files = [
            [file.path, file.size, file.mark, file.modified.isoformat() if file.modified else None]
            for file in self.fixed.choice.load
        ]
        return {
            "run_key": self.run_key,
            "fingerprint": self.fingerprint,
            "now": self.now.isoformat(),
            "bounds": asdict(self.fixed.bounds) if self.fixed.bounds else None,
            "files": files,
            "gone": self.fixed.choice.gone,
            "met": self.fixed.met,
            "expected": self.claim.rows,
            "sums": self.claim.texts(),
            "ranges": [asdict(item) for item in self.ranges],
        }

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> Header:
        """The header that was written as ``line``."""
        bounds = Bounds(**line["bounds"]) if line["bounds"] else None
        files = tuple(
            FileInfo(path, size, mark, datetime.fromisoformat(modified) if modified else None)
            for path, size, mark, modified in line.get("files", ())
        )
        fixed = Fixed(bounds, Choice(files, tuple(line.get("gone", ()))), line.get("met", {}))
        claim = Claim.kept(line["expected"], line.get("sums", {}))
        ranges = tuple(KeyRange(**item) for item in line.get("ranges", ()))
        return cls(line["run_key"], line["fingerprint"], datetime.fromisoformat(line["now"]), fixed, claim, ranges)


class Journal:
    """The staging of one table under ``root``: the journal and the rejected rows.

    Files of staged rows lie in the table's own folder (``data_folder``), where a commit makes them part of the table
    without being written again.
    """

    def __init__(self, root: Path, table: LocalTable, run_key: str) -> None:
        self.folder = root / f"{table.dataset}.{table.name}"
        self.data_folder = f"data/run-{hashlib.sha256(run_key.encode()).hexdigest()[:24]}"
        self.run_key = run_key
        self._table = table
        self._path = self.folder / "journal.jsonl"

    def header(self) -> Header | None:
        """The header of this run's journal, None when there is none or it is another run's."""
        for line in self._lines():
            if line.get("run_key") != self.run_key:
                return None
            return Header.of(line)
        return None

    def staged(self) -> list[Staged]:
        """Finished files that are still there; those of one segment in order, up to the first that is missing."""
        found: list[Staged] = []
        broken: set[int] = set()
        for line in self._lines():
            if "part" not in line or line["segment"] in broken:
                continue
            part = Part(**line["part"])
            if not _whole(self._table.folder / part.path, part.size):
                broken.add(line["segment"])
                continue
            after = tuple(line["after"]) if line["after"] is not None else None
            counts = (line["read"], line["rejected"], line["arrow_bytes"])
            found.append(Staged(part, line["segment"], after, *counts, line.get("unasked", {}), line.get("known", 0)))
        return found

    def ended(self) -> frozenset[int]:
        """Segments that were read to their end and whose files are all still there."""
        written = Counter(line["segment"] for line in self._lines() if "part" in line)
        there = Counter(item.segment for item in self.staged())
        ended = (line["ended"] for line in self._lines() if "ended" in line)
        return frozenset(segment for segment in ended if written[segment] == there[segment])

    def complete(self) -> bool:
        """Whether everything the run had to read has been staged and is still there."""
        lines = list(self._lines())
        finished = sum("part" in line for line in lines)
        return any(line.get("complete") for line in lines) and finished == len(self.staged())

    def exists(self) -> bool:
        """Whether a run, this one or another, has left something here."""
        return self.folder.is_dir()

    def begin(self, header: Header) -> None:
        """Start a new journal."""
        with storage_errors():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._add(header.document())

    def add(self, staged: Staged) -> None:
        """Remember a finished file."""
        self._add(asdict(staged))

    def end(self, segment: int) -> None:
        """Remember that a segment has been read to its end."""
        self._add({"ended": segment})

    def keep(self, header: Header, kept: list[Staged]) -> None:
        """Go on with ``kept`` alone: every other file of the run is removed."""
        names = {item.part.path for item in kept}
        folder = self._table.folder / self.data_folder
        for path in folder.glob("*.parquet") if folder.is_dir() else ():
            if path.relative_to(self._table.folder).as_posix() not in names:
                path.unlink()
        fresh = self._path.with_suffix(".new")
        lines = [header.document(), *(asdict(item) for item in kept)]
        lines.extend({"ended": segment} for segment in sorted(self.ended()))
        if self.complete():
            lines.append({"complete": True})
        with storage_errors():
            fresh.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
            fresh.replace(self._path)

    def finish(self) -> None:
        """Remember that everything has been read."""
        self._add({"complete": True})

    def rejected_path(self, part: Part) -> Path:
        """The file of the rejected rows that were read with a part."""
        return self.folder / f"{Path(part.path).stem}.rejected.jsonl"

    def discard(self) -> None:
        """Remove the journal, and of the table's folder every file that no version knows."""
        self.forget()
        self._table.vacuum(_FOR_EVER)

    def drop(self) -> None:
        """Remove the journal and everything this run has staged; only before it has committed anything."""
        shutil.rmtree(self._table.folder / self.data_folder, ignore_errors=True)
        self.forget()

    def forget(self) -> None:
        """Remove the journal and leave the files, which belong to the table now."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _add(self, document: dict[str, Any]) -> None:
        with storage_errors(), self._path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(document) + "\n")
            lines.flush()
            os.fsync(lines.fileno())

    def _lines(self) -> Iterator[dict[str, Any]]:
        if not self._path.is_file():
            return
        with self._path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    yield json.loads(line)


def _whole(path: Path, size: int) -> bool:
    """Whether a staged file is there as it was finished; a power cut may have taken what was not flushed."""
    if not path.is_file() or path.stat().st_size != size:
        return False
    try:
        pq.read_metadata(path)
    except (OSError, pa.ArrowException):
        return False
    return True
