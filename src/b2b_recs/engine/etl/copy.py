"""Copying one table of a source into one table of the warehouse, exactly once, whatever happens on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from b2b_recs.engine.counting import counted
from b2b_recs.engine.errors import ColumnMissing, EngineError, Fenced, SchemaDrift, TableMissing, TooManyRejected
from b2b_recs.engine.etl.as_claimed import as_claimed
from b2b_recs.engine.etl.bounds import Bounds
from b2b_recs.engine.etl.choice import Choice
from b2b_recs.engine.etl.files import commit_ledger, paths_anew
from b2b_recs.engine.etl.journal import Header, Journal, Staged
from b2b_recs.engine.etl.outcome import loaded_since, outcome
from b2b_recs.engine.etl.plan import Plan, make_plan
from b2b_recs.engine.etl.ranges import cut, spread, whole
from b2b_recs.engine.etl.reached import MEANING, NOTE, later_columns
from b2b_recs.engine.etl.reconcile import Claim, in_words, reconcile
from b2b_recs.engine.etl.rejected import commit_rejected
from b2b_recs.engine.etl.renamed import Renamed, renamed_spec
from b2b_recs.engine.etl.settle import Leaving, Settled, settle
from b2b_recs.engine.etl.spec import Catalog, ColumnSum, CopyResult, CopySpec, Files, Incremental
from b2b_recs.engine.etl.stage import Stage
from b2b_recs.engine.etl.stopped import forget_stopped, keep_stopped
from b2b_recs.engine.etl.sums import summed_columns
from b2b_recs.engine.etl.sweep import leaving_rows, read_keys, turnover
from b2b_recs.engine.etl.unasked import MOST_READS, told, wider, without_values
from b2b_recs.engine.etl.words import load_words, read_words, reading_words
from b2b_recs.engine.faults import step
from b2b_recs.engine.progress import Progress
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import Source, SourceType
from b2b_recs.engine.warehouse.commits import Commit
from b2b_recs.engine.warehouse.compaction import compact
from b2b_recs.engine.warehouse.local import Change, LocalWarehouse
from b2b_recs.engine.warehouse.names import checked_table
from b2b_recs.engine.warehouse.parts import Part

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
    table = warehouse.table(spec.destination_dataset, checked_table(spec.destination_table))
    if spec.names:
        source, spec = Renamed(source, spec.names), renamed_spec(spec)
    with table.lock():
        run = _Run(source_type, source, spec, warehouse, staging, run_key, progress, clock)
        return run.copy()


def _compared(refusal: EngineError) -> str:
    """The stage at fault when the table was reached and is not what the job reads: what failed is not connecting."""
    return "read" if isinstance(refusal, SchemaDrift | ColumnMissing | TableMissing) else ""


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
        self.sums: tuple[ColumnSum, ...] = ()
        self.reading: Stage | None = None
        self.reads_again = 0
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
        except TooManyRejected:
            self._keep_rejected()
            self.journal.discard()
            raise
        except EngineError as error:
            if not error.transient or error.code == "storage_full":
                self.journal.discard()
            raise
        except Exception:
            self.journal.discard()
            raise

    def _copy(self) -> CopyResult:
        with self._stage("connect", _compared):
            plan, staged, header = self._prepare()
            self.progress.log(reading_words(self.spec, plan.bounds, plan.choice))
        with self._stage("read"):
            plan, staged, read = self._read(plan, staged, header)
        self._say("read", read_words(read.read, read.rejected, read.arrow_bytes))
        with self._stage("load"):
            result = self._load(plan, staged, read)
        self._say("load", load_words(result, self.table.name))
        with self._stage("reconcile"):
            by_file = isinstance(self.spec.load, Files)
            result = reconcile(result, self.table, plan.cursor, plan.bounds, by_file=by_file)
            forget_stopped(self.table, plan.now, f"{self.app}:ended")
            step("copy.before_forget")
            # The journal goes last: while it is there, the next run looks for files left behind.
            self._tidy(result)
            self.journal.forget()
        return self._told(result)

    def _prepare(self) -> tuple[Plan, list[Staged], Header | None]:
        """The plan, what a killed run of the same key has staged for it, and that run's header."""
        header = self.journal.header()
        now = header.now if header else self.clock()
        plan = make_plan(self.source_type, self.source, self.spec, self.table, now, header.fixed if header else None)
        if header is not None and header.fingerprint == plan.fingerprint():
            as_cut = spread(plan, header.ranges, self.spec)
            kept = self._usable(as_cut)
            if kept:
                self.journal.keep(header, kept)
                rows = sum(item.read for item in kept)
                self.progress.log(f"Going on after {counted(rows, 'row')} read before the interruption.")
                return as_cut, kept, header
        if header is not None and (plan.bounds is not None or plan.choice.load):
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
        columns = summed_columns(plan, self.spec, self.source_type)
        claim = self._claim(plan, columns) if header is None or not complete else header.claim
        if header is None:
            if self.journal.exists():
                self.journal.discard()
            fingerprint = plan.fingerprint()
            plan = cut(plan, self.source_type, self.source, self.spec, claim.rows)
            header = Header(self.journal.run_key, fingerprint, plan.now, plan.fixed, claim, plan.ranges)
            self.journal.begin(header)
        self.progress.update(rows_expected=claim.rows)
        stage = Stage(self.source, plan, self.spec, self.table, self.journal, self.progress)
        stage.expected = claim.rows
        self.reading = stage
        resumed = bool(staged)
        step("copy.before_read")
        staged = stage.run(staged) if not complete else stage.replay(staged)
        stage.refuse_many(stage.read)
        wide = None if complete else self._wider(plan, staged)
        if wide is not None:
            return self._read(wide, [], None)
        ask = lambda names: self._claim(plan, names)  # noqa: E731 - asked only when something differs
        given = (staged, self.table, self.journal)
        compared = as_claimed(claim, ask, *given, resumed=resumed, complete=complete)
        if compared is None:
            self.progress.log("The source changed since the interruption; reading again from the start.")
            return self._read(whole(plan), [], None)
        self.sums, warnings = compared
        for words in warnings:
            self._warn(words)
        for words in told(plan, staged, added=self.spec.drift != "ignore" or not self.table.exists()):
            self._warn(words)
        self._warn(without_values(plan, self.table, staged))
        self.journal.finish()
        step("copy.after_read")
        return plan, staged, stage

    def _wider(self, plan: Plan, staged: Sequence[Staged]) -> Plan | None:
        """The plan of another read, when this one met fields that the job wants and did not read."""
        if self.reads_again >= MOST_READS:
            return None
        given = (self.source_type, self.source, self.spec, self.table, plan.now)
        wide = wider(plan, staged, lambda fixed: make_plan(*given, fixed))
        if wide is not None:
            self.reads_again += 1
            names = sorted({column.name for column in wide.layout.columns} - {c.name for c in plan.layout.columns})
            self.progress.log(f"Reading again, with fields that were met only now: {', '.join(names)}.")
        return wide

    def _claim(self, plan: Plan, columns: Sequence[str]) -> Claim:
        # Files are not counted beforehand: that would be to read them twice.
        return Claim(None) if isinstance(self.spec.load, Files) else Claim.of(self.source, plan, columns)

    def _keep_rejected(self) -> None:
        """Keep the rows that stopped the run for looking at; the refusal stays what the run ends with."""
        header = self.journal.header()
        if header is None or self.reading is None:
            return
        step("copy.before_stopped")
        try:
            words = keep_stopped(self.table, self.journal, self.reading, header.now, f"{self.app}:stopped")
        except EngineError as error:
            words = f"The rejected rows could not be kept. {error.message}"
        step("copy.after_stopped")
        self.progress.log(words, "warning")

    def _warn(self, warning: str) -> None:
        if warning:
            self.warnings.append(warning)

    def _load(self, plan: Plan, staged: list[Staged], read: Stage) -> CopyResult:
        load, parts = self.spec.load, [item.part for item in staged]
        leaving = self._leaving(plan)
        settled = settle(self.table, plan, parts, self.journal.data_folder, self.journal.folder, leaving)
        step("copy.settled")
        catalog = isinstance(load, Catalog)
        turned = turnover(self.table, plan, parts, self.journal.folder) if catalog else (0, None)
        given = (staged, read, settled, leaving, self.sums, turned, self.warnings)
        result = outcome(self.spec, plan, self.table, *given)
        step("copy.before_rejected")
        anew = paths_anew(plan.choice, load) if isinstance(load, Files) else ()
        commit_rejected(self.table, self.journal, staged, plan.now, self.app, replace=catalog, anew=anew)
        step("copy.before_commit")
        if result.changed:
            commit = self._commit(plan, settled, result, loaded_since(plan, self.table, read))
            result = result.model_copy(update={"table_version": commit.version})
            step("copy.after_commit")
            self.progress.update(rows_loaded=result.rows_loaded, rows_rejected=result.rows_rejected)
        if isinstance(load, Files):
            self._commit_ledger(plan.choice, load, parts, plan.now)
            step("copy.ledger_committed")
        if not result.changed:
            self.journal.drop()
        return result

    def _leaving(self, plan: Plan) -> Leaving | None:
        if isinstance(self.spec.load, Files):
            return leaving_rows(plan.choice, self.spec.load, self.journal.folder)
        return read_keys(self.source, plan, self.spec, self.journal.folder, self.progress)

    def _commit(self, plan: Plan, settled: Settled, result: CopyResult, reached: str | None) -> Commit:
        self.progress.update(rows_loaded=0)  # the last chance of a newer attempt to fence this one off
        load = self.spec.load
        if plan.layout.added and not isinstance(load, Catalog):
            self.table.add_columns(plan.layout.added)
            step("copy.columns_added")
        note = {
            "column": load.cursor if isinstance(load, Incremental) else None,
            "cursor": result.cursor_after,
            "mapping": asdict(plan.cursor) if plan.cursor is not None else None,
            "bounds": asdict(plan.bounds) if plan.bounds is not None else None,
            "strategy": load.strategy,
            "source": list(self.spec.origin),
            "since": reached,
            "result": result.model_dump(mode="json"),
            "partition_by": self.spec.partition_by,
            "cluster_by": list(self.spec.cluster_by),
            "key": list(plan.key or plan.primary),
            "columns": plan.layout.schema.names,
            "later": self._later(plan),
            MEANING: plan.meaning,
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

    def _later(self, plan: Plan) -> tuple[tuple[str, ...], ...]:
        """The columns that older rows are without; none where every row is written anew."""
        if isinstance(self.spec.load, Catalog) or not self.table.exists():
            return ()
        by_file = isinstance(self.spec.load, Files)
        names = plan.layout.schema.names if by_file else [column.name for column in plan.layout.columns]
        return later_columns(self.table, names, [field.name for field in plan.layout.added])

    def _tidy(self, result: CopyResult) -> None:
        """Join small files, and remove what no kept version needs."""
        if not result.changed:
            return
        now = self.clock()
        for table in (self.table, self.table.rejected, self.table.ledger):
            compact(table)
            table.vacuum(self._keep_days(), now)

    def _keep_days(self) -> int:
        return self.spec.load.keep_days if isinstance(self.spec.load, Catalog) else _KEEP_DAYS

    def _found_done(self, commit: Commit) -> CopyResult:
        """The result of a run that had committed before it could say so."""
        note = commit.notes[NOTE]
        self._finish_ledger()
        cursor = ColumnMapping(**note["mapping"]) if note["mapping"] else None
        bounds = Bounds(**note["bounds"]) if note["bounds"] else None
        result = CopyResult.model_validate({**note["result"], "table_version": commit.version})
        for name in STAGES[:-1]:
            self.progress.stage(name, "done", "before the interruption")
        with self._stage("reconcile"):
            result = reconcile(result, self.table, cursor, bounds, by_file=note.get("strategy") == "files")
            forget_stopped(self.table, self.clock(), f"{self.app}:ended")
            self._tidy(result)
            self.journal.forget()
        self.progress.update(
            rows_read=result.rows_read, rows_loaded=result.rows_loaded, rows_rejected=result.rows_rejected
        )
        return self._told(result)

    def _finish_ledger(self) -> None:
        """Write down the files of a run that was interrupted between its two commits."""
        header, load = self.journal.header(), self.spec.load
        if header is not None and isinstance(load, Files):
            parts = [item.part for item in self.journal.staged()]
            self._commit_ledger(header.fixed.choice, load, parts, header.now)

    def _commit_ledger(self, choice: Choice, load: Files, parts: Sequence[Part], now: datetime) -> None:
        shapes = self.source.shapes()
        commit_ledger(self.table, choice, load, parts, now, self.app, self.journal.folder, shapes)

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
    def _stage(self, name: str, blamed: Callable[[EngineError], str] = lambda _: "") -> Iterator[None]:
        """Do a stage; ``blamed`` names another one that a refusal belongs to."""
        self.progress.stage(name, "running")
        started = time.monotonic()
        try:
            yield
        except Fenced:
            raise
        except BaseException as error:
            if isinstance(error, EngineError):
                other = blamed(error)
                if other:
                    self.progress.stage(name, "done")
                    self.progress.stage(other, "running")
                self.progress.stage(other or name, "failed", error.message)
            raise
        self.seconds[name] = round(time.monotonic() - started, 3)
        self.progress.stage(name, "done")
