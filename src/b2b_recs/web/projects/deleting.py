"""Deleting a model with everything it has, and why not. Call inside the organization's scope."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from b2b_recs.engine.counting import counted
from b2b_recs.engine.errors import BadInput
from b2b_recs.web.accounts.models import ApiKey, User
from b2b_recs.web.conflicts import Conflict
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.connections.services import forget_connection
from b2b_recs.web.datasets.models import Dataset
from b2b_recs.web.datasets.tables import warehouse_tables
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.pointers import withdraw_pointer
from b2b_recs.web.etl.models import DataSource, ETLRun
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.monitoring.models import PredictionLog
from b2b_recs.web.projects.models import ModelEndpoint, Schedule
from b2b_recs.web.projects.removing import note_model
from b2b_recs.web.projects.states import runs_under_way
from b2b_recs.web.runs.forgetting import forget_logs
from b2b_recs.web.training.models import PipelineRun

Status = ModelEndpoint.Status


class DeletionRefused(Conflict):
    """The model cannot be deleted as things are."""

    code = "deletion_refused"


def refusal_of(model: ModelEndpoint) -> DeletionRefused | None:
    """Why the model cannot be deleted now; None when it can."""
    name = f"“{model.name}”"
    if runs := runs_under_way(model):
        words = f"{counted(runs, 'run')} of {name} {'has' if runs == 1 else 'have'} not ended."
        return DeletionRefused(
            words, field="model", advice="Wait for the end or stop them, archive it, then delete it."
        )
    if model.status == Status.ARCHIVED:
        return None
    if model.status == Status.ACTIVE:
        advice = "Pause it, so that its schedules rest; archive it, so that nothing answers; then delete it."
        return DeletionRefused(f"{name} is active.", field="model", advice=advice)
    words = f"{name} is {'a draft' if model.status == Status.DRAFT else 'paused'}."
    return DeletionRefused(words, field="model", advice="Archive it first, then delete it.")


def losses_of(model: ModelEndpoint) -> list[str]:
    """What goes with the model, in words."""
    loaded = sum(1 for one in warehouse_tables(model) if one.loaded)
    runs = ETLRun.objects.filter(data_source__configuration__model=model).count()
    runs += PipelineRun.objects.filter(model=model).count()
    found = [
        (
            Connection.objects.filter(model=model).count(),
            "connection",
            " with its credentials",
            " with their credentials",
        ),
        (DataSource.objects.filter(configuration__model=model).count(), "job", "", ""),
        (loaded, "warehouse table", " with every row", " with every row"),
        (Dataset.objects.filter(model=model).count(), "dataset", "", ""),
        (TrainedModel.objects.filter(model=model).count(), "trained version", "", ""),
        (runs, "run", " of its history", " of its history"),
        (ApiKey.objects.filter(model=model).count(), "API key", " made for it", " made for it"),
    ]
    return [f"{counted(number, noun)}{one if number == 1 else many}" for number, noun, one, many in found if number]


def delete_model(model_id: int, typed: str, user: User | None = None) -> str:
    """Delete an archived model whose name was typed, and everything it has; returns its name.

    The files go after the database: at once out of the warehouse, soon off the disk. Raises DeletionRefused, and
    BadInput for another name.
    """
    with transaction.atomic():
        model = ModelEndpoint.objects.select_for_update().get(id=model_id)
        refusal = refusal_of(model)
        if refusal is not None:
            raise refusal
        if typed.strip() != model.name:
            raise BadInput(f"The name is “{model.name}”.", field="name", advice="Type it as it is written.")
        jobs = list(DataSource.objects.filter(configuration__model=model).values_list("id", flat=True))
        note_model(model, _artifacts(model), jobs, user)
        of_jobs = Q(target_kind=Schedule.Target.ETL, target_id__in=jobs)
        Schedule.objects.filter(of_jobs | Q(target_kind=Schedule.Target.PIPELINE, target_id=model.id)).delete()
        forget_logs(ETLRun.objects.filter(data_source__in=jobs))
        forget_logs(PipelineRun.objects.filter(model=model))
        # what others point to goes after those: the rest follows the model by itself
        for rows in (PredictionLog, Deployment, TrainedModel):
            rows.objects.filter(model=model).delete()
        DataSource.objects.filter(id__in=jobs).delete()
        for connection in Connection.objects.filter(model=model):
            forget_connection(connection)
        name: str = model.name
        model.delete()
        transaction.on_commit(lambda: withdraw_pointer(model_id), robust=True)
    return name


def _artifacts(model: ModelEndpoint) -> list[str]:
    """The ids of everything its trainings wrote."""
    rows = TrainedModel.objects.filter(model=model).values_list("artifact_id", "metrics__evaluation_artifact_id")
    return sorted({str(one) for row in rows for one in row if one})
