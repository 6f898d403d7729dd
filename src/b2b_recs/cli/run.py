"""``b2b-recs run``: jobs → dataset → training → evaluation → deployment, watched from the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from b2b_recs.cli.context import model_named, organization_named, organization_option, set_up_django, write_json
from b2b_recs.cli.progress import watching
from b2b_recs.cli.stack import database_running, everything_running
from b2b_recs.engine.errors import EngineError

if TYPE_CHECKING:
    from b2b_recs.web.training.models import PipelineRun

POLL_SECONDS = 0.5


@click.command()
@click.argument("model")
@click.option("--wait/--no-wait", default=False, help="Stay until everything is done, and show progress.")
@click.option("--json", "json_file", metavar="FILE", help="Write every figure as JSON (- for standard output).")
@click.option("--skip-jobs", is_flag=True, help="Use the warehouse as it is, copy nothing.")
@organization_option
def run(model: str, wait: bool, json_file: str | None, skip_jobs: bool, organization: str | None) -> None:
    """Run the jobs of MODEL, build its dataset, train, evaluate, and deploy when the gate passes."""
    with everything_running() if wait else database_running():
        set_up_django("web")
        from b2b_recs.web.tenancy import scope
        from b2b_recs.web.training.services import start_pipeline
        from b2b_recs.web.training.summary import summarise

        owner = organization_named(organization)
        with scope(owner.id):
            started = start_pipeline(model_named(model), with_jobs=not skip_jobs, trigger="command")
        if not wait:
            click.echo(f"Queued as run {started.id}. Add --wait to stay until it is done.")
            write_json(json_file, {"pipeline_run": {"id": started.id, "status": started.status}})
            return
        ended = wait_for(owner.id, started.id)
        with scope(owner.id):
            summary = summarise(ended)
    write_json(json_file, summary)
    if json_file != "-":
        click.echo(words_of(summary))
    if summary["pipeline_run"]["status"] not in ("completed", "partial"):
        raise RunFailed(summary["pipeline_run"]["error"] or "The run did not finish.",
                        advice=summary["pipeline_run"]["advice"])  # fmt: skip


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
        lines.append(f"{job['name']}: {job['rows_loaded']:,} rows loaded in {job['seconds']:.1f} s  {counts}")
    dataset = summary.get("dataset")
    if dataset:
        lines.append(
            f"dataset {dataset['name']} v{dataset['version']}: {dataset['rows']:,} order lines, "
            f"{dataset['customers']:,} customers, {dataset['products']:,} products"
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
