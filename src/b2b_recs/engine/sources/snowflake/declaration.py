"""The declaration of Snowflake."""

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
from b2b_recs.engine.sources.rules import TypeRule
from b2b_recs.engine.sources.snowflake.parameters import SnowflakeParameters
from b2b_recs.engine.sources.snowflake.types import RULES, propose


class Snowflake(SourceType):
    """The declaration of Snowflake."""

    type: ClassVar[str] = "snowflake"
    name: ClassVar[str] = "Snowflake"
    category: ClassVar[str] = "warehouses"
    Parameters: ClassVar[ParametersModel] = SnowflakeParameters
    secret_fields: ClassVar[tuple[str, ...]] = ("private_key", "private_key_passphrase", "password")
    # Snowflake's transactions see each other's commits, so that a count and a read are of two states.
    capabilities: ClassVar[Capabilities] = Capabilities(
        snapshot=False, checksum=True, last_change=True, unique_keys=False
    )
    rules: ClassVar[Mapping[str, TypeRule]] = RULES
    last_change: ClassVar[str] = (
        "when rows or columns were changed, or Snowflake last tidied up (`LAST_ALTERED`); of tables only"
    )
    verified_against: ClassVar[str] = (
        "Snowflake's own client against the emulator fakesnow 0.12 over TLS, to which the tests add logins and results "
        "in parts; DECFLOAT, MAP, VECTOR, GEOGRAPHY, GEOMETRY, UUID, FILE and intervals, which it lacks, are text, "
        "objects and lists under those names; not against Snowflake itself"
    )
    extra: ClassVar[str] = "snowflake"
    driver: ClassVar[str] = "snowflake.connector"
    grants: ClassVar[str] = """\
CREATE ROLE b2b_recs_reader;
GRANT USAGE ON WAREHOUSE my_warehouse TO ROLE b2b_recs_reader;
GRANT USAGE ON DATABASE my_database TO ROLE b2b_recs_reader;
GRANT USAGE ON ALL SCHEMAS IN DATABASE my_database TO ROLE b2b_recs_reader;
GRANT SELECT ON ALL TABLES IN DATABASE my_database TO ROLE b2b_recs_reader;
GRANT SELECT ON ALL VIEWS IN DATABASE my_database TO ROLE b2b_recs_reader;
GRANT SELECT ON FUTURE TABLES IN DATABASE my_database TO ROLE b2b_recs_reader;
CREATE USER b2b_recs TYPE = SERVICE DEFAULT_ROLE = b2b_recs_reader RSA_PUBLIC_KEY = '...';
GRANT ROLE b2b_recs_reader TO USER b2b_recs;
"""

    def open(self, parameters: Any, dial: Dialer) -> Source:
        """Connect. Raises HostUnknown, ConnectionRefused, AuthenticationRefused, DatabaseMissing, SourceRefused."""
        if not isinstance(parameters, SnowflakeParameters):
            raise TypeError("parameters must be SnowflakeParameters")
        from b2b_recs.engine.sources.snowflake.source import SnowflakeSource

        return SnowflakeSource(parameters, dial)

    def propose(
        self, columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]], time_zone: str
    ) -> list[ColumnMapping]:
        """The warehouse type of every column; times without a zone stay so, whatever ``time_zone`` is."""
        return propose(columns, samples)
