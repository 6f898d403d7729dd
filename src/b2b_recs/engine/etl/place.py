"""Which schema a table is in when nobody has said it."""

from __future__ import annotations

from b2b_recs.engine.counting import listed
from b2b_recs.engine.errors import BadInput, TableMissing
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.sources.contract import Source, SourceType

MOST_SHOWN = 8


def schema_of(declared: SourceType, source: Source, schema: str, table: str, field: str = "source_schema") -> str:
    """The schema that was named, else the only one that has the table; empty where the source has no schemas.

    Raises BadInput naming ``field`` when several have it, and TableMissing when none has.
    """
    if schema or not declared.capabilities.schemas:
        return schema
    found = sorted({one.schema for one in source.tables() if one.name == table})
    if not found:
        raise TableMissing(
            f"No schema has a table {table[:100]} that this login may read.",
            advice="Choose one of the tables listed, or ask for the right to read it.",
            field="source_table" if field == "source_schema" else "table",
        )
    if len(found) > 1:
        raise BadInput(
            f"{listed(found[:MOST_SHOWN], len(found))} each have a table {table[:100]}.",
            advice=f"Name the schema in {field}.",
            field=field,
        )
    return found[0]


def placed(declared: SourceType, source: Source, spec: CopySpec) -> CopySpec:
    """The copy with the schema of its table, looked for when nobody named it. Raises BadInput and TableMissing."""
    schema = schema_of(declared, source, spec.source_schema, spec.source_table)
    return spec if schema == spec.source_schema else spec.model_copy(update={"source_schema": schema})
