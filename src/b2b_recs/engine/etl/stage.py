"""Reading a source into files of the table's folder that no version knows yet."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import IO

import pyarrow as pa

from b2b_recs.engine.counting import counted, percent
from b2b_recs.engine.errors import Cancelled, ConnectionLost, TooManyRejected
from b2b_recs.engine.etl.beside import read_beside
from b2b_recs.engine.etl.cursor import text_of
from b2b_recs.engine.etl.journal import Journal, Staged
from b2b_recs.engine.etl.known_rejects import KnownRejects, fingerprint
from b2b_recs.engine.etl.plan import Plan
from b2b_recs.engine.etl.spec import CopySpec, Incremental
from b2b_recs.engine.etl.unasked import together
from b2b_recs.engine.faults import step
from b2b_recs.engine.progress import Progress
from b2b_recs.engine.schema.arrow import arrow_schema
from b2b_recs.engine.sources.contract import Batch, Fields, ReadRequest, RejectedRow, Source
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.engine.warehouse.parts import PartWriter, flush, repeating_columns, storage_errors

# Arrow bytes after which a file is finished; what a killed run has to read again is at most this much.
PART_BYTES = 128 * 1024 * 1024
_REPORT_SECONDS = 0.3


class Stage:
    """Reads the segments of a plan into files and writes each finished one into the journal."""

    def __init__(
        self, source: Source, plan: Plan, spec: CopySpec, table: LocalTable, journal: Journal, progress: Progress
    ) -> None:
        self._source = source
        self._plan = plan
        self._spec = spec
        self._table = table
        self._journal = journal
        self._progress = progress
        # Every other kind of load reads the whole of what it loads, so that its share is the same each time.
        self._kept = KnownRejects(table) if isinstance(spec.load, Incremental) else None
        self._schema = arrow_schema(plan.layout.columns)
        self._repeating: list[str] | None = None
        self._reported = 0.0
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self.expected: int | None = None
        self.read = 0
        self.rejected = 0
        self.known = 0  # rejected rows that a run before has kept; they do not count against the job's share
        self.example = ""  # why the first row was rejected
        self.unfinished: list[RejectedRow] = []  # rejected rows of files that were never finished
        self.arrow_bytes = 0

    def run(self, done: list[Staged]) -> list[Staged]:
        """Read everything after ``done``; the complete list of finished files.

        Raises Cancelled, TooManyRejected, StorageFull, and what the source raises.
        """
        staged = list(done)
        for item in staged:
            self._count(item.read, item.rejected, item.known, item.arrow_bytes)
        ended = self._journal.ended()
        left = deque(
            (number, self._rest(request, number, done))
            for number, request in enumerate(self._plan.segments)
            if number not in ended
        )
        # Files are flushed while the next one is read; all are on the disk before anything is committed.
        with ThreadPoolExecutor(1, thread_name_prefix="flush") as flusher:
            flushed = [self._flush(flusher, item) for item in staged]
            try:
                for item in self._all(left):
                    staged.append(item)
                    flushed.append(self._flush(flusher, item))
            except TooManyRejected:
                self._report(now=True)  # how many were rejected is what people look for then
                raise
            for waiting in flushed:
                waiting.result()
        self._report(now=True)
        return sorted(staged, key=lambda item: item.segment)

    def _all(self, left: deque[tuple[int, ReadRequest]]) -> Iterator[Staged]:
        """Every file of the segments that are left, as it is finished."""
        if self._plan.sessions > 1 and len(left) > 1:
            yield from read_beside(self._source, self._plan.sessions, left, self._segment, self._pause)
            return
        for number, request in left:
            for item in self._segment(self._source, number, request, self._progress.cancelled):
                self._pause()
                yield item

    def _pause(self) -> None:
        """What the thread of the run does every now and then while it waits: only it may talk to the progress."""
        self._stop_when_asked()
        self._report()

    def _flush(self, flusher: ThreadPoolExecutor, item: Staged) -> Future[None]:
        return flusher.submit(flush, self._table.folder / item.part.path)

    def replay(self, done: list[Staged]) -> list[Staged]:
        """Count what was staged completely before; nothing is read."""
        for item in done:
            self._count(item.read, item.rejected, item.known, item.arrow_bytes)
        self._report(now=True)
        return done

    def _rest(self, request: ReadRequest, number: int, staged: list[Staged]) -> ReadRequest:
        mine = [item for item in staged if item.segment == number]
        if not mine:
            return request
        limit = request.row_limit
        if limit is not None:
            limit -= sum(item.read for item in mine)
        return replace(request, key_after=mine[-1].after or (), row_limit=limit)

    def _segment(
        self, source: Source, number: int, request: ReadRequest, stopped: Callable[[], bool]
    ) -> Iterator[Staged]:
        """The finished files of one segment. Runs in several threads at once when there are several sessions."""
        if request.row_limit is not None and request.row_limit <= 0:
            return
        alone = self._plan.sessions == 1
        open_part: _OpenPart | None = None
        try:
            for batch in source.read(request, stopped):
                if alone:
                    self._pause()
                step("copy.read")
                if open_part is None:
                    open_part = self._open_part(number, request, batch)
                fresh = self._fresh(batch.rejected)
                known = len(batch.rejected) - len(fresh)
                open_part.add(batch, known)
                read = batch.rows.num_rows + len(batch.rejected)
                self._count(read, len(batch.rejected), known, batch.rows.nbytes)
                if fresh and not self.example:
                    self.example = fresh[0].reason
                self.refuse_many(max(self.expected or self.read, self.read))
                if open_part.full():
                    yield self._finish(open_part)
                    open_part = None
            if open_part is not None:
                yield self._finish(open_part)
                open_part = None
            step("copy.before_end")
            with self._lock:
                self._journal.end(number)
        except ConnectionLost:
            # What was read is good: a run that may go on after its last row keeps it.
            if open_part is not None and request.order_by and self._plan.resumable and open_part.after is not None:
                self._finish(open_part)
                open_part = None
            raise
        finally:
            if open_part is not None:
                with self._counting:
                    self.unfinished.extend(open_part.rejected)
                open_part.writer.discard()

    def _open_part(self, number: int, request: ReadRequest, first: Batch) -> _OpenPart:
        with self._lock:
            if self._repeating is None and first.rows.num_rows:
                self._repeating = repeating_columns(first.rows)
            repeating = self._repeating or []
        writer = self._table.new_part(self._schema, self._journal.data_folder, repeating)
        return _OpenPart(writer, number, request, self._plan.layout.ignored)

    def _finish(self, part: _OpenPart) -> Staged:
        step("copy.before_stage")
        staged = part.close(self._journal)
        step("copy.before_journal")
        with self._lock:
            self._journal.add(staged)
        step("copy.after_stage")
        return staged

    def refuse_many(self, total: int) -> None:
        """Raise TooManyRejected when more than the job's share of ``total`` rows was rejected, with one reason.

        Rows that a run before has kept are neither rejected anew nor of those that came.
        """
        refuse_many_rejected(self.rejected - self.known, total - self.known, self._spec, self.example)

    def _fresh(self, rejected: list[RejectedRow]) -> list[RejectedRow]:
        """The rejected rows that no run before has kept."""
        if self._kept is None or not rejected:
            return rejected
        with self._counting:
            return [row for row in rejected if not self._kept.take(fingerprint(row))]

    def _count(self, read: int, rejected: int, known: int, arrow_bytes: int) -> None:
        with self._counting:
            self.read += read
            self.rejected += rejected
            self.known += known
            self.arrow_bytes += arrow_bytes

    def _stop_when_asked(self) -> None:
        if self._progress.cancelled():
            raise Cancelled("The run was stopped. Nothing was committed.", advice="Run the job again when ready.")

    def _report(self, *, now: bool = False) -> None:
        if not now and time.monotonic() - self._reported < _REPORT_SECONDS:
            return
        self._reported = time.monotonic()
        counters: dict[str, float | int] = {
            "rows_read": self.read,
            "rows_rejected": self.rejected,
            "bytes": self.arrow_bytes,
        }
        if self.expected:
            counters["fraction"] = min(1.0, self.read / self.expected)
        self._progress.update(**counters)


class _OpenPart:
    """A file being written, and the rejected rows that belong to it."""

    def __init__(self, writer: PartWriter, segment: int, request: ReadRequest, ignored: Collection[str]) -> None:
        self.writer = writer
        self._ignored = ignored
        self._unasked: Fields = {}
        self.after: tuple[str, ...] | None = None
        self._segment = segment
        self._request = request
        self._read = 0
        self._known = 0
        self.rejected: list[RejectedRow] = []

    def add(self, batch: Batch, known: int) -> None:
        rows = batch.rows
        self._known += known
        self._read += rows.num_rows + len(batch.rejected)
        self.rejected.extend(batch.rejected)
        if batch.unasked:
            self._unasked = together((self._unasked, batch.unasked), self._ignored)
        if rows.num_rows:
            self.writer.write(rows)
            self.after = self._last_key(rows)

    def full(self) -> bool:
        return self.writer.arrow_bytes >= PART_BYTES or len(self.rejected) >= 50_000

    def close(self, journal: Journal) -> Staged:
        part = self.writer.close(flushed=False)
        if self.rejected:
            with storage_errors(), journal.rejected_path(part).open("w", encoding="utf-8") as lines:
                _write_rejected(self.rejected, lines)
        counts = (self._read, len(self.rejected), self.writer.arrow_bytes)
        return Staged(part, self._segment, self.after, *counts, self._unasked, self._known)

    def _last_key(self, rows: pa.RecordBatch) -> tuple[str, ...] | None:
        if not self._request.order_by:
            return None
        texts = []
        for name in self._request.order_by:
            try:
                text = text_of(rows.column(name)[-1].as_py())
            except (ValueError, OverflowError):
                text = None
            if text is None:
                return None
            texts.append(text)
        return tuple(texts)


def refuse_many_rejected(rejected: int, total: int, spec: CopySpec, example: str = "") -> None:
    """Raise TooManyRejected when more than the job's share of ``total`` rows was rejected, with one reason."""
    if rejected and rejected > spec.reject_threshold * total:
        raise TooManyRejected(
            f"{rejected:,} of {counted(total, 'row')} could not be loaded, more than the "
            f"{percent(spec.reject_threshold)} the job allows. "
            "Nothing was committed." + (f" The first: {example}." if example else ""),
            advice="Look at the rejected rows and at the column types of the job, or allow more rejected rows.",
            field="reject_threshold",
        )


def _write_rejected(rows: list[RejectedRow], lines: IO[str]) -> None:
    for row in rows:
        lines.write(json.dumps([row.row, row.column, row.reason], ensure_ascii=False) + "\n")
