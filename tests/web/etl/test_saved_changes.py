"""A change of a job that its next run would be refused with is refused when it is saved, at the setting it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import Job
from engine.etl.copying import orders

from b2b_recs.engine.errors import BadInput, JobChanged
from b2b_recs.engine.etl.spec import Catalog
from b2b_recs.engine.several import Several
from b2b_recs.web.etl.drifted import refuse_drifted

MERGE: dict[str, Any] = {"strategy": "merge", "cursor": "at", "key": ["id"]}
NAMES = {"note": "remark", "id": "order_id"}


def save(job: Job, connection: str = "") -> None:
    columns = job.source.columns("public", "orders")
    refuse_drifted(job.kind, job.spec.through(connection), columns, job.table)


def ran(folder: Path, **spec: Any) -> Job:
    job = Job(folder, orders(*range(4)), **spec)
    job.run()
    save(job)
    return job


def refused(job: Job) -> BadInput:
    """What saving is refused with, which is what the run is refused with."""
    with pytest.raises(BadInput) as saved:
        save(job)
    with pytest.raises(JobChanged) as run:
        job.run()
    assert (saved.value.message, saved.value.advice) == (run.value.message, run.value.advice)
    return saved.value


def test_another_name_for_a_column_of_a_filled_table_is_refused_beside_its_column(tmp_path: Path) -> None:
    job = ran(tmp_path, load=MERGE, names=NAMES)
    job.spec = job.spec.model_copy(update={"names": {**NAMES, "note": "comment"}})
    fault = refused(job)
    assert (fault.field, fault.column) == ("names", "note")
    assert "The column note is called remark in the warehouse table and comment in the job now" in fault.message
    job.spec = job.spec.model_copy(update={"names": {}})
    fault = refused(job)
    assert isinstance(fault, Several) and {one.column for one in fault.faults} == {"note", "id"}


def test_a_key_by_which_stored_rows_cannot_be_found_is_refused_at_the_key(tmp_path: Path) -> None:
    job = ran(tmp_path, load={"cursor": "at"}, columns=["at", "amount"])
    job.spec = job.spec.model_copy(update={"load": job.spec.load.model_copy(update={"key": ("id",)})})
    assert refused(job).field == "key"


def test_a_table_filled_from_elsewhere_or_copied_whole_takes_another_name(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(4)), load=MERGE, names=NAMES, columns=["id", "at", "note"])
    job.spec = job.spec.through("7")
    job.run()
    job.spec = job.spec.model_copy(update={"names": {"id": "order_id"}})
    save(job, "8")
    with pytest.raises(BadInput, match="is called remark in the warehouse table"):
        save(job, "7")
    job.spec = job.spec.model_copy(update={"load": Catalog()})
    save(job, "7")
