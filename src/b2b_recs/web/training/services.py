"""Starting, continuing and cancelling pipeline runs. Call inside the organization's scope."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction

from b2b_recs.engine.counting import counted
from b2b_recs.engine.errors import BadInput, Cancelled
from b2b_recs.web.accounts.models import User
from b2b_recs.web.conflicts import ModelArchived
from b2b_recs.web.etl.following import jobs_to_run
from b2b_recs.web.etl.models import DataSource, ETLRun
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.runs.attempts import CANCELLED, end_from_outside
from b2b_recs.web.runs.queueing import call_off, defer
from b2b_recs.web.training.models import PipelineConfiguration, PipelineRun

STAGES = ("copy", "dataset", "train", "evaluate", "register", "deploy")


def start_pipeline(
    model: ModelEndpoint, user: User | None = None, with_jobs: bool = True, trigger: str = "manual"
) -> PipelineRun:
    """A pipeline run that begins now; the one under way when there is one, so that asking twice runs once.

    ``with_jobs`` copies every enabled job first. Raises BadInput when the model has no pipeline yet,
    ModelArchived when it is archived.
    """
    with transaction.atomic():
        if ModelEndpoint.objects.select_for_update().get(id=model.id).status == ModelEndpoint.Status.ARCHIVED:
            raise ModelArchived(model.name)
        active = PipelineRun.objects.filter(model=model, status__in=PipelineRun.ACTIVE).first()
        if active is not None:
            return active
        if not PipelineConfiguration.objects.filter(model=model).exists():
            raise BadInput(
                f"{model.name} has no dataset and pipeline yet.",
                field="pipeline",
                advice="Describe them in a project file and apply it with: b2b-recs apply project.yaml",
            )
        run = PipelineRun.objects.create(
            organization_id=model.organization_id,
            model=model,
            triggered_by=trigger,
            started_by=user,
            stages=[{"name": name, "state": "waiting", "detail": ""} for name in STAGES],
        )
        jobs = list(jobs_to_run(model))
        if with_jobs and jobs:
            _copy_first(run, jobs, user)
        else:
            run.stages[0] |= {"state": "skipped", "detail": "Data in the warehouse used as it is."}
            run.save(update_fields=["stages"])
            _queue(run)
        return run


def continue_pipeline(pipeline_run_id: int) -> None:
    """Go on once every copy a pipeline run waits for has ended; called in the transaction that ends a copy."""
    run = PipelineRun.objects.select_for_update().get(id=pipeline_run_id)
    if run.is_over:
        return
    copies = list(run.etl_runs.select_related("data_source").order_by("id"))
    ended = [copy for copy in copies if copy.is_over]
    failed = [copy for copy in ended if copy.status in (ETLRun.Status.FAILED, ETLRun.Status.CANCELLED)]
    copying = run.stages[0]
    copying |= {"state": "running", "detail": f"{len(ended)} of {counted(len(copies), 'table')} copied"}
    if len(ended) == len(copies):
        now = datetime.now(UTC)
        began = datetime.fromisoformat(copying.get("started_at") or run.created_at.isoformat())
        seconds = round((now - began).total_seconds(), 3)
        copying |= {"state": "failed" if failed else "done", "finished_at": now.isoformat(), "seconds": seconds}
        if run.cancel_requested:
            run.status, run.error_code, run.error = PipelineRun.Status.CANCELLED, Cancelled.code, CANCELLED
            run.finished_at = now
        elif failed:
            names = ", ".join(copy.data_source.name for copy in failed)
            run.status = PipelineRun.Status.FAILED
            run.error_code = failed[0].error_code
            run.error = f"{len(failed)} of {counted(len(copies), 'job')} did not finish: {names}. {failed[0].error}"
            run.advice = failed[0].advice
            run.finished_at = now
        else:
            _queue(run)
    run.save()


def cancel_pipeline(run: PipelineRun) -> None:
    """Stop a pipeline run and the copies it waits for."""
    from b2b_recs.web.etl.services import cancel_run  # the two apps call each other

    with transaction.atomic():
        # copies before the run that waits for them: the order in which a copy that ends takes them
        active = ETLRun.objects.filter(pipeline_run_id=run.id, status__in=ETLRun.ACTIVE)
        copies = list(active.select_for_update().order_by("id"))
        PipelineRun.objects.filter(id=run.id, status__in=PipelineRun.ACTIVE).update(cancel_requested=True)
        for copy in copies:
            cancel_run(copy)
        if active.all().exists():
            return  # the last of them to stop ends the pipeline run
        if call_off("execute_pipeline_run", run.organization_id, run.id):
            end_from_outside(PipelineRun, run.organization_id, run.id, "cancelled", CANCELLED, lambda ended: None)


def _copy_first(run: PipelineRun, jobs: list[DataSource], user: User | None) -> None:
    from b2b_recs.web.etl.services import start_run  # the two apps call each other

    run.stages[0] |= {
        "state": "running",
        "detail": f"0 of {counted(len(jobs), 'table')} copied",
        "started_at": datetime.now(UTC).isoformat(),
    }
    run.save(update_fields=["stages"])
    for job in jobs:
        start_run(job, user, PipelineRun.Trigger.PIPELINE, pipeline_run=run)


def _queue(run: PipelineRun) -> None:
    # one pipeline of a model at a time
    defer("execute_pipeline_run", run.organization_id, run.id, lock=f"pipeline-{run.model_id}")
