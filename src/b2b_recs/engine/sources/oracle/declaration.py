"""The declaration of Oracle."""

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
from b2b_recs.engine.sources.oracle.parameters import OracleParameters
from b2b_recs.engine.sources.oracle.types import RULES, propose
from b2b_recs.engine.sources.rules import TypeRule


class Oracle(SourceType):
    """The declaration of Oracle."""

    type: ClassVar[str] = "oracle"
    name: ClassVar[str] = "Oracle"
    category: ClassVar[str] = "relational"
    Parameters: ClassVar[ParametersModel] = OracleParameters
    capabilities: ClassVar[Capabilities] = Capabilities(checksum=True)
    last_change: ClassVar[str] = (
        "not told, because Oracle notes changes late and forgets them with every gathering of statistics, and for "
        "`ORA_ROWSCN` every row would have to be read"
    )
    verified_against: ClassVar[str] = (
        "the vendor's thin client against a double of the wire protocol of release 12.1 (login, statements, redirects, "
        "TLS) that runs the generated SQL on another engine, every type among it; no Oracle server could be had, so "
        "Oracle's own reading of that SQL, and its dates before the year 1, are not verified"
    )
    extra: ClassVar[str] = "oracle"
    driver: ClassVar[str] = "oracledb"
    rules: ClassVar[Mapping[str, TypeRule]] = RULES
    grants: ClassVar[str] = """CREATE USER b2b_recs_reader IDENTIFIED BY "choose a long one";
GRANT CREATE SESSION TO b2b_recs_reader;
GRANT SELECT ON your_schema.your_table TO b2b_recs_reader;"""

    def open(self, parameters: Any, dial: Dialer) -> Source:
        """Connect. Raises HostUnknown, ConnectionRefused, AuthenticationRefused, DatabaseMissing, DriverMissing."""
        if not isinstance(parameters, OracleParameters):
            raise TypeError("parameters must be OracleParameters")
        from b2b_recs.engine.sources.oracle.source import OracleSource

        return OracleSource(parameters, dial)

    def propose(
        self, columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]], time_zone: str
    ) -> list[ColumnMapping]:
        """The warehouse type of every column; times without a zone stay so, whatever ``time_zone`` is."""
        return propose(columns, samples)
