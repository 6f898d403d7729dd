"""Deleting a warehouse table, and what holds it. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.http import Http404
from django.urls import reverse

from b2b_recs.web.accounts.models import User
from b2b_recs.web.conflicts import InUse, ModelArchived
from b2b_recs.web.datasets.models import Dataset
from b2b_recs.web.datasets.overview import uses
from b2b_recs.web.datasets.tables import WarehouseTable, table_or_404
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.projects.removing import note_table
from b2b_recs.web.training.models import PipelineRun


@dataclass(frozen=True)
class Holder:
    """Something that still needs a table: the sentence around its name, and its page."""

    before: str
    name: str
    after: str
    address: str

    @property
    def words(self) -> str:
        """The whole sentence."""
        return f"{self.before} {self.name} {self.after}"


def holders_of(one: WarehouseTable) -> list[Holder]:
    """Everything that still needs the table: the job that fills it, datasets, the version in service, trainings."""
    return list(_holders(one))


def delete_table(model: ModelEndpoint, slug: str, user: User | None = None) -> str:
    """Delete a loaded table with its rejected rows and every version; returns its name.

    It leaves the warehouse when the transaction commits. Raises InUse naming what holds it, ModelArchived, TableBusy
    while a run writes to it, and Http404.
    """
    with transaction.atomic():
        model = ModelEndpoint.objects.select_for_update().get(id=model.id)
        one = table_or_404(model, slug)
        if model.status == ModelEndpoint.Status.ARCHIVED:
            raise ModelArchived(model.name)
        holders = holders_of(one)
        if holders:
            words = " ".join(holder.words for holder in holders)
            raise InUse(
                f"The table {one.slug} is in use. {words}", field="table", advice="Delete or change these first."
            )
        if not one.loaded:
            raise Http404
        with one.table.lock():
            note_table(model, one.table, one.slug, user)
    return one.slug


def _holders(one: WarehouseTable) -> Iterator[Holder]:
    model = one.model_id
    if one.filler is not None:
        yield Holder(
            "The job", f"“{one.filler.name}”", "writes to it.", reverse("job", args=[model, one.filler.job_id])
        )
    for dataset in Dataset.objects.filter(model_id=model):
        if uses(dataset.spec, one):
            yield Holder("The dataset", f"“{dataset.name}”", "reads it.", reverse("model_setup", args=[model]))
    current = Deployment.objects.filter(model_id=model, status=Deployment.Status.ACTIVE)
    serving = current.select_related("trained_model__dataset_version").first()
    if serving is not None:
        data = serving.trained_model.dataset_version
        if data is not None and {one.slug, one.name} & set(data.table_versions):
            number = f"v{serving.trained_model.number}"
            yield Holder("The version", number, "in service was trained on it.", reverse("versions", args=[model]))
    training = PipelineRun.objects.filter(model_id=model, status__in=PipelineRun.ACTIVE).first()
    if training is not None:
        address = reverse("pipeline_run", args=[model, training.id])
        yield Holder("A", "training", "is under way and may read it.", address)
