"""Ends every run of the model given as argument; a process of its own, as the worker is."""

# ruff: noqa: E402 - Django has to be set up before its models are imported

from __future__ import annotations

import os
import sys

import django

os.environ["B2B_RECS_ROLE"] = "worker"
django.setup()

from django.utils import timezone

from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import scope, unscoped
from b2b_recs.web.training.models import PipelineRun

model = unscoped(ModelEndpoint).get(id=int(sys.argv[1]))
with scope(model.organization_id):
    for runs in (
        ETLRun.objects.filter(data_source__configuration__model=model),
        PipelineRun.objects.filter(model=model),
    ):
        runs.update(status="failed", error="The source closed the connection.", finished_at=timezone.now())
