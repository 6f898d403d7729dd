"""Copying one table of a source into one table of the warehouse, exactly once, whatever happens on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from b2b_recs.engine.errors import EngineError, Fenced
from b2b_recs.engine.etl.cursor import later
from b2b_recs.engine.etl.journal import Header, Journal, Staged
from b2b_recs.engine.etl.plan import NOTE, Bounds, Plan, make_plan, next_cursor
from b2b_recs.engine.etl.ranges import cut, spread, whole
from b2b_recs.engine.etl.reconcile import check_read, in_words, reconcile
from b2b_recs.engine.etl.rejected import commit_rejected
from b2b_recs.engine.etl.settle import Settled, settle
from b2b_recs.engine.etl.spec import Catalog, CopyResult, CopySpec, Transactional
from b2b_recs.engine.etl.stage import Stage, refuse_many_rejected
from b2b_recs.engine.etl.words import load_words, read_words, reading_words
from b2b_recs.engine.faults import step
from b2b_recs.engine.progress import Progress
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import Source, SourceType
from b2b_recs.engine.warehouse.commits import Commit
from b2b_recs.engine.warehouse.compaction import compact
from b2b_recs.engine.warehouse.local import Change, LocalWarehouse

STAGES = ("connect", "read", "load", "reconcile")
# Days for which files that were rewritten stay, so that versions before remain readable.
_KEEP_DAYS = 90


def copy_table(
    source_type: SourceType,
    source: Source,
    spec: CopySpec,
    warehouse: LocalWarehouse,
    staging: Path,
    run_key: str,
    progress: Progress,
    clock: Callable[[], datetime],
) -> CopyResult:
    """What the copy did. ``run_key`` names the run: asked for again after a crash, it goes on or finds itself done.

    ``staging`` holds the journal of what has been read and not yet committed; ``clock`` gives the present with its
    zone. Raises the classes of ``b2b_recs.engine.errors``; a run that raises has committed nothing, and the table
    answers as before.
    """
    table = warehouse.table(spec.destination_dataset, spec.destination_table)
    with table.lock():
        run = _Run(source_type, source, spec, warehouse, staging, run_key, progress, clock)
        return run.copy()


class _Run:
    def __init__(
        self,
        source_type: SourceType,
        source: Source,
        spec: CopySpec,
        warehouse: LocalWarehouse,
        staging: Path,
        run_key: str,
        progress: Progress,
        clock: Callable[[], datetime],
    ) -> None:
        self.source_type = source_type
        self.source = source
        self.spec = spec
        self.table = warehouse.table(spec.destination_dataset, spec.destination_table)
        self.journal = Journal(staging, self.table, run_key)
        self.app = f"copy:{run_key}"
        self.progress = progress
        self.clock = clock
        self.seconds: dict[str, float] = {}
        self.warnings: list[str] = []
        self.started = time.monotonic()

    def copy(self) -> CopyResult:
        done = self.table.committed(self.app)
        if done is not None:
            return self._found_done(done)
        try:
            return self._copy()
        except Fenced:
            # The attempt that took over works with the same staging.
            raise
        except EngineError as error:
            if not error.transient or error.code == "storage_full":
                self.journal.discard()
            raise
        except Exception:
            self.journal.discard()
            raise

    def _copy(self) -> CopyResult:
        with self._stage("connect"):
            plan, staged, header = self._prepare()
            self.progress.log(reading_words(self.spec, plan.bounds))
        with self._stage("read"):
            plan, staged, read = self._read(plan, staged, header)
        self._say("read", read_words(read.read, read.rejected, read.arrow_bytes))
        with self._stage("load"):
            result = self._load(plan, staged, read)
        self._say("load", load_words(result, self.table.name))
        with self._stage("reconcile"):
            result = reconcile(result, self.table, plan.cursor, plan.bounds)
            step("copy.before_forget")
            # The journal goes last: while it is there, the next run looks for files left behind.
            self._tidy(result)
            self.journal.forget()
        return self._told(result)

    def _prepare(self) -> tuple[Plan, list[Staged], Header | None]:
        """The plan, what a killed run of the same key has staged for it, and that run's header."""
        header = self.journal.header()
        now = header.now if header else self.clock()
        plan = make_plan(self.source_type, self.source, self.spec, self.table, now, header.bounds if header else None)
        if header is not None and header.fingerprint == plan.fingerprint():
            as_cut = spread(plan, header.ranges, self.spec)
            kept = self._usable(as_cut)
            if kept:
                self.journal.keep(header, kept)
                rows = sum(item.read for item in kept)
                self.progress.log(f"Going on after {rows:,} rows that were read before the interruption.")
                return as_cut, kept, header
        if header is not None and plan.bounds is not None:
            plan = make_plan(self.source_type, self.source, self.spec, self.table, self.clock(), None)
        return plan, [], None

    def _usable(self, plan: Plan) -> list[Staged]:
        staged = self.journal.staged()
        if self.journal.complete():
            return staged
        if not plan.resumable:
            return []
        ended = self.journal.ended()
        kept, lost = [], set()
        for item in staged:
            placed = item.after is not None and bool(plan.segments[item.segment].order_by)
            if item.segment in ended or (placed and item.segment not in lost):
                kept.append(item)
            else:
                lost.add(item.segment)
        return kept

    def _read(self, plan: Plan, staged: list[Staged], header: Header | None) -> tuple[Plan, list[Staged], Stage]:
        complete = header is not None and self.journal.complete()
        expected = header.expected if complete and header is not None else self._count(plan)
        if header is None:
            if self.journal.exists():
                self.journal.discard()
            fingerprint = plan.fingerprint()
            plan = cut(plan, self.source_type, self.source, self.spec, expected)
            header = Header(self.journal.run_key, fingerprint, plan.now, plan.bounds, expected, plan.ranges)
            self.journal.begin(header)
        self.progress.update(rows_expected=expected)
        stage = Stage(self.source, plan, self.spec, self.table, self.journal, self.progress)
        stage.expected = expected
        resumed = bool(staged)
        step("copy.before_read")
        staged = stage.run(staged) if not complete else stage.replay(staged)
        refuse_many_rejected(stage.rejected, stage.read, self.spec)
        if expected is not None and not complete:
            if resumed and expected != stage.read:
                # Rows came or went between the two reads: one read of one state is what can be compared.
                self.progress.log("The source changed since the interruption; reading again from the start.")
                return self._read(whole(plan), [], None)
            warning = check_read(expected, stage.read, lambda: self._count(plan))
            if warning:
                self.warnings.append(warning)
        self.journal.finish()
        step("copy.after_read")
        return plan, staged, stage

    def _count(self, plan: Plan) -> int:
        return sum(self.source.count(request) for request in whole(plan).segments)

    def _load(self, plan: Plan, staged: list[Staged], read: Stage) -> CopyResult:
        parts = [item.part for item in staged]
        settled = settle(self.table, plan, parts, self.journal.data_folder, self.journal.folder)
        step("copy.settled")
        catalog = isinstance(self.spec.load, Catalog)
        cursor = self._cursor_after(plan, staged, read)
        changed = catalog or bool(settled.loaded) or not self.table.exists()
        result = CopyResult(
            rows_read=read.read,
            rows_loaded=settled.loaded,
            rows_rejected=read.rejected,
            rows_known=settled.known,
            rows_replaced=settled.replaced,
            rows_repeated=settled.repeated,
            source_count=read.expected,
            bytes=read.arrow_bytes,
            table_version=self.table.version(),
            cursor_before=plan.bounds.before if plan.bounds else None,
            cursor_after=cursor if changed else (plan.bounds.before if plan.bounds else None),
            changed=changed,
            added_columns=tuple(field.name for field in plan.layout.added) if changed else (),
            warnings=(*self.warnings, *plan.layout.warnings, *self._remarks(plan, settled, read)),
        )
        step("copy.before_rejected")
        commit_rejected(self.table, self.journal, staged, plan.now, self.app, replace=catalog)
        step("copy.before_commit")
        if not changed:
            self.journal.drop()
            return result
        commit = self._commit(plan, settled, result)
        step("copy.after_commit")
        self.progress.update(rows_loaded=result.rows_loaded, rows_rejected=result.rows_rejected)
        return result.model_copy(update={"table_version": commit.version})

    def _commit(self, plan: Plan, settled: Settled, result: CopyResult) -> Commit:
        self.progress.update(rows_loaded=0)  # the last chance of a newer attempt to fence this one off
        load = self.spec.load
        if plan.layout.added and isinstance(load, Transactional):
            self.table.add_columns(plan.layout.added)
            step("copy.columns_added")
        note = {
            "column": load.cursor if isinstance(load, Transactional) else None,
            "cursor": result.cursor_after,
            "mapping": asdict(plan.cursor) if plan.cursor is not None else None,
            "bounds": asdict(plan.bounds) if plan.bounds is not None else None,
            "result": result.model_dump(mode="json"),
            "partition_by": self.spec.partition_by,
            "cluster_by": list(self.spec.cluster_by),
        }
        change = Change(
            plan.layout.schema,
            settled.parts,
            settled.removed,
            replace=isinstance(load, Catalog),
            app=self.app,
            notes={NOTE: note},
        )
        return self.table.commit(change)

    def _cursor_after(self, plan: Plan, staged: list[Staged], read: Stage) -> str | None:
        if plan.bounds is None or plan.cursor is None:
            return None
        limit = plan.segments[0].row_limit
        if limit is not None and read.read >= limit:
            keys = [item.after for item in staged if item.after is not None]
            last = keys[-1][0] if keys else None
            return later(plan.bounds.before, last, plan.cursor)
        after = next_cursor(plan, self.spec)
        return later(plan.bounds.before, after, plan.cursor)

    def _remarks(self, plan: Plan, settled: Settled, read: Stage) -> Iterator[str]:
        if isinstance(self.spec.load, Catalog) and read.read == 0 and self.table.exists():
            before = self.table.row_count()
            if before:
                yield (
                    f"The source table is empty, so the warehouse table is empty now. Version {self.table.version()} "
                    f"with {before:,} rows stays readable for {self.spec.load.keep_days} days."
                )
        if settled.repeated:
            yield f"{settled.repeated:,} rows had the key of another row; the one with the newest cursor was kept."
        if read.rejected:
            yield f"{read.rejected:,} rows were rejected; {self.table.rejected.name} keeps them with the reason."
        upper = plan.bounds.upper if plan.bounds is not None else None
        if upper is not None and next_cursor(plan, self.spec) != upper:
            yield f"Some rows lie in the future, up to {upper}; they were loaded."

    def _tidy(self, result: CopyResult) -> None:
        """Join small files, and remove what no kept version needs."""
        if not result.changed:
            return
        now = self.clock()
        for table in (self.table, self.table.rejected):
            compact(table)
            table.vacuum(self._keep_days(), now)

    def _keep_days(self) -> int:
        return self.spec.load.keep_days if isinstance(self.spec.load, Catalog) else _KEEP_DAYS

    def _found_done(self, commit: Commit) -> CopyResult:
        """The result of a run that had committed before it could say so."""
        note = commit.notes[NOTE]
        cursor = ColumnMapping(**note["mapping"]) if note["mapping"] else None
        bounds = Bounds(**note["bounds"]) if note["bounds"] else None
        result = CopyResult.model_validate({**note["result"], "table_version": commit.version})
        for name in STAGES[:-1]:
            self.progress.stage(name, "done", "before the interruption")
        with self._stage("reconcile"):
            result = reconcile(result, self.table, cursor, bounds)
            self._tidy(result)
            self.journal.forget()
        self.progress.update(
            rows_read=result.rows_read, rows_loaded=result.rows_loaded, rows_rejected=result.rows_rejected
        )
        return self._told(result)

    def _say(self, stage: str, words: str) -> None:
        self.progress.stage(stage, "done", words)
        self.progress.log(words)

    def _told(self, result: CopyResult) -> CopyResult:
        self._say("reconcile", in_words(result))
        for warning in result.warnings:
            self.progress.log(warning, "warning")
        self.progress.update(fraction=1.0)
        seconds = round(time.monotonic() - self.started, 3)
        return result.model_copy(update={"seconds": seconds, "stage_seconds": dict(self.seconds)})

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self.progress.stage(name, "running")
        started = time.monotonic()
        try:
            yield
        except Fenced:
            raise
        except BaseException as error:
            if isinstance(error, EngineError):
                self.progress.stage(name, "failed", error.message)
            raise
        self.seconds[name] = round(time.monotonic() - started, 3)
        self.progress.stage(name, "done")
