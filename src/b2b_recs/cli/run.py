"""``b2b-recs run``: jobs → dataset → training → evaluation → deployment, watched from the terminal."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from b2b_recs.cli.context import (
    error_json,
    json_option,
    model_named,
    organization_named,
    organization_option,
    set_up_django,
    write_json,
)
from b2b_recs.cli.progress import watching
from b2b_recs.cli.stack import SERVING, WORKER, needed
from b2b_recs.engine.counting import counted
from b2b_recs.engine.errors import EngineError
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.state import running

if TYPE_CHECKING:
    from b2b_recs.web.training.models import PipelineRun

POLL_SECONDS = 0.5
INTERRUPTED = 130  # what shells expect after Ctrl-C


@click.command()
@click.argument("model")
@click.option("--wait/--no-wait", default=False, help="Stay until everything is done, and show progress.")
@json_option
@click.option("--skip-jobs", is_flag=True, help="Use the warehouse as it is, copy nothing.")
@organization_option
def run(model: str, wait: bool, json_file: str | None, skip_jobs: bool, organization: str | None) -> None:
    """Run the jobs of MODEL, build its dataset, train, evaluate, and deploy when the gate passes."""
    with needed(WORKER, SERVING) if wait else needed():
        set_up_django("web")
        from b2b_recs.web.tenancy import scope
        from b2b_recs.web.training.services import start_pipeline
        from b2b_recs.web.training.summary import summarise

        owner = organization_named(organization)
        with scope(owner.id):
            started = start_pipeline(model_named(model), with_jobs=not skip_jobs, trigger="command")
        if not wait:
            click.echo(_queued(started.id), err=json_file == "-")
            write_json(json_file, {"pipeline_run": {"id": started.id, "status": started.status}})
            return
        try:
            ended = wait_for(owner.id, started.id)
        except KeyboardInterrupt:
            click.echo(_left(started.id, model), err=True)
            sys.exit(INTERRUPTED)
        with scope(owner.id):
            summary = summarise(ended)
    _finish(summary, json_file)


def _finish(summary: dict[str, Any], json_file: str | None) -> None:
    """Print and write a run that is over; raise RunFailed unless everything asked was done."""
    end = summary["pipeline_run"]
    if end["status"] in ("completed", "partial"):  # partial: within the rejected rows the job allows
        write_json(json_file, summary)
        if json_file != "-":
            click.echo(words_of(summary))
        return
    problem = RunFailed(end["error"] or f"Run {end['id']} ended as {end['status']}.", advice=end["advice"])
    write_json(json_file, {**summary, "error": {**error_json(problem), "code": end["error_code"] or problem.code}})
    if json_file != "-":
        click.echo(words_of(summary))
    raise problem


def _queued(run_id: int) -> str:
    goes_on = "" if running(Home.current()) else " It starts as soon as b2b-recs up runs."
    return f"Queued as run {run_id}.{goes_on} Add --wait to stay until it is done."


def _left(run_id: int, model: str) -> str:
    here = running(Home.current())
    if here is not None and here.supervisor.pid != os.getpid():
        return f"No longer waiting. Run {run_id} goes on; watch it again with: b2b-recs run {shlex.quote(model)} --wait"
    return f"Stopped. Run {run_id} goes on where it was with: b2b-recs run {shlex.quote(model)} --wait"


class RunFailed(EngineError):
    """A run that was waited for did not do everything that was asked."""

    code = "run_failed"


def wait_for(organization_id: int, run_id: int, stopped: Callable[[], bool] = lambda: False) -> PipelineRun:
    """The pipeline run once it is over (or ``stopped`` says so), its progress shown meanwhile."""
    from b2b_recs.web.tenancy import scope
    from b2b_recs.web.training.models import PipelineRun

    with watching() as display:
        while True:
            with scope(organization_id):
                run = PipelineRun.objects.get(id=run_id)
                copies = list(run.etl_runs.select_related("data_source").order_by("id"))
            display.show(run, copies)
            if run.is_over or stopped():
                return run
            time.sleep(POLL_SECONDS)


def words_of(summary: dict[str, Any]) -> str:
    """The end of a run in a few lines."""
    lines = []
    for job in summary["jobs"]:
        mark = "=" if job["reconciled"] else "≠"
        counts = f"{job['source_count']:,} {mark} {job['warehouse_count']:,}" if job["source_count"] is not None else ""
        lines.append(f"{job['name']}: {counted(job['rows_loaded'], 'row')} loaded in {job['seconds']:.1f} s  {counts}")
    dataset = summary.get("dataset")
    if dataset:
        lines.append(
            f"dataset {dataset['name']} v{dataset['version']}: {counted(dataset['rows'], 'order line')}, "
            f"{counted(dataset['customers'], 'customer')}, {counted(dataset['products'], 'product')}"
        )
    trained = summary.get("model_version")
    if trained:
        deployed = (
            "deployed"
            if summary["deployment"]["deployed"]
            else "not deployed: " + " ".join(summary["deployment"]["gate"]["reasons"])
        )
        lines.append(f"{trained['version']} {trained['title']}: {deployed}")
    return "\n".join(lines)
