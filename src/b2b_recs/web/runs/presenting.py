"""A run of either kind as pages show it: stages, counts, outcome and the next thing to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse

from b2b_recs.engine.errors import TooManyRejected
from b2b_recs.web.etl.counts import counts_in_words, counts_told
from b2b_recs.web.etl.history import attempts_of, numbers_of
from b2b_recs.web.etl.mending import mending
from b2b_recs.web.runs.faults import fault_of
from b2b_recs.web.ui import formats

STAGE_TITLES = {
    "connect": "Connect",
    "read": "Read",
    "load": "Load",
    "reconcile": "Reconcile",
    "copy": "Copy tables",
    "dataset": "Build dataset",
    "train": "Train",
    "evaluate": "Evaluate",
    "register": "Register",
    "deploy": "Deploy",
}
TRIGGERS = {
    "manual": "hand",
    "schedule": "its schedule",
    "pipeline": "a training",
    "command": "the command line",
    "api": "the API",
}
OVER = ("completed", "partial", "failed", "cancelled")
OUTCOMES = {
    "running": "Under way",
    "completed": "Completed",
    "partial": "Completed",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "interrupted": "Interrupted by a stop of the platform",
    "handed_back": "Ended before it could do its work",
    "lost": "Lost with its process",
}


@dataclass(frozen=True)
class StageView:
    """One stage: ``state`` is waiting, running, done, failed or skipped."""

    name: str
    title: str
    state: str
    detail: str
    started_at: datetime | None
    seconds: float | None


@dataclass(frozen=True)
class Fact:
    """One line of a run's facts."""

    name: str
    value: str = ""
    note: str = ""
    at: datetime | None = None
    address: str = ""
    mono: bool = False


@dataclass
class RunView:
    """What a list row and the run's own page show."""

    kind: str  # etl or pipeline
    id: int
    model_id: int
    what: str
    status: str
    status_word: str
    stages: list[StageView]
    trigger: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int
    error: str
    advice: str
    rows: int | None = None
    rows_read: int | None = None
    rows_rejected: int | None = None
    rows_known: int | None = None  # read again, and in the warehouse already
    rejected_address: str = ""  # where the rows it rejected are kept
    mending: tuple[str, str] = ("", "")  # words and address of what to change after a failure
    fraction: int | None = None
    reconciled: bool | None = None
    cancel_requested: bool = False
    facts: list[Fact] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    copies: list[RunView] = field(default_factory=list)
    log: list[Any] = field(default_factory=list)
    log_total: int = 0
    waits: str = ""  # why a run that has not begun, or is between two attempts, does not go on now

    @property
    def kind_word(self) -> str:
        """What kind of run, in a word."""
        return "copy" if self.kind == "etl" else ""

    @property
    def notices(self) -> list[tuple[str, str]]:
        """The warnings, each with where to look; empty where there is nothing to look at."""
        return [(words, self.rejected_address if "rejected" in words else "") for words in self.warnings]

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in OVER

    @property
    def is_running(self) -> bool:
        """Whether work is under way now."""
        return self.started_at is not None and not self.is_over and self.status != "pending"

    @property
    def may_cancel(self) -> bool:
        """Whether asking to stop would still do something."""
        return not self.is_over and not self.cancel_requested

    @property
    def seconds(self) -> float | None:
        """Wall time from start to end, None before the end."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(0.0, (self.finished_at - self.started_at).total_seconds())

    @property
    def beside(self) -> float | None:
        """Seconds of the wall time in none of the stages; None before the end and where they are too few to tell."""
        rest = (self.seconds or 0.0) - sum(stage.seconds or 0.0 for stage in self.stages)
        return rest if rest >= max(0.05, 0.02 * (self.seconds or 0.0)) else None

    @property
    def at(self) -> datetime:
        """The moment lists show: the end, else the start, else the creation."""
        return self.finished_at or self.started_at or self.created_at

    @property
    def log_hidden(self) -> int:
        """Earlier log lines that are not shown."""
        return max(0, self.log_total - len(self.log))

    @property
    def current(self) -> StageView | None:
        """The stage under way."""
        return next((stage for stage in self.stages if stage.state == "running"), None)

    @property
    def brief(self) -> str:
        """The line for lists with the first sentence alone of a verdict that has many."""
        last = self.stages[-1].detail if self.kind == "pipeline" and self.stages else ""
        first, more, _ = last.partition(". ")
        return self.words.replace(last, f"{first}.") if more else self.words

    @property
    def words(self) -> str:
        """One short line for lists."""
        if self.status == "pending" and self.waits:
            return self.waits
        if self.error:
            return self.error
        if self.current is not None:
            return f"{self.current.title}: {self.current.detail}" if self.current.detail else self.current.title
        if self.status == "pending":
            return "Waits for its turn"
        parts = []
        if self.rows is not None:
            parts.append(formats.counted(self.rows, "row"))
        if self.seconds is not None:
            parts.append(formats.duration(self.seconds))
        last = self.stages[-1].detail if self.kind == "pipeline" and self.stages else ""
        return ", ".join([*parts, last] if last else parts)

    @property
    def sentence(self) -> str:
        """What this run is and how it stands."""
        about = "Copies one table into the warehouse" if self.kind == "etl" else "Trains, compares and deploys"
        if self.cancel_requested and not self.is_over:
            return f"{about}. Stops at the next safe point."
        if self.status == "pending" and self.waits:
            return f"{about}. {self.waits}"
        return f"{about}. Started by {self.trigger}."

    @property
    def cancel_words(self) -> str:
        """What stopping costs, for the confirmation."""
        if self.kind == "etl":
            return "Rows read so far are thrown away. The warehouse table keeps its last complete version."
        return "Nothing new goes into service. The version that answers now keeps answering."

    @property
    def address(self) -> str:
        """The run's page."""
        return self._reverse("")

    @property
    def live_address(self) -> str:
        """The fragment a page under way asks for."""
        return self._reverse("_live")

    @property
    def cancel_address(self) -> str:
        """Where to post a cancellation."""
        return self._reverse("_cancel")

    @property
    def again_address(self) -> str:
        """Where to post a repetition."""
        return self._reverse("_again")

    def _reverse(self, action: str) -> str:
        return reverse(f"{self.kind}_run{action}", args=[self.model_id, self.id])


def present_etl(run: Any, model_id: int) -> RunView:
    """An ETLRun with its ``data_source`` loaded."""
    results = run.results or {}
    view = _present(run, "etl", model_id, run.data_source.name)
    view.rows, view.rows_read, view.rows_rejected = run.rows_loaded, run.rows_read, run.rows_rejected
    view.rows_known = results.get("rows_known")
    view.fraction, view.mending = _fraction(run), mending(run, model_id)
    view.warnings = [str(warning) for warning in results.get("warnings") or ()]
    if results.get("source_count") is not None and results.get("warehouse_count") is not None:
        view.reconciled = bool(results.get("reconciled"))
    if run.rows_rejected and view.status in ("completed", "partial"):
        view.status, view.status_word = "partial", f"{formats.grouped(run.rows_rejected)} rejected"
    elif view.status == "completed" and view.reconciled:
        view.status_word = "Reconciled"
    elif view.fraction is not None and not view.status_word:
        view.status_word = f"Running {view.fraction} %"
    return view


def present_pipeline(run: Any, what: str = "Training") -> RunView:
    """A PipelineRun."""
    view = _present(run, "pipeline", run.model_id, what)
    view.warnings = [str(warning) for warning in (run.results or {}).get("warnings") or ()]
    return view


def etl_facts(run: Any, rejected: str = "") -> list[Fact]:
    """Counters, reconciliation and times of one copy, in the order people ask for them; ``rejected`` is the address of
    the rows it rejected."""
    results = run.results or {}
    facts = [
        Fact("Rows read", formats.grouped(run.rows_read), _of_expected(run)),
        Fact("Rows loaded", formats.grouped(run.rows_loaded)),
        Fact("Rows rejected", formats.grouped(run.rows_rejected), _rejected_note(run), address=rejected),
    ]
    if results.get("rows_known"):
        facts.append(Fact("Read again", formats.grouped(results["rows_known"]), "already in the warehouse"))
    for name, title in (("rows_replaced", "Replaced"), ("rows_deleted", "Deleted"), ("rows_repeated", "Repeated")):
        if results.get(name):
            facts.append(Fact(title, formats.grouped(results[name])))
    if words := counts_in_words(results):
        facts.append(Fact("Source and warehouse", words, counts_told(results)))
    if run.bytes:
        facts.append(Fact("Data read", formats.data_size(run.bytes)))
    rate = numbers_of(run).rows_per_second
    if rate:
        facts.append(Fact("Rate of reading", f"{formats.grouped(round(rate))} rows/s"))
    if results.get("cursor_after"):
        facts.append(Fact("Cursor", str(results["cursor_after"]), mono=True))
    if results.get("changed") is False:
        facts.append(Fact("Outcome", "Nothing new; the table stayed as it was"))
    if results.get("table_version") is not None:
        facts.append(Fact("Table version", str(results["table_version"])))
    if run.coalesced:
        facts.append(Fact("Stands for", f"{formats.grouped(run.coalesced)} more scheduled times"))
    return [*facts, *_what_failed(run), *_times(run)]


def pipeline_facts(run: Any) -> list[Fact]:
    """What one pipeline run made, whether it went into service and why, and its times."""
    results = run.results or {}
    facts = []
    if results.get("version"):
        facts.append(Fact("Version", str(results["version"]), address=reverse("versions", args=[run.model_id])))
        facts.append(
            Fact("In service", "Yes" if results.get("deployed") else "No, the version before it keeps answering")
        )
    facts += [
        Fact("Gate" if not at else "", str(why))
        for at, why in enumerate((results.get("gate") or {}).get("reasons", ()))
    ]
    return [*facts, *_what_failed(run), *_times(run)]


def _what_failed(run: Any) -> list[Fact]:
    """The kind of failure and whose it is to mend, and every attempt when there was more than one."""
    fault = fault_of(run.error_code)
    facts = [] if fault is None else [Fact("Kind of failure", f"{fault.title}.", fault.whose_words)]
    if len(run.attempts) > 1:
        facts += [
            Fact(f"Attempt {view.number}", OUTCOMES.get(view.outcome, view.outcome), view.error)
            for view in attempts_of(run)
        ]
    return facts


def _present(run: Any, kind: str, model_id: int, what: str) -> RunView:
    stopping = run.cancel_requested and run.status not in OVER
    return RunView(
        kind=kind,
        id=run.id,
        model_id=model_id,
        what=what,
        status="cancelling" if stopping else run.status,
        status_word="Stopping" if stopping else "",
        stages=[_stage(stage) for stage in run.stages or ()],
        trigger=_trigger(run),
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        attempt=run.attempt,
        error=run.error or "",
        advice=run.advice or "",
        cancel_requested=run.cancel_requested,
        waits=_waits(run),
    )


def _waits(run: Any) -> str:
    if run.next_attempt_at is None:
        return ""
    wait = (run.next_attempt_at - datetime.now(UTC)).total_seconds()
    when = f"in {formats.duration(round(wait))}" if wait >= 1 else "now"
    return f"Tried again {when}. {run.error}"


def _stage(stage: dict[str, Any]) -> StageView:
    name = stage.get("name", "")
    return StageView(
        name=name,
        title=STAGE_TITLES.get(name, name.replace("_", " ").capitalize()),
        state=stage.get("state", "waiting"),
        detail=stage.get("detail") or "",
        started_at=_moment(stage.get("started_at")),
        seconds=_stage_seconds(stage),
    )


def _stage_seconds(stage: dict[str, Any]) -> float | None:
    if stage.get("seconds") is not None:
        return float(stage["seconds"])
    started, finished = _moment(stage.get("started_at")), _moment(stage.get("finished_at"))
    return (finished - started).total_seconds() if started and finished else None


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _trigger(run: Any) -> str:
    if run.triggered_by == "manual" and run.started_by_id:
        return str(run.started_by.email)
    return TRIGGERS.get(run.triggered_by, str(run.triggered_by))


def _fraction(run: Any) -> int | None:
    if run.status != "running" or not run.rows_expected:
        return None
    return min(99, int(100 * (run.rows_read or 0) / run.rows_expected))


def _of_expected(run: Any) -> str:
    return f"of about {formats.grouped(run.rows_expected)}" if run.rows_expected and run.status == "running" else ""


def _rejected_note(run: Any) -> str:
    if not run.rows_rejected:
        return ""
    if run.error_code == TooManyRejected.code:
        return "nothing was committed; kept with their reasons until a run ends well"
    if run.status not in ("completed", "partial"):
        return "nothing was committed" if run.status in OVER else ""
    return "kept with their reasons beside the table, under the same name ending in __rejected"


def _times(run: Any) -> list[Fact]:
    moments = (("Asked for", run.created_at), ("Started", run.started_at), ("Ended", run.finished_at))
    return [Fact(name, at=moment) for name, moment in moments if moment is not None]
