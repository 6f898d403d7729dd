"""The declaration of Amazon Redshift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import (
    Capabilities,
    ColumnInfo,
    Dialer,
    ParametersModel,
    Source,
    SourceType,
)
from b2b_recs.engine.sources.redshift.parameters import RedshiftParameters
from b2b_recs.engine.sources.redshift.types import RULES, propose
from b2b_recs.engine.sources.rules import TypeRule


class Redshift(SourceType):
    """The declaration of Amazon Redshift."""

    type: ClassVar[str] = "redshift"
    name: ClassVar[str] = "Amazon Redshift"
    category: ClassVar[str] = "warehouses"
    Parameters: ClassVar[ParametersModel] = RedshiftParameters
    capabilities: ClassVar[Capabilities] = Capabilities(checksum=True, unique_keys=False)
    rules: ClassVar[Mapping[str, TypeRule]] = RULES
    last_change: ClassVar[str] = "not told, because no view that every reader may see has it"
    verified_against: ClassVar[str] = (
        "PostgreSQL 18 with views named like Redshift's, as a stand-in, and encryption against a front of the tests "
        "before it; SUPER, shapes, sketches and nested data, which it lacks, are texts under those names; not against "
        "Redshift itself"
    )
    grants: ClassVar[str] = """\
CREATE USER b2b_recs PASSWORD '...';
GRANT USAGE ON SCHEMA my_schema TO b2b_recs;
GRANT SELECT ON ALL TABLES IN SCHEMA my_schema TO b2b_recs;
ALTER DEFAULT PRIVILEGES IN SCHEMA my_schema GRANT SELECT ON TABLES TO b2b_recs;
GRANT SELECT ON svv_table_info TO b2b_recs;
"""

    def open(self, parameters: Any, dial: Dialer) -> Source:
        """Connect. Raises HostUnknown, ConnectionRefused, AuthenticationRefused, DatabaseMissing, SourceRefused."""
        if not isinstance(parameters, RedshiftParameters):
            raise TypeError("parameters must be RedshiftParameters")
        from b2b_recs.engine.sources.redshift.source import RedshiftSource

        return RedshiftSource(parameters, dial)

    def propose(
        self, columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]], time_zone: str
    ) -> list[ColumnMapping]:
        """The warehouse type of every column; times without a zone stay so, whatever ``time_zone`` is."""
        return propose(columns, samples)
