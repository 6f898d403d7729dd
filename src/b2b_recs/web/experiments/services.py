"""Registering what a training found. Call inside the organization's scope."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction

from b2b_recs.engine.training.result import TrainingResult
from b2b_recs.web.datasets.models import DatasetVersion
from b2b_recs.web.experiments.models import Experiment, TrainedModel
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.training.models import PipelineRun


def register(run: PipelineRun, version: DatasetVersion, result: TrainingResult) -> TrainedModel:
    """One experiment per algorithm and the chosen model as the next version; doing it twice changes nothing."""
    with transaction.atomic():
        model = ModelEndpoint.objects.select_for_update().get(id=run.model_id)
        known = TrainedModel.objects.filter(pipeline_run=run).first()
        if known is not None:
            return known
        for report in result.evaluation.algorithms:
            document = report.model_dump(mode="json")
            Experiment.objects.update_or_create(
                organization_id=run.organization_id,
                pipeline_run=run,
                algorithm=report.algorithm,
                defaults={
                    "model": model,
                    "title": report.title,
                    "parameters": report.parameters,
                    "metrics": document,
                    "seconds": report.tuning_seconds + report.fit_seconds + report.evaluation_seconds,
                    "chosen": report.algorithm == result.evaluation.chosen,
                },
            )
        chosen = result.evaluation.report(result.evaluation.chosen)
        newest = TrainedModel.objects.filter(model=model).order_by("-number").first()
        now = datetime.now(UTC)
        trained = TrainedModel.objects.create(
            organization_id=run.organization_id,
            model=model,
            pipeline_run=run,
            dataset_version=version,
            number=newest.number + 1 if newest else 1,
            algorithm=result.evaluation.chosen,
            title=chosen.title if chosen else result.evaluation.chosen,
            parameters=result.evaluation.chosen_parameters,
            metrics=result.model_dump(mode="json", exclude={"gate"}),
            gate=result.gate.model_dump(mode="json"),
            artifact_id=result.artifact_id,
            evaluation_artifact_id=result.evaluation_artifact_id,
            status=TrainedModel.Status.BLESSED if result.gate.passed else TrainedModel.Status.CANDIDATE,
            seconds=result.seconds,
            trained_at=now,
        )
        ModelEndpoint.objects.filter(id=model.id).update(last_trained_at=now)
        return trained
