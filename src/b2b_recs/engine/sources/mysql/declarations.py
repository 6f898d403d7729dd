"""The declarations of MySQL and MariaDB."""

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
from b2b_recs.engine.sources.mysql.client import DRIVER, EXTRA, driver
from b2b_recs.engine.sources.mysql.parameters import MySQLParameters
from b2b_recs.engine.sources.mysql.proposal import propose
from b2b_recs.engine.sources.mysql.types import RULES, Kind, kind_of
from b2b_recs.engine.sources.rules import TypeRule

GRANTS = """CREATE USER 'reader'@'%' IDENTIFIED BY 'choose a password';
GRANT SELECT ON `your_database`.* TO 'reader'@'%';"""

# Sessions share no snapshot without a lock on every table, so a table is not cut into ranges.
CAPABILITIES = Capabilities(checksum=True, last_change=True)


class MySQL(SourceType):
    """The declaration of MySQL."""

    type: ClassVar[str] = "mysql"
    name: ClassVar[str] = "MySQL"
    category: ClassVar[str] = "relational"
    Parameters: ClassVar[ParametersModel] = MySQLParameters
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    last_change: ClassVar[str] = (
        "when rows were last changed (`UPDATE_TIME`), which InnoDB knows since the server was started; of tables only"
    )
    verified_against: ClassVar[str] = (
        "MariaDB 10.11, which speaks the same protocol; no MySQL server was at hand, so what only MySQL has "
        "(its own JSON type, caching_sha2_password, axis order of shapes) is not verified"
    )
    extra: ClassVar[str] = EXTRA
    driver: ClassVar[str] = DRIVER
    grants: ClassVar[str] = GRANTS
    rules: ClassVar[Mapping[str, TypeRule]] = RULES

    def open(self, parameters: Any, dial: Dialer) -> Source:
        """Connect. Raises HostUnknown, ConnectionRefused, AuthenticationRefused, DatabaseMissing, SourceRefused."""
        if not isinstance(parameters, MySQLParameters):
            raise TypeError("parameters must be MySQLParameters")
        driver(self.name)
        from b2b_recs.engine.sources.mysql.source import MySQLSource

        return MySQLSource(parameters, dial)

    def propose(
        self, columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]], time_zone: str
    ) -> list[ColumnMapping]:
        """The warehouse type of every column; times without a zone stay so, whatever ``time_zone`` is."""
        return propose(columns, samples)

    def refuse_type(self, column: ColumnInfo, wanted: ColumnMapping) -> None:
        """As every source, but what is kept as a number may become any, whatever is proposed for it."""
        if kind_of(column) in (Kind.INTEGER, Kind.BITS):
            from b2b_recs.engine.sources.casting.families import Family
            from b2b_recs.engine.sources.casting.natures import refuse_by_family

            refuse_by_family(Family.INTEGER, wanted, column.source_type)
        else:
            super().refuse_type(column, wanted)


class MariaDB(MySQL):
    """The declaration of MariaDB, which differs by name and by what it was verified against."""

    type: ClassVar[str] = "mariadb"
    name: ClassVar[str] = "MariaDB"
    verified_against: ClassVar[str] = "MariaDB 10.11"
