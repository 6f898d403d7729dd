"""The declaration of SQLite."""

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
from b2b_recs.engine.sources.sqlite.parameters import SQLiteParameters
from b2b_recs.engine.sources.sqlite.types import RULES, rule_for


class SQLite(SourceType):
    """The declaration of SQLite."""

    type: ClassVar[str] = "sqlite"
    name: ClassVar[str] = "SQLite"
    category: ClassVar[str] = "relational"
    Parameters: ClassVar[ParametersModel] = SQLiteParameters
    secret_fields: ClassVar[tuple[str, ...]] = ()
    place_field: ClassVar[str] = "file"
    capabilities: ClassVar[Capabilities] = Capabilities(checksum=True)
    last_change: ClassVar[str] = "not told, because a file has one time for all of its tables"
    verified_against: ClassVar[str] = "files written by SQLite 3.40"
    grants: ClassVar[str] = (
        "setfacl --modify user:b2b-recs:r /srv/files/shop.db\n"
        "# and in the environment of the installation:\n"
        "B2B_RECS_FILE_FOLDERS=/srv/files    # several: /srv/files:/mnt/exports; unset: files in the home folder"
    )
    rules: ClassVar[Mapping[str, TypeRule]] = {name or "any without a type": rule for name, rule in RULES.items()}

    def open(self, parameters: Any, dial: Dialer) -> Source:
        """Open the file. Raises AddressForbidden, DatabaseMissing, PermissionMissing, SourceRefused."""
        if not isinstance(parameters, SQLiteParameters):
            raise TypeError("parameters must be SQLiteParameters")
        from b2b_recs.engine.sources.sqlite.source import SQLiteSource

        return SQLiteSource(parameters, dial)

    def propose(
        self, columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]], time_zone: str
    ) -> list[ColumnMapping]:
        """The warehouse type of every column by its declared type."""
        return propose_columns(columns, samples, rule_for)

    def refuse_type(self, column: ColumnInfo, wanted: ColumnMapping) -> None:
        """Return always: a column holds any value, whatever it declares, and each is refused or not by itself."""

    def refused_samples(
        self, column: ColumnInfo, samples: Sequence[str | None], wanted: ColumnMapping, time_zone: str
    ) -> Sequence[str] | None:
        """The sampled values that a run would reject, by the same conversion; None for columns of text."""
        from b2b_recs.engine.sources.sqlite.trial import refused_samples

        return refused_samples(column, samples, wanted, time_zone)
