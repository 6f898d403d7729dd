"""A warehouse table that no job fills now and that holds rows of a copy before: whether another copy may go on in it.

Call inside the organization's scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from b2b_recs.engine.counting import counted
from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.spec import Catalog, CopySpec, Files, Incremental
from b2b_recs.engine.sources.contract import FILE_COLUMN
from b2b_recs.web.datasets.tables import address_of
from b2b_recs.web.etl.filled_table import filled_table
from b2b_recs.web.etl.proposals import ProposedColumn

ADVICE = "Choose another name, or delete that table on its page."


@dataclass(frozen=True)
class EarlierTable:
    """What is in the table already, and whether the columns of the copy go with it."""

    name: str
    rows: int
    fits: bool
    whole: bool
    address: str

    @property
    def words(self) -> str:
        """What becomes of its rows."""
        held = f"{self.name} holds {counted(self.rows, 'row')} of an earlier copy"
        if not self.fits:
            return f"{held} with other columns."
        return f"{held}, which this copy replaces." if self.whole else f"{held}; this copy goes on in it."

    def refuse_unfit(self) -> None:
        """Raise BadInput beside the table name where the columns do not go with it."""
        if not self.fits:
            raise BadInput(self.words, field="destination_table", advice=ADVICE)


def earlier_table(model_id: int, spec: CopySpec, columns: Sequence[ProposedColumn]) -> EarlierTable | None:
    """The table a copy is to fill, when it is there; ``columns`` are those of the source.

    Whether a job fills it is known to the caller.
    """
    table = filled_table(model_id, spec)
    if table is None:
        return None
    place = {"destination_dataset": spec.destination_dataset, "destination_table": spec.destination_table}
    fits = _fits(spec, columns, table.schema())
    whole = isinstance(spec.load, Catalog)
    return EarlierTable(spec.destination_table, table.row_count(), fits, whole, address_of(model_id, place))


def _fits(spec: CopySpec, columns: Sequence[ProposedColumn], stored: pa.Schema) -> bool:
    """Whether a run would find every column of the table that it must: of chosen ones it fills those that have to be
    filled, else all."""
    called = {one.name: spec.names.get(one.name) or one.warehouse_name or one.name for one in columns}
    read = {called.get(name, name) for name in spec.columns or called}
    if isinstance(spec.load, Files):
        read.add(FILE_COLUMN)
    elif isinstance(spec.load, Incremental):
        read |= {called.get(name, name) for name in (spec.load.cursor, *spec.load.key)}
    if not spec.columns and not isinstance(spec.load, Files):
        return set(stored.names) <= read | set(spec.gone)
    return isinstance(spec.load, Catalog) or all(field.nullable or field.name in read for field in stored)
