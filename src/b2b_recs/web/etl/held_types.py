"""Whether the types a job sets fit those its warehouse table holds already: only a whole copy can change them."""

from __future__ import annotations

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.drift import stored_mapping
from b2b_recs.engine.etl.spec import Catalog, CopySpec
from b2b_recs.engine.schema.arrow import arrow_type
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.several import Collected
from b2b_recs.web.etl.filled_table import filled_table


def held_faults(model_id: int, spec: CopySpec) -> list[BadInput]:
    """A refusal for each column that is set to another type than the table holds; none where nothing was loaded."""
    if isinstance(spec.load, Catalog) or not spec.types:
        return []
    table = filled_table(model_id, spec)
    if table is None:
        return []
    schema, faults = table.schema(), []
    for wanted in spec.types:
        name = spec.names.get(wanted.name, wanted.name)
        if name in schema.names and arrow_type(wanted) != schema.field(name).type:
            held, chosen = _words(stored_mapping(schema.field(name))), _words(wanted)
            faults.append(
                BadInput(
                    f"The warehouse table {spec.destination_table} holds “{wanted.name[:100]}” as {held}, "
                    f"so new rows cannot be {chosen}.",
                    field="types",
                    advice=f"Set it back to {held}, give the job another table name, "
                    "or let it copy the whole table each time.",
                    column=wanted.name,
                )
            )
    return faults


def refuse_held(model_id: int, spec: CopySpec) -> None:
    """Raise BadInput for a column set to another type than the filled table holds, Several for more than one."""
    faults = Collected()
    faults.found += held_faults(model_id, spec)
    faults.refuse()


def _words(column: ColumnMapping) -> str:
    """A type with its digits, where it has some: NUMERIC (12, 3)."""
    digits = [str(number) for number in (column.precision, column.scale) if number is not None]
    return f"{column.warehouse_type.value} ({', '.join(digits)})" if digits else column.warehouse_type.value
