"""What a row of the audit is called, also when it is gone, and which rows some words mean.

Names come from the event tables: the last one a row had.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import BigIntegerField, Case, Expression, F, Func, OuterRef, Q, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, NullIf

from b2b_recs.engine.algorithms.registry import ALGORITHMS
from b2b_recs.web.accounts.models import User
from b2b_recs.web.audit.once_called import Words
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.datasets.models import Dataset
from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.projects.models import ModelEndpoint, Schedule

Finder = Callable[[Words], Q]


def event_of(model: type[models.Model]) -> Any:
    """The event table's model of an audited model."""
    return apps.get_model(model._meta.app_label, f"{model.__name__}Event")


def latest(model: type[models.Model], key: str, column: str = "name") -> Expression:
    """The last known name of the row whose id is in ``key``, also when the row is gone."""
    rows = event_of(model).objects.filter(pgh_obj_id=OuterRef(key)).order_by("-pgh_id")
    return Coalesce(Subquery(rows.values(column)[:1]), Value(""), output_field=TextField())


def person(key: str) -> Expression:
    """Name or address of the user whose id is in ``key``."""
    found = User.objects.filter(id=OuterRef(key))
    called = Coalesce(NullIf("full_name", Value("")), "email", output_field=TextField())
    return Coalesce(Subquery(found.values_list(called)[:1]), Value("a deleted account"), output_field=TextField())


def of_model() -> Expression:
    """The name of the recommendation model a row belongs to."""
    return latest(ModelEndpoint, "model_id")


def of_version() -> Expression:
    """The number of the trained version a deployment serves."""
    rows = event_of(TrainedModel).objects.filter(pgh_obj_id=OuterRef("trained_model_id")).order_by("-pgh_id")
    return Subquery(rows.values("number")[:1])


def of_algorithm() -> Expression:
    """The algorithm of an experiment as people call it."""
    known = [When(algorithm=name, then=Value(kind.title)) for name, kind in ALGORITHMS.items()]
    return Case(*known, default=F("algorithm"), output_field=TextField())


def of_secret() -> Expression:
    """The connection a sealed secret belongs to, else the name it was stored under."""
    number = Cast(Func(OuterRef("name"), Value("-connection-([0-9]+)-"), function="substring"), BigIntegerField())
    rows = event_of(Connection).objects.filter(pgh_obj_id=number).order_by("-pgh_id")
    plain = Func(F("name"), Value("^secrets/"), Value(""), function="regexp_replace")
    return Coalesce(Subquery(rows.values("name")[:1]), plain, output_field=TextField())


def of_job() -> Expression:
    """The name of the job a row belongs to."""
    return latest(DataSource, "data_source_id")


def model_of_job(key: str) -> Callable[[], Expression]:
    """Makes the name of the model of the job whose id is in ``key``; empty once the job is gone."""

    def name() -> Expression:
        found = DataSource.objects.filter(id=OuterRef(key)).values("configuration__model__name")
        return Coalesce(Subquery(found[:1]), Value(""), output_field=TextField())

    return name


def of_schedule() -> Expression:
    """The name of the job or model that a schedule runs."""
    job = When(target_kind=Schedule.Target.ETL, then=latest(DataSource, "target_id"))
    return Case(job, default=latest(ModelEndpoint, "target_id"), output_field=TextField())


def own(column: str) -> Finder:
    """Makes the condition of a column of the event itself."""
    return lambda words: Q(**{f"{column}__icontains": words.text})


def in_model(words: Words) -> Q:
    """Events of rows whose model is or was called so."""
    return Q(model_id__in=words.ids_of(ModelEndpoint))


def own_or_in_model(words: Words) -> Q:
    """Events of rows that are called so, or whose model is."""
    return Q(name__icontains=words.text) | in_model(words)


def in_job(key: str) -> Finder:
    """Makes the condition of rows whose job is or was called so, or is of a model called so."""

    def condition(words: Words) -> Q:
        of_models = DataSource.objects.filter(configuration__model__name__icontains=words.text).order_by().values("id")
        return Q(**{f"{key}__in": words.ids_of(DataSource)}) | Q(**{f"{key}__in": of_models})

    return condition


def of_target(words: Words) -> Q:
    """Events of schedules of a job or model called so."""
    jobs = Q(target_kind=Schedule.Target.ETL, target_id__in=words.ids_of(DataSource))
    return jobs | (~Q(target_kind=Schedule.Target.ETL) & Q(target_id__in=words.ids_of(ModelEndpoint)))


def of_person(words: Words) -> Q:
    """Events of memberships of people called so."""
    people = User.objects.filter(Q(email__icontains=words.text) | Q(full_name__icontains=words.text))
    return Q(user_id__in=people.order_by().values("id"))


def nothing(words: Words) -> Q:
    """No event: rows of this kind have no words of their own."""
    return Q(pk__in=[])


def of_dataset(words: Words) -> Q:
    """Events of versions of a dataset called so."""
    return Q(dataset_id__in=words.ids_of(Dataset))
