"""A job whose source table was looked at, without a source: what the pages of the wizard need."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.test import Client
from tenant_rows import Tenant

from b2b_recs.engine.etl.spec import Catalog, CopySpec
from b2b_recs.web.etl.misfits import seen_values
from b2b_recs.web.etl.models import DataSource, DataSourceTable
from b2b_recs.web.etl.proposals import ProposedColumn, ProposedLoad, ProposedType, TableProposal
from b2b_recs.web.tenancy import scope

SPEC = CopySpec(source_schema="public", source_table="orders", destination_table="bq_orders", load=Catalog())


def signed_in(tenant: Tenant) -> Client:
    """The owner at the pages."""
    client = Client(headers={"host": "localhost"})
    client.force_login(tenant.people["owner"], backend="django.contrib.auth.backends.ModelBackend")
    return client


def looked_at_job(acme: Tenant) -> str:
    """The address of a job whose table was looked at a moment ago."""
    with scope(acme.id):
        DataSourceTable.objects.filter(data_source_id=acme.id_of("DataSource")).update(**looked_at())
    return address_of(acme, acme.id_of("DataSource"))


def draft_of(acme: Tenant, name: str, step: int = 3, **changes: Any) -> DataSource:
    """A draft that has come to a step with the same table."""
    with scope(acme.id):
        job = DataSource.objects.get(id=acme.id_of("DataSource"))
        own = {"organization_id": acme.id}
        draft = DataSource.objects.create(
            **own, configuration_id=job.configuration_id, connection_id=job.connection_id, name=name, draft=True,
            wizard_step=step, wizard_completed_steps=list(range(1, step)),
        )  # fmt: skip
        seen = looked_at()
        DataSourceTable.objects.create(**own, data_source=draft, seen=seen["seen"], spec={**seen["spec"], **changes})
    return draft


def address_of(acme: Tenant, job_id: int) -> str:
    """Where the pages of a job begin."""
    return f"/models/{acme.id_of('ModelEndpoint')}/etl/jobs/{job_id}/"


def proposal(destination: str = "bq_orders") -> TableProposal:
    """What the source said of the table."""
    return TableProposal(
        source_schema="public",
        source_table="orders",
        destination_table=destination,
        columns=[column("id", "bigint", "INT64", "high"), column("note", "text", "STRING", "low")],
        key=["id"],
        time_columns=[],
        proposed=ProposedLoad(load={"strategy": "catalog"}, reason="It is small.", confidence="high"),
        partition_by=None,
    )


def looked_at() -> dict[str, Any]:
    """What the table of a job keeps: the settings, and what the source said."""
    seen = {"at": datetime.now(UTC).isoformat(), "proposal": proposal().model_dump(mode="json")}
    return {"seen": seen, "spec": SPEC.model_dump(mode="json")}


def column(
    name: str, source_type: str, warehouse: str, confidence: str, samples: Sequence[str | None] = ("a",)
) -> ProposedColumn:
    """A column of the source with its sample values."""
    proposed = ProposedType(
        warehouse_type=warehouse, mode="NULLABLE", precision=None, scale=None, format="",
        confidence=confidence, reason="So it is.", warning="",
    )  # fmt: skip
    return ProposedColumn(
        name=name, source_type=source_type, nullable=True, key_position=None, is_time=False,
        samples=list(samples), seen=seen_values(samples), proposed=proposed,
    )  # fmt: skip
