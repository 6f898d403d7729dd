"""Every figure of a pipeline run in one document, for ``run --json`` and the demo. Call inside the scope."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from b2b_recs.engine.algorithms.registry import ALGORITHMS
from b2b_recs.web.datasets.models import DatasetVersion
from b2b_recs.web.deployments.services import active_deployment
from b2b_recs.web.experiments.models import Experiment, TrainedModel
from b2b_recs.web.training.models import PipelineRun


def summarise(run: PipelineRun) -> dict[str, Any]:
    """Model, jobs, dataset, algorithms with their metrics and intervals, version, gate and deployment."""
    trained = TrainedModel.objects.filter(pipeline_run=run).select_related("dataset_version__dataset").first()
    active = active_deployment(run.model)
    return {
        "model": {"id": run.model_id, "name": run.model.name, "currency": run.model.currency},
        "pipeline_run": {
            "id": run.id,
            "status": run.status,
            "seconds": run.seconds,
            "stages": run.stages,
            "error_code": run.error_code,
            "error": run.error,
            "advice": run.advice,
        },
        "jobs": [_job(copy) for copy in run.etl_runs.select_related("data_source__table").order_by("id")],
        "dataset": _dataset(run),
        "algorithms": [_algorithm(one) for one in Experiment.objects.filter(pipeline_run=run).order_by("id")],
        "model_version": _version(trained) if trained else None,
        "deployment": {
            "deployed": bool(run.results.get("deployed")),
            "gate": run.results.get("gate"),
            "serving": {
                "version": f"v{active.trained_model.number}",
                "url": settings.SERVING_URL,
                "recommend": f"{settings.SERVING_URL}/recommend",
                "artifact_id": active.artifact_id,
            }
            if active
            else None,
        },
    }


def _job(copy: Any) -> dict[str, Any]:
    result = copy.results or {}
    spec = copy.data_source.table.spec
    return {
        "name": copy.data_source.name,
        "table": f"{spec['source_schema']}.{spec['source_table']}",
        "destination": spec["destination_table"],
        "status": copy.status,
        "rows_read": copy.rows_read,
        "rows_loaded": copy.rows_loaded,
        "rows_rejected": copy.rows_rejected,
        "source_count": result.get("source_count"),
        "warehouse_count": result.get("warehouse_count"),
        "reconciled": bool(result.get("reconciled")),
        "changed": result.get("changed"),
        "table_version": result.get("table_version"),
        "bytes": copy.bytes,
        "seconds": result.get("seconds") or 0.0,
        "attempts": copy.attempt,
        "error_code": copy.error_code,
        "error": copy.error,
        "advice": copy.advice,
    }


def _dataset(run: PipelineRun) -> dict[str, Any] | None:
    version = DatasetVersion.objects.filter(id=run.results.get("dataset_version_id")).select_related("dataset").first()
    if version is None:
        return None
    return {
        "name": version.dataset.name,
        "version": version.number,
        "fingerprint": version.fingerprint,
        "table_versions": version.table_versions,
        "rows": version.rows,
        "customers": version.customers,
        "products": version.products,
        "first_at": version.first_at,
        "last_at": version.last_at,
        "steps": version.steps,
        "quality": version.quality,
    }


def _algorithm(one: Experiment) -> dict[str, Any]:
    known = ALGORITHMS.get(one.algorithm)
    return {
        "algorithm": one.algorithm,
        "title": known.title if known else one.algorithm,
        "chosen": "chosen" in one.tags,
        "parameters": one.parameters,
        "seconds": one.seconds,
        "metrics": one.metrics,
    }


def _version(trained: TrainedModel) -> dict[str, Any]:
    known = ALGORITHMS.get(trained.algorithm)
    return {
        "version": f"v{trained.number}",
        "algorithm": trained.algorithm,
        "title": known.title if known else trained.algorithm,
        "parameters": trained.parameters,
        "status": trained.status,
        "artifact_id": trained.artifact_id,
        "metrics": trained.metrics,
        "seconds": trained.seconds,
    }
