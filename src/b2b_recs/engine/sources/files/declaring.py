"""What the declarations of files have in common, whatever the place and the format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import Capabilities, ColumnInfo, SourceType


class FilesType(SourceType):
    """A type whose tables are sets of files, each loaded once."""

    category: ClassVar[str] = "files"
    capabilities: ClassVar[Capabilities] = Capabilities(
        databases=False,
        incremental=False,
        upper_bound=False,
        ordered=False,
        snapshot=False,
        last_change=True,
        files=True,
        schemas=False,
    )

    last_change: ClassVar[str] = "the time of the file, or of the newest file; not where the place tells none"

    def propose(
        self, columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]], time_zone: str
    ) -> list[ColumnMapping]:
        """The warehouse type of every column, as the format says or the values show."""
        from b2b_recs.engine.sources.files.proposal import propose_files

        return propose_files(columns, samples)

    def refuse_type(self, column: ColumnInfo, wanted: ColumnMapping) -> None:
        """Return when the type the files themselves declare can become the wanted one. Raises BadInput."""
        from b2b_recs.engine.sources.files.proposal import refuse_declared

        refuse_declared(column, wanted)
