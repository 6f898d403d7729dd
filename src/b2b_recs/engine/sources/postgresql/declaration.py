"""The declaration of PostgreSQL."""

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
from b2b_recs.engine.sources.postgresql.parameters import PostgreSQLParameters
from b2b_recs.engine.sources.postgresql.proposal import TYPE_RULES, propose
from b2b_recs.engine.sources.rules import TypeRule


class PostgreSQL(SourceType):
    """The declaration of PostgreSQL."""

    type: ClassVar[str] = "postgresql"
    name: ClassVar[str] = "PostgreSQL"
    category: ClassVar[str] = "relational"
    Parameters: ClassVar[ParametersModel] = PostgreSQLParameters
    capabilities: ClassVar[Capabilities] = Capabilities(checksum=True, key_ranges=True, date_formats=False)
    rules: ClassVar[Mapping[str, TypeRule]] = TYPE_RULES
    last_change: ClassVar[str] = (
        "not told, because a server keeps no such time of a table; with `track_commit_timestamp` every row would have "
        "to be read"
    )
    verified_against: ClassVar[str] = "PostgreSQL 18; encryption against a front of the tests before that server"
    grants: ClassVar[str] = """CREATE ROLE b2b_recs_reader LOGIN PASSWORD 'choose a long one';
GRANT CONNECT ON DATABASE your_database TO b2b_recs_reader;
GRANT USAGE ON SCHEMA public TO b2b_recs_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO b2b_recs_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO b2b_recs_reader;"""

    def open(self, parameters: Any, dial: Dialer) -> Source:
        """Connect. Raises HostUnknown, ConnectionRefused, AuthenticationRefused, DatabaseMissing, SourceRefused."""
        if not isinstance(parameters, PostgreSQLParameters):
            raise TypeError("parameters must be PostgreSQLParameters")
        from b2b_recs.engine.sources.postgresql.connection import Session
        from b2b_recs.engine.sources.postgresql.source import PostgreSQLSource

        return PostgreSQLSource(Session(parameters, dial))

    def propose(
        self, columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]], time_zone: str
    ) -> list[ColumnMapping]:
        """The warehouse type of every column; times without a zone stay so, whatever ``time_zone`` is."""
        return propose(columns, samples)

    def refuse_type(self, column: ColumnInfo, wanted: ColumnMapping) -> None:
        """Return when the server, which casts every value, has a conversion to the type. Raises BadInput."""
        from b2b_recs.engine.sources.postgresql.select import refuse_type

        refuse_type(column, wanted)
