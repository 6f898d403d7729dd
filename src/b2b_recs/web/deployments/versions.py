"""The trained versions of a model and which of them answers, as its page shows them. Call inside the scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Max, Q, QuerySet
from django.urls import reverse

from b2b_recs.engine.algorithms.registry import ALGORITHMS
from b2b_recs.engine.evaluation.metrics import metric_title
from b2b_recs.web.datasets.tables import address_of
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.service_history import Happening, history_of
from b2b_recs.web.deployments.services import active_deployment
from b2b_recs.web.deployments.switching import before_current, verdict_of
from b2b_recs.web.experiments.models import Experiment, TrainedModel
from b2b_recs.web.projects.lift import METRIC, Figure, choice_words, figure_of
from b2b_recs.web.projects.model_queries import title_of
from b2b_recs.web.projects.models import ModelEndpoint

PER_PAGE = 20
HISTORY = 10


@dataclass(frozen=True)
class Table:
    """A warehouse table a version learnt from, as it was then."""

    name: str
    version: int
    address: str


@dataclass(frozen=True)
class Period:
    """On which orders a version was measured: those after ``cut``, the last ``until``.

    ``learnt_until`` is the last order the version that answers learnt from; None when that was not noted.
    """

    cut: datetime
    until: datetime
    learnt_until: datetime | None

    @property
    def refitted(self) -> bool:
        """Whether the version learnt from the orders of the test too, once a copy without them had been measured."""
        return self.learnt_until is not None and self.learnt_until >= self.cut

    @classmethod
    def of(cls, metrics: Mapping[str, Any]) -> Period | None:
        """The period as a training noted it; None when it did not."""
        noted = metrics.get("period")
        if not isinstance(noted, Mapping) or not {"cut", "until"} <= noted.keys():
            return None
        learnt = metrics.get("learnt_until")
        return cls(moment_of(noted["cut"]), moment_of(noted["until"]), moment_of(learnt) if learnt else None)


@dataclass(frozen=True)
class Version:
    """One trained version: when, from what, how good, what the gate said, whether it answers."""

    of: TrainedModel
    title: str
    metric: str
    figure: Figure | None
    period: Period | None
    passed: bool
    reasons: tuple[str, ...]
    tables: list[Table]
    in_service: bool
    served_until: datetime | None
    choice: str  # why not the algorithm with the best figure of its training was chosen; empty when it was

    @property
    def name(self) -> str:
        """As people call it."""
        return f"v{self.of.number}"

    @property
    def run_address(self) -> str:
        """The page of the training; empty when it is gone."""
        run = self.of.pipeline_run_id
        return reverse("pipeline_run", args=[self.of.model_id, run]) if run else ""

    @property
    def put_words(self) -> str:
        """What putting it into service does, for the question before it; first what the gate said against it."""
        change = f"{self.name} answers every request from now on. You can roll back."
        if self.passed:
            return change
        said = " ".join(self.reasons)
        return f"The gate did not pass {self.name}: {said} If it goes into service all the same, {change}"


@dataclass(frozen=True)
class Service:
    """What answers now, and where a roll back leads."""

    of: Deployment
    before: Deployment | None
    silent: bool  # the model is archived

    @property
    def name(self) -> str:
        """The version that is in service."""
        return f"v{self.of.trained_model.number}"

    @property
    def before_name(self) -> str:
        """The version a roll back puts into service; empty when there is none."""
        return f"v{self.before.trained_model.number}" if self.before else ""

    @property
    def no_way_back(self) -> str:
        """Why there is no roll back; empty when there is one."""
        if self.before is not None:
            return ""
        return f"There is no roll back: {self.name} is the first version that was ever in service."

    @property
    def stopped(self) -> bool:
        """Whether it was stopped by hand."""
        return self.of.stopped


@dataclass(frozen=True)
class Versions:
    """One page of versions with what it was narrowed by; ``all`` is how many there are."""

    page: Page[Any]
    query: str
    all: int
    service: Service | None
    history: list[Happening]
    headline: str
    rests: str  # why nothing can be put into service now; empty when it can

    @property
    def measures(self) -> list[str]:
        """What the versions shown were measured by."""
        return list(dict.fromkeys(one.metric for one in self.page.object_list if one.figure))


def versions_of(model: ModelEndpoint, query: str, page: str | int, per_page: int = PER_PAGE) -> Versions:
    """The versions of a model, the newest first; ten queries at most, whatever their number."""
    every = TrainedModel.objects.filter(model=model)
    rows = _found(every, query).select_related("dataset_version__dataset", "trained_by").order_by("-number")
    shown = Paginator(rows, per_page).get_page(page)
    current = active_deployment(model)
    service = _service(model, current)
    shown.object_list = _present(list(shown.object_list), current)
    return Versions(shown, query, every.count(), service, history_of(model, HISTORY), _headline(service), rests(model))


def version_of(trained: TrainedModel) -> Version:
    """One version, with its dataset loaded."""
    return _present([trained], active_deployment(trained.model))[0]


def rests(model: ModelEndpoint) -> str:
    """Why no other version can be put into service now; empty when one can."""
    if model.status == ModelEndpoint.Status.ARCHIVED:
        return "The model is archived: nothing of it answers. Restore it on its page first."
    if model.status == ModelEndpoint.Status.PAUSED:
        return "The model is paused, so no other version goes into service. Resume it on its page to change that."
    return ""


def _found(rows: QuerySet[TrainedModel], query: str) -> QuerySet[TrainedModel]:
    if not query:
        return rows
    number = query.lower().removeprefix("v")
    called = [name for name, one in ALGORITHMS.items() if query.casefold() in one.title.casefold()]
    wanted = Q(algorithm__in=called) | Q(dataset_version__dataset__name__icontains=query)
    if number.isascii() and number.isdecimal() and len(number) < 10:
        wanted |= Q(number=int(number))
    return rows.filter(wanted)


def _present(rows: list[TrainedModel], current: Deployment | None) -> list[Version]:
    served = Deployment.objects.filter(trained_model__in=rows).order_by()
    last = dict(served.values_list("trained_model_id").annotate(at=Max("deactivated_at")))
    tried: dict[int, list[tuple[str, str, Any]]] = {}
    experiments = Experiment.objects.filter(pipeline_run_id__in={one.pipeline_run_id for one in rows}).order_by("id")
    for run, algorithm, metrics in experiments.values_list("pipeline_run_id", "algorithm", "metrics"):
        tried.setdefault(run, []).append((algorithm, title_of(algorithm), metrics))
    return [_version(one, current, last.get(one.id), tried.get(one.pipeline_run_id or 0, ())) for one in rows]


def _version(
    trained: TrainedModel,
    current: Deployment | None,
    served_until: datetime | None,
    tried: Sequence[tuple[str, str, Any]],
) -> Version:
    metrics = trained.metrics if isinstance(trained.metrics, dict) else {}
    headline = str(metrics.get("headline") or METRIC)
    passed, reasons = verdict_of(trained)
    data = trained.dataset_version
    tables = [
        Table(name, number, address_of(trained.model_id, {"destination_table": name}))
        for name, number in sorted((data.table_versions if data else {}).items())
    ]
    return Version(
        of=trained,
        title=title_of(trained.algorithm),
        metric=metric_title(headline),
        figure=figure_of(metrics, metric=headline),
        period=Period.of(metrics),
        passed=passed,
        reasons=reasons,
        tables=tables,
        in_service=current is not None and current.trained_model_id == trained.id,
        served_until=served_until,
        choice=choice_words(tried, trained.algorithm, headline, headline),
    )


def moment_of(microseconds: float) -> datetime:
    """The moment so many microseconds after 1970-01-01 UTC."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)


def _service(model: ModelEndpoint, current: Deployment | None) -> Service | None:
    if current is None:
        return None
    return Service(current, before_current(model), model.status == ModelEndpoint.Status.ARCHIVED)


def _headline(service: Service | None) -> str:
    if service is None:
        return "Every training makes a version. None is in service yet."
    if service.silent:
        return f"{service.name} is kept in service; the model is archived, so nothing answers."
    if service.stopped:
        return f"{service.name} was stopped: nothing answers until it is started again."
    return f"{service.name} answers."
