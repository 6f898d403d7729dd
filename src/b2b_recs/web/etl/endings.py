"""What follows when a copy has ended: the job's last figures, and the pipeline run that waits for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLConfiguration, ETLRun
from b2b_recs.web.runs.models import Run
from b2b_recs.web.training.services import continue_pipeline


def after_etl(ended: Run) -> None:
    """Called in the transaction that ends a copy."""
    run = cast(ETLRun, ended)
    now = datetime.now(UTC)
    if run.status in (ETLRun.Status.COMPLETED, ETLRun.Status.PARTIAL):
        DataSourceTable.objects.filter(data_source_id=run.data_source_id).update(
            last_row_count=run.results.get("table_rows"), last_synced_at=now
        )
    job = DataSource.objects.get(id=run.data_source_id)
    ETLConfiguration.objects.filter(id=job.configuration_id).update(
        last_run_at=now, last_run_status=run.status, last_run_message=run.error
    )
    if run.pipeline_run_id:
        continue_pipeline(run.pipeline_run_id)
