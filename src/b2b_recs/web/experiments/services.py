"""Registering what a training found. Call inside the organization's scope."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from b2b_recs.engine.training.result import TrainingResult
from b2b_recs.web.datasets.models import DatasetVersion
from b2b_recs.web.experiments.models import Experiment, TrainedModel
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.runs.documents import storable
from b2b_recs.web.training.models import PipelineRun

MICROSECONDS_A_DAY = 86_400_000_000


def register(run: PipelineRun, version: DatasetVersion, result: TrainingResult) -> TrainedModel:
    """One experiment per algorithm and the chosen model as the next version; doing it twice changes nothing."""
    with transaction.atomic():
        model = ModelEndpoint.objects.select_for_update().get(id=run.model_id)
        known = TrainedModel.objects.filter(pipeline_run=run).first()
        if known is not None:
            return known
        for report in result.evaluation.algorithms:
            document = report.model_dump(mode="json")
            chosen = report.algorithm == result.evaluation.chosen
            Experiment.objects.update_or_create(
                organization_id=run.organization_id,
                pipeline_run=run,
                algorithm=report.algorithm,
                defaults={
                    "parameters": report.parameters,
                    "metrics": storable(
                        {
                            **document["metrics"],
                            **{name: document[name] for name in ("validation", "coverage", "skipped", "baseline")},
                        }
                    ),
                    "seconds": report.tuning_seconds + report.fit_seconds + report.evaluation_seconds,
                    "tags": ["chosen"] if chosen else [],
                },
            )
        newest = TrainedModel.objects.filter(model=model).order_by("-number").first()
        trained = TrainedModel.objects.create(
            organization_id=run.organization_id,
            model=model,
            pipeline_run=run,
            dataset_version=version,
            number=newest.number + 1 if newest else 1,
            algorithm=result.evaluation.chosen,
            parameters=result.evaluation.chosen_parameters,
            metrics=storable({**result.metrics, **_details(result)}),
            artifact_id=result.artifact_id,
            status=TrainedModel.Status.BLESSED if result.gate.passed else TrainedModel.Status.CANDIDATE,
            seconds=result.seconds,
            trained_by=run.started_by,
        )
        ModelEndpoint.objects.filter(id=model.id).update(last_trained_at=datetime.now(UTC))
        return trained


def _details(result: TrainingResult) -> dict[str, Any]:
    """What a version keeps beside its figures: what they were measured on, against what, and the verdict."""
    evaluation = result.evaluation.model_dump(mode="json")
    period = result.evaluation.period
    return {
        **{name: evaluation[name] for name in ("headline", "period", "best_on_test", "comparisons")},
        "test_days": round((period.until - period.cut) / MICROSECONDS_A_DAY, 1),
        "test_customers": period.customers,
        "learnt_until": result.learnt_until,
        "evaluation_artifact_id": result.evaluation_artifact_id,
        "gate": result.gate.model_dump(mode="json"),
        "warnings": list(result.warnings),
        "stage_seconds": result.stage_seconds,
    }
