"""The declaration of BigQuery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.bigquery.parameters import BigQueryParameters
from b2b_recs.engine.sources.bigquery.services import DRIVER, EXTRA, GOOGLE, Services
from b2b_recs.engine.sources.bigquery.types import NESTED, RULES, propose, rule_for
from b2b_recs.engine.sources.contract import (
    Capabilities,
    ColumnInfo,
    Dialer,
    ParametersModel,
    Source,
    SourceType,
)
from b2b_recs.engine.sources.rules import TypeRule


class BigQuery(SourceType):
    """The declaration of BigQuery; ``services`` are Google's own but in tests."""

    type: ClassVar[str] = "bigquery"
    name: ClassVar[str] = "BigQuery"
    category: ClassVar[str] = "warehouses"
    Parameters: ClassVar[ParametersModel] = BigQueryParameters
    secret_fields: ClassVar[tuple[str, ...]] = ("credentials",)
    capabilities: ClassVar[Capabilities] = Capabilities(checksum=True, last_change=True, unique_keys=False)
    rules: ClassVar[Mapping[str, TypeRule]] = RULES
    last_change: ClassVar[str] = (
        "when rows or the description were changed (`last_modified_time`); of tables, snapshots and clones only"
    )
    verified_against: ClassVar[str] = (
        "Google's own clients against a double of its REST and Storage Read services in the tests, which runs the "
        "generated SQL on another engine (the one emulator there is needs a newer Python than the tests run on); not "
        "against BigQuery itself, whose own reading of that SQL is not verified"
    )
    extra: ClassVar[str] = EXTRA
    driver: ClassVar[str] = DRIVER
    grants: ClassVar[str] = """\
gcloud iam service-accounts create b2b-recs --project my-project
gcloud projects add-iam-policy-binding my-project --role roles/bigquery.jobUser \\
  --member serviceAccount:b2b-recs@my-project.iam.gserviceaccount.com
gcloud projects add-iam-policy-binding my-project --role roles/bigquery.readSessionUser \\
  --member serviceAccount:b2b-recs@my-project.iam.gserviceaccount.com
bq add-iam-policy-binding --role roles/bigquery.dataViewer \\
  --member serviceAccount:b2b-recs@my-project.iam.gserviceaccount.com my-project:my_dataset
"""

    def __init__(self, services: Services = GOOGLE) -> None:
        self._services = services

    def open(self, parameters: Any, dial: Dialer) -> Source:
        """Connect; nothing is asked yet. Raises AuthenticationRefused for a key that cannot be read."""
        if not isinstance(parameters, BigQueryParameters):
            raise TypeError("parameters must be BigQueryParameters")
        from b2b_recs.engine.sources.bigquery.source import BigQuerySource

        return BigQuerySource(parameters, self._services, dial)

    def propose(
        self, columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]], time_zone: str
    ) -> list[ColumnMapping]:
        """The warehouse type of every column, which is BigQuery's own."""
        return propose(columns, samples)

    def refuse_type(self, column: ColumnInfo, wanted: ColumnMapping) -> None:
        """As every source, and a list or record becomes JSON or text alone."""
        if rule_for(column) in NESTED:
            from b2b_recs.engine.sources.casting.families import Family
            from b2b_recs.engine.sources.casting.natures import refuse_by_family

            refuse_by_family(Family.STRUCTURE, wanted, column.source_type)
        else:
            super().refuse_type(column, wanted)
