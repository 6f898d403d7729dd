"""The state of a model from its sources to its endpoint, in words and dots; knows no database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from b2b_recs.engine.counting import counted
from b2b_recs.web.projects.lift import Lift
from b2b_recs.web.runs.presenting import RunView
from b2b_recs.web.ui.formats import grouped

# step → its page, what is there, and whether only editors may open it
PAGES = {
    "Sources": ("etl", "Connections and jobs", False),
    "Data": ("data", "The tables in the warehouse", False),
    "Dataset": ("setup", "Change which columns mean what", True),
    "Model": ("versions", "The versions of this model", False),
    "Endpoint": ("try_it", "Try it", False),
}


@dataclass
class Step:
    """One step of the path. ``look`` is the dot, ``state`` the same in words; ``next`` marks the one to act on.

    ``address`` is where the advice leads; ``link`` is the page of the step, ``title`` says what is there, and
    ``editors`` whether only they may open it.
    """

    name: str
    look: str
    state: str
    words: str
    at: datetime | None = None
    advice: str = ""
    address: str = ""
    link: str = ""
    title: str = ""
    editors: bool = False
    next: bool = False


@dataclass(frozen=True)
class Kpi:
    """A number that is true now, with its note."""

    name: str
    value: str
    note: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class SourceFacts:
    """Connections and how their last tests ended."""

    connections: int = 0
    refused: int = 0
    untested: int = 0


@dataclass(frozen=True)
class DataFacts:
    """Jobs, what they loaded and how the last copies ended."""

    jobs: int = 0
    loaded: int = 0
    rows: int = 0
    oldest_load: datetime | None = None
    tables: Collection[str] = ()  # that jobs fill, as datasets name them
    failing: Sequence[str] = ()
    failing_address: str = ""


@dataclass(frozen=True)
class DatasetFacts:
    """The newest version of the newest dataset."""

    name: str = ""
    version: int | None = None
    rows: int = 0
    customers: int = 0
    products: int = 0
    unfilled: Sequence[str] = ()  # tables it reads that no job fills


@dataclass(frozen=True)
class ModelFacts:
    """The newest trained model."""

    number: int | None = None
    algorithm: str = ""
    status: str = ""
    trained_at: datetime | None = None


@dataclass(frozen=True)
class EndpointFacts:
    """What answers, and how it did over the last day."""

    number: int | None = None
    deployed_at: datetime | None = None
    requests: int = 0
    errors: int = 0
    p95_ms: float | None = None
    p99_ms: float | None = None
    off: bool = False
    stopped: int | None = None  # the version that was stopped by hand


@dataclass(frozen=True)
class FailureFacts:
    """The last training, which failed: at which step of the path, why, where that can be mended, and its page."""

    step: str
    reason: str
    advice: str
    address: str
    at: datetime | None = None
    run: str = ""


@dataclass
class Overview:
    """Everything the model's dashboard shows."""

    configured: bool
    sources: SourceFacts
    data: DataFacts
    dataset: DatasetFacts
    trained: ModelFacts
    endpoint: EndpointFacts
    running: RunView | None = None
    busy: bool = False
    recent: list[RunView] = field(default_factory=list)
    lift: Lift | None = None
    kpis: list[Kpi] = field(default_factory=list)
    gate_refusal: str = ""
    failure: FailureFacts | None = None
    status: str = ""
    addresses: dict[str, str] = field(default_factory=dict)

    @property
    def nothing_yet(self) -> bool:
        """Whether the model is still an empty shell."""
        return not (self.sources.connections or self.data.jobs or self.configured or self.recent)

    @property
    def jobs(self) -> int:
        """How many jobs a full run copies."""
        return self.data.jobs

    @property
    def has_data(self) -> bool:
        """Whether there is anything in the warehouse to train on."""
        return self.data.loaded > 0

    @property
    def deployed(self) -> bool:
        """Whether an endpoint answers."""
        return self.endpoint.number is not None

    @property
    def badge(self) -> tuple[str, str]:
        """The state of the model beside its name, and its word where that is not the usual one."""
        if self.status == "active" and self.endpoint.stopped is not None:
            return "paused", "Stopped"
        return self.status, ""

    @property
    def headline(self) -> str:
        """The one sentence under the title."""
        if self.status == "archived":
            return "Archived: nothing of it runs, and its endpoint is off."
        if self.nothing_yet:
            return "Nothing is connected yet."
        if self.running is not None:
            stage = self.running.words.rstrip(".")  # empty while none has begun
            return f"{self.running.what} is under way{': ' if stage else ''}{stage}."
        resting = " Its schedules rest." if self.status == "paused" else ""
        if self.endpoint.stopped is not None:
            stopped = f"v{self.endpoint.stopped} was stopped: nothing answers until it is started again."
            return f"{stopped}{self._figures_of(self.endpoint.stopped)}{resting}"
        if not self.deployed:
            return "Nothing answers yet. The marked step is the next one."
        verdict = f" {self.lift.verdict}" if self.lift and self.lift.verdict else ""
        return f"v{self.endpoint.number} answers.{self._figures_of(self.endpoint.number) or verdict}{resting}"

    def _figures_of(self, number: int | None) -> str:
        """Which version was measured, where that is another than the one in service."""
        if self.lift is None or self.trained.number == number:
            return ""
        return f" The figures below are those of v{self.trained.number}, the newest version."

    @property
    def steps(self) -> list[Step]:
        """Sources → Data → Dataset → Model → Endpoint; the first that is not well is marked as next.

        What was stopped by hand comes before anything else.
        """
        steps = [self._sources(), self._data(), self._dataset(), self._model(), self._endpoint()]
        if self.failure is not None and self.running is None:
            _mark_failed(next(step for step in steps if step.name == self.failure.step), self.failure)
        for step in steps:
            self._link(step)
        busy = self._busy_step()
        for step in steps:
            if step.name == busy:
                step.look, step.state = "busy", "under way"
        unwell = [step for step in steps if step.look in ("bad", "none", "warn")]
        if self.endpoint.stopped is not None:
            unwell = steps[-1:]
        marked = next((step for step in steps if step.look == "busy"), None) or next(iter(unwell), steps[-1])
        marked.next = True
        if marked.look == "busy" or self.status == "archived":
            marked.advice = ""
        return steps

    def _link(self, step: Step) -> None:
        """Lead to the page of a step, once there is something on it."""
        there = {
            "Sources": self.sources.connections,
            "Data": self.data.loaded,
            "Dataset": self.dataset.name,
            "Model": self.trained.number,
            "Endpoint": self.deployed,
        }
        address, step.title, step.editors = PAGES[step.name]
        if there[step.name]:
            step.link = self.addresses.get(address, "")

    @property
    def _run(self) -> str:
        return "Press Run all" if self.configured else "Run the jobs"

    @property
    def _run_address(self) -> str:
        return "" if self.configured else self.addresses.get("etl", "")

    def _busy_step(self) -> str:
        if self.running is None:
            return ""
        if self.running.kind == "etl":
            return "Data"
        current = self.running.current
        return {"copy": "Data", "dataset": "Dataset", "deploy": "Endpoint"}.get(
            current.name if current else "copy", "Model"
        )

    def _sources(self) -> Step:
        facts = self.sources
        if not facts.connections:
            address = self.addresses.get("connection_new", "")
            return Step("Sources", "none", "missing", "No connection", None, "Connect a source", address)
        words = counted(facts.connections, "connection")
        if facts.refused:
            refused, address = f"{words}, {grouped(facts.refused)} refused", self.addresses.get("etl", "")
            return Step("Sources", "bad", "refused", refused, None, "See what it said", address)
        if facts.untested == facts.connections:
            look, address = "ok" if self.has_data else "none", "" if self.configured else self.addresses.get("etl", "")
            return Step("Sources", look, "never tested", words, None, self._run if self.configured else "Test", address)
        return Step("Sources", "ok", "works", words)

    def _data(self) -> Step:
        facts = self.data
        if not facts.jobs:
            address = self.addresses.get("job_new", "")
            return Step("Data", "none", "missing", "No job", None, "Choose a table to copy", address)
        if facts.failing:
            words = (
                f"{facts.failing[0]} failed"
                if len(facts.failing) == 1
                else f"{counted(len(facts.failing), 'job')} failed"
            )
            return Step("Data", "bad", "failed", words, None, "See what it said", facts.failing_address)
        if not facts.loaded:
            return Step("Data", "none", "empty", "Nothing copied yet", None, self._run, self._run_address)
        if facts.loaded < facts.jobs:
            words = f"{facts.loaded} of {counted(facts.jobs, 'table')} copied"
            return Step("Data", "warn", "incomplete", words, None, self._run, self._run_address)
        return Step("Data", "ok", "loaded", counted(facts.rows, "row"), facts.oldest_load)

    def _dataset(self) -> Step:
        facts = self.dataset
        if not facts.name:
            address = self.addresses.get("setup", "") if self.has_data else ""
            advice = "Say which columns mean what" if self.has_data else "Comes after the data"
            return Step("Dataset", "none", "missing", "Not described", None, advice, address)
        if facts.version is None:
            words = f"{facts.name}, never built"
            return Step("Dataset", "none", "never built", words, advice=self._run)
        if facts.unfilled and self.has_data:
            words = f"{facts.name} reads {' and '.join(facts.unfilled)}, which no job fills"
            return Step("Dataset", "warn", "gets no new rows", words, None, "Choose its tables", self._setup_address)
        words = f"{facts.name} v{facts.version}, {counted(facts.rows, 'row')}"
        return Step("Dataset", "ok", "built", words)

    @property
    def _setup_address(self) -> str:
        return self.addresses.get("setup", "")

    def _model(self) -> Step:
        facts = self.trained
        if facts.number is None:
            advice = "Press Train now" if self.has_data and self.configured else "Comes after the data"
            return Step("Model", "none", "not trained", "Not trained", advice=advice)
        return Step("Model", "ok", "trained", f"v{facts.number}, {facts.algorithm}", facts.trained_at)

    def _endpoint(self) -> Step:
        facts = self.endpoint
        if facts.off:
            return Step("Endpoint", "none", "switched off", "Off, the model is archived")
        if facts.stopped is not None:
            words, address = f"v{facts.stopped} stopped by hand", self.addresses.get("versions", "")
            return Step("Endpoint", "warn", "stopped", words, None, "Start it again", address)
        if facts.number is None:
            if self.gate_refusal:
                return Step(
                    "Endpoint", "warn", "refused by the gate", "The gate refused", None, "See why", self.gate_refusal
                )
            return Step("Endpoint", "none", "nothing deployed", "Nothing deployed", advice="Comes after the model")
        words = f"v{facts.number} live"
        if facts.p95_ms is not None:
            words += f", p95 {facts.p95_ms:.1f} ms"
        if facts.requests:
            words += f", {counted(facts.errors, 'error')}"
        look = "warn" if facts.errors and facts.errors > 0.01 * facts.requests else "ok"
        return Step("Endpoint", look, "live", words, advice="Try it", address=self.addresses.get("try_it", ""))


def _mark_failed(step: Step, failure: FailureFacts) -> None:
    """Say of a step that the last training failed there; what it says of a failure of its own stays."""
    if step.look != "bad":
        step.look, step.state, step.words, step.at = "bad", "failed", "The last training failed", failure.at
        step.advice, step.address = failure.advice, failure.address


def kpis_of(overview: Overview) -> list[Kpi]:
    """Cards with numbers that exist; none is shown before it can be true."""
    found = []
    endpoint, data = overview.endpoint, overview.data
    if overview.deployed:
        note = (
            f"{grouped(endpoint.errors)} failed"
            if endpoint.errors
            else "none failed"
            if endpoint.requests
            else "nobody asked"
        )
        found.append(Kpi("Requests, last 24 h", grouped(endpoint.requests), note))
    if endpoint.p95_ms is not None:
        note = f"p99 {endpoint.p99_ms:.1f} ms, last 24 h" if endpoint.p99_ms is not None else "last 24 h"
        found.append(Kpi("p95 latency", f"{endpoint.p95_ms:.1f} ms", note))
    if overview.lift is not None:
        found.append(Kpi(f"{overview.lift.metric} of v{overview.trained.number}", *overview.lift.headline))
    if data.loaded and data.oldest_load is not None:
        found.append(Kpi("Rows in the warehouse", grouped(data.rows), "oldest table loaded ", data.oldest_load))
    if overview.dataset.version is not None and len(found) < 4:
        note = counted(overview.dataset.products, "product")
        found.append(Kpi("Customers known", grouped(overview.dataset.customers), note))
    return found


def algorithm_title(name: str, titles: dict[str, Any]) -> str:
    """The name people read for an algorithm."""
    return str(titles.get(name, name.replace("_", " ")))
