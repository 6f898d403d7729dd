"""The declaration of SQL Server."""

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
from b2b_recs.engine.sources.proposing import propose_columns
from b2b_recs.engine.sources.rules import TypeRule
from b2b_recs.engine.sources.sqlserver.parameters import SQLServerParameters
from b2b_recs.engine.sources.sqlserver.types import RULES, rule_of


class SQLServer(SourceType):
    """The declaration of SQL Server."""

    type: ClassVar[str] = "sqlserver"
    name: ClassVar[str] = "SQL Server"
    category: ClassVar[str] = "relational"
    Parameters: ClassVar[ParametersModel] = SQLServerParameters
    # Where the database allows snapshots a count and a read see the same state; not every database does.
    capabilities: ClassVar[Capabilities] = Capabilities(snapshot=False, checksum=True, last_change=True)
    last_change: ClassVar[str] = (
        "when rows were last inserted, updated or deleted since the server was started "
        "(`sys.dm_db_index_usage_stats`); a login without VIEW SERVER STATE is not told, and TRUNCATE does not "
        "count"
    )
    verified_against: ClassVar[str] = (
        "Microsoft's own driver against a double of the protocol (TDS 7.4, plain and encrypted) in the tests, with "
        "every type and its conversions as the vendor's pages describe them; long and old types, variants, shapes, XML "
        "and users' types are asked for as text or bytes, so that no other form of theirs is ever sent; no SQL Server "
        "was at hand, so its own catalogue, conversions and snapshots are not verified"
    )
    extra: ClassVar[str] = "sqlserver"
    driver: ClassVar[str] = "mssql_python"
    grants: ClassVar[str] = """CREATE LOGIN reader WITH PASSWORD = 'choose a password';
USE your_database;
CREATE USER reader FOR LOGIN reader;
ALTER ROLE db_datareader ADD MEMBER reader;
GRANT VIEW DATABASE STATE TO reader; -- for the sizes of tables"""
    rules: ClassVar[Mapping[str, TypeRule]] = RULES

    def open(self, parameters: Any, dial: Dialer) -> Source:
        """Connect. Raises HostUnknown, ConnectionRefused, AuthenticationRefused, DatabaseMissing, SourceRefused."""
        if not isinstance(parameters, SQLServerParameters):
            raise TypeError("parameters must be SQLServerParameters")
        from b2b_recs.engine.sources.sqlserver.source import SQLServerSource

        return SQLServerSource(parameters, dial)

    def propose(
        self, columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]], time_zone: str
    ) -> list[ColumnMapping]:
        """The warehouse type of every column; times without a zone stay so, whatever ``time_zone`` is."""
        return propose_columns(columns, samples, rule_of)
