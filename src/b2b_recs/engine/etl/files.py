"""A table of files: which are new or changed since the last run, and the ledger of those that have been loaded.

The ledger is a table beside the destination. It is committed after the rows it speaks of: a file that is missing from
it is loaded again, and its rows then take the place of those it had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from b2b_recs.engine.etl.choice import Choice
from b2b_recs.engine.etl.positions import comparison, view_of
from b2b_recs.engine.etl.spec import CopySpec, Files
from b2b_recs.engine.sources.contract import FILE_COLUMN, Source
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.engine.warehouse.names import quoted
from b2b_recs.engine.warehouse.parts import Part

_TEXT, _NUMBER, _TIME = b"STRING", b"INT64", b"TIMESTAMP"
SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), False, {b"warehouse_type": _TEXT}),
        pa.field("mark", pa.string(), False, {b"warehouse_type": _TEXT}),
        pa.field("size", pa.int64(), False, {b"warehouse_type": _NUMBER}),
        pa.field("modified", pa.timestamp("us", tz="UTC"), True, {b"warehouse_type": _TIME}),
        pa.field("rows", pa.int64(), False, {b"warehouse_type": _NUMBER}),
        pa.field("loaded_at", pa.timestamp("us", tz="UTC"), False, {b"warehouse_type": _TIME}),
    ]
)
PATHS = pa.schema([pa.field(FILE_COLUMN, pa.string())])


def choose(source: Source, spec: CopySpec, table: LocalTable) -> Choice:
    """What has to be loaded now: files the ledger does not have, or has with another mark."""
    known = dict(zip(*_ledger(table, "path", "mark"), strict=True)) if table.exists() else {}
    listed = source.files(spec.source_schema, spec.source_table)
    fresh = tuple(file for file in listed if known.get(file.path) != file.mark)
    here = {file.path for file in listed}
    return Choice(fresh, tuple(sorted(path for path in known if path not in here)))


def loaded_files(table: LocalTable) -> int:
    """How many files the ledger has."""
    return len(_ledger(table, "path")[0])


def rows_of(table: LocalTable, paths: Sequence[str]) -> int:
    """How many rows the ledger says these files have."""
    if not paths or not table.ledger.exists():
        return 0
    wanted = set(paths)
    return sum(rows for path, rows in zip(*_ledger(table, "path", "rows"), strict=True) if path in wanted)


def commit_ledger(
    table: LocalTable, choice: Choice, load: Files, parts: Sequence[Part], at: datetime, app: str, scratch: Path
) -> None:
    """Write down what this run has loaded, once however often it is asked for."""
    ledger = table.ledger
    if ledger.committed(app) is not None or not (choice.load or (choice.gone and load.deletes == "remove")):
        return
    out = {file.path for file in choice.load} | (set(choice.gone) if load.deletes == "remove" else set())
    rows = _counted(table, parts, scratch)
    fresh = pa.Table.from_pylist(
        [
            {
                "path": file.path,
                "mark": file.mark,
                "size": file.size,
                "modified": file.modified,
                "rows": rows.get(file.path, 0),
                "loaded_at": at,
            }
            for file in choice.load
        ],
        schema=SCHEMA,
    )
    if ledger.exists():
        before = ledger.read()
        kept = pa.array([path not in out for path in before["path"].to_pylist()], pa.bool_())
        fresh = pa.concat_tables([before.filter(kept).cast(SCHEMA), fresh])
    ledger.replace(fresh, schema=SCHEMA, app=app)


def _ledger(table: LocalTable, *columns: str) -> list[list[object]]:
    ledger = table.ledger
    if not ledger.exists():
        return [[] for _ in columns]
    found = ledger.read(columns=columns)
    return [found[name].to_pylist() for name in columns]


def _counted(table: LocalTable, parts: Sequence[Part], scratch: Path) -> Mapping[str, int]:
    """Rows of each file among the staged rows."""
    folder = table.folder.resolve()
    files = [str(folder / part.path) for part in parts if part.rows]
    with comparison(scratch) as connection:
        view_of(connection, "staged", PATHS, files)
        name = quoted(FILE_COLUMN)
        return dict(connection.execute(f"SELECT {name}, count(*) FROM staged GROUP BY 1").fetchall())  # noqa: S608
