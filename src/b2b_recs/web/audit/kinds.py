"""Every kind of row the audit keeps: what people call it, how it is found, what is told of it.

A table of events without its entry here fails a test, so that nothing is kept without being shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import F, Q, TextField, Value
from django.db.models.functions import Cast

from b2b_recs.web.accounts.models import ApiKey, Invitation, Membership, Organization
from b2b_recs.web.api.models import KeptAnswer
from b2b_recs.web.audit import naming, telling
from b2b_recs.web.connections.models import Connection, StoredSecret
from b2b_recs.web.datasets.models import Dataset, DatasetVersion
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLConfiguration, ETLRun
from b2b_recs.web.experiments.models import Experiment, TrainedModel
from b2b_recs.web.features.models import FeatureConfig
from b2b_recs.web.monitoring.models import PredictionLog, SystemMetrics
from b2b_recs.web.projects.models import ModelEndpoint, Removal, Schedule
from b2b_recs.web.runs.models import RunLogLine
from b2b_recs.web.training.models import PipelineConfiguration, PipelineRun

GROUPS = {
    "people": "Members and invitations",
    "keys": "API keys",
    "organization": "Organization",
    "models": "Models",
    "connections": "Connections",
    "jobs": "Jobs and schedules",
    "runs": "Runs",
    "training": "Datasets and training",
    "service": "Deployments",
    "records": "Records of the platform",
}


@dataclass(frozen=True)
class Kind:
    """One kind: ``labels`` are the columns whose values may be shown, ``needs`` further ones that ``tell`` reads.

    ``name`` makes the expression of what the row is called, ``within`` that of the model it belongs to, ``values``
    expressions that stand in for columns, ``found`` the condition of rows that some words mean.
    """

    model: type[models.Model]
    group: str
    noun: str
    labels: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    name: Callable[[], Any] = lambda: F("name")
    values: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    within: Callable[[], Any] = lambda: Value("", output_field=TextField())
    found: naming.Finder = lambda words: Q(name__icontains=words.text)
    tell: telling.Teller = telling.usual

    @property
    def code(self) -> str:
        """The kind in one word."""
        return self.model.__name__

    @property
    def event(self) -> Any:
        """The event table's model."""
        return naming.event_of(self.model)

    def is_meant_by(self, words: str) -> bool:
        """Whether the words are the kind's own name, or its beginning."""
        return len(words) > 2 and self.noun.lower().startswith(words.lower())

    def columns(self) -> dict[str, Any]:
        """What is read of an event, by name."""
        return {name: self.values[name]() if name in self.values else F(name) for name in (*self.labels, *self.needs)}

    def called(self) -> Any:
        """The expression of the row's name, as text."""
        return Cast(self.name(), TextField())


RUN = {"status": "", "error_code": "cause"}
RUN_NEEDS = ("cancel_requested", "triggered_by", "attempt")
KINDS = (
    Kind(
        Membership,
        "people",
        "member",
        {"role": "role"},
        ("user_id",),
        lambda: naming.person("user_id"),
        found=naming.of_person,
        tell=telling.member,
    ),
    Kind(
        Invitation,
        "people",
        "invitation",
        {"role": "role"},
        ("accepted_at", "expires_at"),
        lambda: F("email"),
        found=naming.own("email"),
        tell=telling.invitation,
    ),
    Kind(
        ApiKey,
        "keys",
        "API key",
        {"scopes": "may"},
        ("revoked_at",),
        within=naming.of_model,
        found=naming.own_or_in_model,
        tell=telling.api_key,
    ),
    Kind(
        Organization,
        "organization",
        "organization",
        {"name": "name", "suspended": "suspended", "runs_at_once": "runs at the same time"},
        tell=telling.organization,
    ),
    Kind(
        ModelEndpoint,
        "models",
        "model",
        {
            "name": "name",
            "description": "description",
            "status": "status",
            "currency": "currency",
            "time_zone": "time zone",
            "endpoint_active": "answers requests",
        },
        ("last_trained_at", "last_deployed_at"),
        tell=telling.model,
    ),
    Kind(
        Connection,
        "connections",
        "connection",
        {
            "name": "name",
            "source_type": "type",
            "parameters": "",
            "references": "",
            "enabled": "enabled",
            "last_test_status": "last test",
        },
        ("last_test_at", "test_trouble_at"),
        within=naming.of_model,
        found=naming.own_or_in_model,
        tell=telling.connection,
    ),
    Kind(StoredSecret, "connections", "secret", {}, ("name",), naming.of_secret, tell=telling.secret),
    Kind(
        ETLConfiguration,
        "jobs",
        "settings for all copies",
        {
            "enabled": "copying",
            "time_zone": "time zone",
            "lookback_days": "look-back days",
            "schedule_kind": "schedule",
            "cron": "cron",
        },
        name=naming.of_model,
        found=naming.in_model,
        tell=telling.settings,
    ),
    Kind(
        DataSource,
        "jobs",
        "job",
        {"name": "name", "connection": "connection", "enabled": "enabled"},
        ("draft",),
        values={"connection": lambda: naming.latest(Connection, "connection_id")},
        within=naming.model_of_job("pgh_obj_id"),
        found=naming.in_job("pgh_obj_id"),
        tell=telling.job,
    ),
    Kind(
        DataSourceTable,
        "jobs",
        "copy settings",
        {"spec": ""},
        name=naming.of_job,
        within=naming.model_of_job("data_source_id"),
        found=naming.in_job("data_source_id"),
        tell=telling.settings,
    ),
    Kind(
        Schedule,
        "jobs",
        "schedule",
        {},
        ("kind", "rule", "cron", "time_zone", "enabled"),
        naming.of_schedule,
        found=naming.of_target,
        tell=telling.schedule,
    ),
    Kind(
        ETLRun,
        "runs",
        "copy",
        RUN,
        RUN_NEEDS,
        naming.of_job,
        within=naming.model_of_job("data_source_id"),
        found=naming.in_job("data_source_id"),
        tell=telling.run,
    ),
    Kind(PipelineRun, "runs", "training", RUN, RUN_NEEDS, naming.of_model, found=naming.in_model, tell=telling.run),
    Kind(
        RunLogLine,
        "runs",
        "log line",
        {"message": "line"},
        name=lambda: F("run_id"),
        found=naming.own("message"),
        tell=telling.log_line,
    ),
    Kind(
        Dataset,
        "training",
        "dataset",
        {"name": "name", "description": "description", "spec": ""},
        within=naming.of_model,
        found=naming.own_or_in_model,
    ),
    Kind(
        DatasetVersion,
        "training",
        "dataset version",
        {"rows": "rows"},
        ("number",),
        lambda: naming.latest(Dataset, "dataset_id"),
        found=naming.of_dataset,
        tell=telling.numbered,
    ),
    Kind(
        FeatureConfig,
        "training",
        "features",
        {"name": "name", "spec": ""},
        within=naming.of_model,
        found=naming.own_or_in_model,
    ),
    Kind(
        PipelineConfiguration,
        "training",
        "training settings",
        {"spec": ""},
        name=naming.of_model,
        found=naming.in_model,
        tell=telling.settings,
    ),
    Kind(
        Experiment,
        "training",
        "experiment",
        {"seconds": "seconds"},
        name=naming.of_algorithm,
        found=naming.own("algorithm"),
        tell=telling.experiment,
    ),
    Kind(
        TrainedModel,
        "training",
        "trained version",
        {"status": "status"},
        ("number",),
        naming.of_model,
        found=naming.in_model,
        tell=telling.numbered,
    ),
    Kind(
        Deployment,
        "service",
        "deployment",
        {"status": "status", "notes": "notes"},
        ("trained_model", "restores", "traffic_share"),
        naming.of_model,
        {"trained_model": naming.of_version},
        found=naming.in_model,
        tell=telling.deployment,
    ),
    Kind(
        Removal,
        "models",
        "removal",
        {},
        ("kind",),
        within=naming.of_model,
        found=naming.own_or_in_model,
        tell=telling.removal,
    ),
    Kind(
        PredictionLog,
        "records",
        "requests",
        {},
        name=naming.of_model,
        found=naming.in_model,
        tell=telling.traffic,
    ),
    Kind(
        SystemMetrics,
        "records",
        "figures of the day",
        {"predictions": "predictions"},
        name=lambda: F("date"),
        found=naming.nothing,
    ),
    Kind(
        KeptAnswer,
        "records",
        "kept answer",
        name=lambda: F("key"),
        found=naming.own("key"),
        tell=telling.kept_answer,
    ),
)
BY_CODE = {kind.code: kind for kind in KINDS}
