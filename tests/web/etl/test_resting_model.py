"""A model that rests is told wherever its jobs' schedules are shown, with what to do."""

from __future__ import annotations

import pytest
from tenant_rows import Tenant
from wizard_rows import address_of, draft_of, looked_at_job, signed_in

from b2b_recs.runtime.schedules import ScheduleSpec
from b2b_recs.web.etl.jobs import schedule_job
from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import scope

SCHEDULE = {"kind": "daily", "time": "02:10", "time_zone": "UTC"}


@pytest.mark.parametrize(
    ("status", "told", "what", "times"),
    [
        ("paused", "The model is paused, so no schedule is followed.", "Resume the model", "The model is paused, so"),
        ("archived", "The model is archived, so nothing of it runs.", "Restore the model", "The model is archived, so"),
        ("active", "", "", "The next five times"),
    ],
)
def test_a_model_that_rests_is_told_on_the_list_the_page_of_a_job_and_the_last_step(
    acme: Tenant, status: str, told: str, what: str, times: str
) -> None:
    job = looked_at_job(acme)
    client, draft = signed_in(acme), draft_of(acme, "again", 5, schedule=SCHEDULE)
    with scope(acme.id):
        ModelEndpoint.objects.filter(id=acme.id_of("ModelEndpoint")).update(status=status)
    etl = f"/models/{acme.id_of('ModelEndpoint')}/etl/"
    for address in (etl, job, f"{address_of(acme, draft.id)}step/5/"):
        text = client.get(address).content.decode()
        assert (told in text and what in text) if told else ("The model is" not in text), address
    assert "but the model is" not in client.get(job).content.decode()  # it runs by hand
    with scope(acme.id):
        schedule_job(DataSource.objects.get(id=acme.id_of("DataSource")), ScheduleSpec.parse(SCHEDULE))
    assert (f">model {status}</span>" in client.get(etl).content.decode()) is bool(told)
    assert (f"but the model is {status}" in client.get(job).content.decode()) is bool(told)
    assert times in client.get(f"{etl}jobs/schedule/", SCHEDULE).content.decode()
