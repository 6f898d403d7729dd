"""What the page of one model reads. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Min, OuterRef, Q, Subquery, Sum, Value
from django.urls import reverse

from b2b_recs.engine.algorithms.registry import ALGORITHMS
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.datasets.models import Dataset, DatasetVersion
from b2b_recs.web.datasets.readers import as_named, place_in, unfilled_tables
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.traffic import latency_percentile
from b2b_recs.web.etl.models import DataSource, ETLRun
from b2b_recs.web.experiments.models import Experiment, TrainedModel
from b2b_recs.web.monitoring.models import PredictionLog
from b2b_recs.web.projects.lift import METRIC, Lift, held_out_words, label_of, lift_of
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.projects.overview import (
    DataFacts,
    DatasetFacts,
    EndpointFacts,
    FailureFacts,
    ModelFacts,
    Overview,
    SourceFacts,
    kpis_of,
)
from b2b_recs.web.runs.faults import SETTINGS, fault_of
from b2b_recs.web.runs.presenting import RunView, present_etl, present_pipeline
from b2b_recs.web.runs.queries import etl_runs, newest, pipeline_runs
from b2b_recs.web.runs.turns import tell_turns
from b2b_recs.web.training.models import PipelineConfiguration, PipelineRun

RECENT = 6
FAILED_AT = {"dataset": "Dataset", "deploy": "Endpoint"}  # stage of a run → step of the path


ADDRESSES = {
    "try_it": "try_it",
    "etl": "etl",
    "data": "data",
    "connection_new": "connection_new",
    "job_new": "job_new",
    "setup": "model_setup",
    "versions": "versions",
}


def overview(model: ModelEndpoint) -> Overview:
    """Everything the model's page shows, in about ten queries."""
    pipelines = newest(pipeline_runs(model.id), RECENT)
    copies = newest(etl_runs(model.id), 2 * RECENT)
    trained = TrainedModel.objects.filter(model=model).order_by("-number").first()
    data = _data(model)
    endpoint = _endpoint(model)
    found = Overview(
        configured=PipelineConfiguration.objects.filter(model=model).exists(),
        sources=_sources(model),
        data=data,
        dataset=_dataset(model, set(data.tables)),
        trained=_trained(trained),
        endpoint=endpoint,
        lift=_lift(trained, answers=endpoint.number is not None),
        status=model.status,
        addresses={name: reverse(address, args=[model.id]) for name, address in ADDRESSES.items()},
    )
    views = [present_pipeline(run) for run in pipelines]
    views += [present_etl(run, model.id) for run in copies if run.pipeline_run_id is None]
    parts = [present_etl(run, model.id) for run in copies if run.pipeline_run_id is not None]
    tell_turns([*views, *parts])
    found.recent = sorted([*views, *parts], key=_place, reverse=True)[:RECENT]
    found.running = _running(views)
    found.busy = found.running is not None
    found.gate_refusal = _gate_refusal(views)
    found.failure = _failure(pipelines, found.addresses["setup"])
    found.kpis = kpis_of(found)
    return found


def _place(view: RunView) -> tuple[bool, bool, datetime]:
    """What goes on comes first, a training before the copies that were asked for after it and with it."""
    return not view.is_over, not view.is_over and view.kind == "pipeline", view.created_at


def _running(views: Sequence[RunView]) -> RunView | None:
    return next((view for view in views if not view.is_over), None)


def _gate_refusal(views: Sequence[RunView]) -> str:
    last = next((view for view in views if view.kind == "pipeline" and view.is_over), None)
    if last is None or not any(stage.name == "deploy" and stage.state == "skipped" for stage in last.stages):
        return ""
    return last.address


def _failure(runs: Sequence[PipelineRun], setup: str) -> FailureFacts | None:
    """Why the last training failed, when it did; a setting is mended on the page of the settings."""
    last = next((run for run in runs if run.is_over), None)
    if last is None or last.status != PipelineRun.Status.FAILED:
        return None
    view, fault = present_pipeline(last), fault_of(last.error_code)
    stage = next((stage.name for stage in view.stages if stage.state == "failed"), "")
    if stage == "copy":  # the jobs tell how they stand now, also when one has run again since
        return None
    reason = f"{view.error} {view.advice}".strip()
    step = FAILED_AT.get(stage, "Model")
    if step in ("Dataset", "Model") and fault is not None and fault.whose == SETTINGS:
        return FailureFacts(step, reason, "Change the settings", setup, last.finished_at, view.address)
    return FailureFacts(step, reason, "See what happened", view.address, last.finished_at, view.address)


def _sources(model: ModelEndpoint) -> SourceFacts:
    counted = (
        Connection.objects.filter(model=model)
        .order_by()
        .aggregate(
            all=Count("id"),
            refused=Count("id", filter=Q(last_test_status=Connection.TestStatus.FAILED)),
            untested=Count("id", filter=Q(last_test_status=Connection.TestStatus.NEVER)),
        )
    )
    return SourceFacts(counted["all"], counted["refused"], counted["untested"])


def _data(model: ModelEndpoint) -> DataFacts:
    jobs = DataSource.objects.filter(configuration__model=model, draft=False)
    totals = jobs.order_by().aggregate(
        jobs=Count("id"),
        loaded=Count("table__last_synced_at"),
        rows=Sum("table__last_row_count", filter=Q(table__last_synced_at__isnull=False)),
        oldest=Min("table__last_synced_at"),
        places=ArrayAgg(place_in("table__spec"), default=Value([])),
    )
    of_a_job = ETLRun.objects.filter(data_source=OuterRef("id")).order_by("-id")
    failing = list(
        jobs.annotate(last_run=Subquery(of_a_job.values("id")[:1]))
        .filter(last_run__in=ETLRun.objects.filter(status=ETLRun.Status.FAILED).values("id"))
        .order_by("id")
        .values_list("name", "last_run")
    )
    return DataFacts(
        jobs=totals["jobs"],
        loaded=totals["loaded"],
        rows=totals["rows"] or 0,
        oldest_load=totals["oldest"],
        tables=as_named(totals["places"]),
        failing=[name for name, _ in failing],
        failing_address=reverse("etl_run", args=[model.id, failing[0][1]]) if failing else "",
    )


def _dataset(model: ModelEndpoint, filled: set[str]) -> DatasetFacts:
    newest = DatasetVersion.objects.filter(dataset__model=model).select_related("dataset").order_by("-id").first()
    if newest is not None:
        counts = (newest.rows, newest.customers, newest.products)
        unfilled = unfilled_tables(newest.dataset.spec, filled)
        return DatasetFacts(newest.dataset.name, newest.number, *counts, unfilled)
    described = Dataset.objects.filter(model=model).order_by("-id").first()
    return DatasetFacts(described.name) if described else DatasetFacts()


def _trained(trained: TrainedModel | None) -> ModelFacts:
    if trained is None:
        return ModelFacts()
    return ModelFacts(trained.number, title_of(trained.algorithm), trained.status, trained.created_at)


def _endpoint(model: ModelEndpoint) -> EndpointFacts:
    deployment = (
        Deployment.objects.filter(model=model, status=Deployment.Status.ACTIVE).select_related("trained_model").first()
    )
    if deployment is None:
        return EndpointFacts()
    if model.status == ModelEndpoint.Status.ARCHIVED:
        return EndpointFacts(off=True)
    if deployment.stopped:
        return EndpointFacts(stopped=deployment.trained_model.number)
    since = datetime.now(UTC) - timedelta(hours=24)
    windows = PredictionLog.objects.filter(model=model, window_end__gt=since)
    total = windows.order_by().aggregate(requests=Sum("requests"), errors=Sum("errors"))
    latencies = list(windows.values_list("latency__counts", flat=True))
    return EndpointFacts(
        number=deployment.trained_model.number,
        deployed_at=deployment.deployed_at,
        requests=total["requests"] or 0,
        errors=total["errors"] or 0,
        p95_ms=latency_percentile(latencies, 0.95),
        p99_ms=latency_percentile(latencies, 0.99),
    )


def _lift(trained: TrainedModel | None, answers: bool) -> Lift | None:
    if trained is None or trained.pipeline_run_id is None:
        return None
    tried = Experiment.objects.filter(pipeline_run_id=trained.pipeline_run_id)
    measured = [(one.algorithm, title_of(one.algorithm), one.metrics) for one in tried]
    details: dict[str, Any] = trained.metrics if isinstance(trained.metrics, dict) else {}
    live = answers and trained.status == TrainedModel.Status.DEPLOYED
    label = label_of(title_of(trained.algorithm), trained.number, live)
    return lift_of(
        measured,
        trained.algorithm,
        label,
        held_out_words(details),
        details.get("comparisons") or (),
        details.get("headline") or METRIC,
    )


def title_of(algorithm: str) -> str:
    """The name people read for an algorithm; the stored name when it is no longer registered."""
    known = ALGORITHMS.get(algorithm)
    return known.title if known else algorithm.replace("_", " ")
