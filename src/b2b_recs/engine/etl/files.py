"""A table of files: which are new or changed since the last run, and the ledger of those that have been loaded.

The ledger is a table beside the destination. It is committed after the rows it speaks of: a file that is missing from
it is loaded again, and its rows then take the place of those it had. Once the table was loaded in another way it says
nothing any more, and every file is loaded again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.etl.choice import Choice
from b2b_recs.engine.etl.positions import comparison, view_of
from b2b_recs.engine.etl.reached import NOTE
from b2b_recs.engine.etl.spec import CopySpec, Files
from b2b_recs.engine.sources.contract import FILE_COLUMN, Source
from b2b_recs.engine.warehouse.commits import Commit
from b2b_recs.engine.warehouse.compaction import COMPACTION
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
        # What the source told of the file's columns, so that it need not be opened for them again.
        pa.field("shape", pa.string(), True, {b"warehouse_type": _TEXT}),
    ]
)
PATHS = pa.schema([pa.field(FILE_COLUMN, pa.string())])
# The version of the table that a commit of the ledger speaks of.
_SPEAKS_OF = "table_version"
_RECENT = 10


def choose(source: Source, spec: CopySpec, table: LocalTable, *, every: bool = False) -> Choice:
    """What has to be loaded now: files the ledger does not have, or has with another mark, or were read otherwise.

    The columns of a file that is the same are told in other words only where the connection says now that it is written
    otherwise, in another encoding for example; or all, with ``every``. Call it after the source was asked for the
    columns.
    """
    known = dict(zip(*_ledger(table, "path", "mark"), strict=True)) if table.exists() else {}
    if not known and table.exists():
        # No file is known; but the rows tell which ones they came from.
        known = dict.fromkeys(_paths_of_rows(table))
    kept, now = kept_shapes(table), source.shapes()
    listed = source.files(spec.source_schema, spec.source_table)
    otherwise = {path for (path, mark), shape in kept.items() if now.get((path, mark), shape) != shape}
    fresh = tuple(file for file in listed if every or known.get(file.path) != file.mark or file.path in otherwise)
    here = {file.path for file in listed}
    return Choice(fresh, tuple(sorted(path for path in known if path not in here)))


def kept_shapes(table: LocalTable) -> dict[tuple[str, str], str]:
    """What is known of the columns of loaded files, by path and mark."""
    if not table.exists():
        return {}
    return {
        (path, mark): shape for path, mark, shape in zip(*_ledger(table, "path", "mark", "shape"), strict=True) if shape
    }


def paths_anew(choice: Choice, load: Files) -> list[str]:
    """The files whose rows of before leave the table: they are loaded anew or, if the job says so, gone."""
    return [file.path for file in choice.load] + (list(choice.gone) if load.deletes == "remove" else [])


def loaded_files(table: LocalTable) -> int:
    """How many files the ledger has."""
    return len(_ledger(table, "path")[0])


def rows_of(table: LocalTable, paths: Sequence[str]) -> int:
    """How many rows the ledger says these files have; where it says nothing, how many the table has of them."""
    if not paths or not table.exists():
        return 0
    if not _speaks(table):
        rows = table.arrow_dataset()
        here = FILE_COLUMN in rows.schema.names
        return int(rows.count_rows(filter=pc.field(FILE_COLUMN).isin(paths))) if here else 0
    wanted = set(paths)
    return sum(rows for path, rows in zip(*_ledger(table, "path", "rows"), strict=True) if path in wanted)


def commit_ledger(
    table: LocalTable,
    choice: Choice,
    load: Files,
    parts: Sequence[Part],
    at: datetime,
    app: str,
    scratch: Path,
    shapes: Mapping[tuple[str, str], str],
) -> None:
    """Write down what this run has loaded, once however often it is asked for; and what it saw of columns, by
    ``shapes``, where the ledger does not know that or knows it otherwise.
    """
    ledger = table.ledger
    known = kept_shapes(table)
    marks = zip(*_ledger(table, "path", "mark"), strict=True)
    seen = any(shapes.get(key, known.get(key)) != known.get(key) for key in marks)
    news = choice.load or (choice.gone and load.deletes == "remove") or seen
    if ledger.committed(app) is not None or not news:
        return
    out = set(paths_anew(choice, load))
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
                "shape": shapes.get((file.path, file.mark)),
            }
            for file in choice.load
        ],
        schema=SCHEMA,
    )
    if _speaks(table):
        before = [row | {"shape": shapes.get((row["path"], row["mark"]), row.get("shape"))} for row in _rows(ledger)]
        kept = pa.Table.from_pylist([row for row in before if row["path"] not in out], schema=SCHEMA)
        fresh = pa.concat_tables([kept, fresh])
    ledger.replace(fresh, schema=SCHEMA, app=app, notes={_SPEAKS_OF: table.version()})


def _speaks(table: LocalTable) -> bool:
    """Whether there is a ledger, and the table's rows are still those of the files in it."""
    ledger = table.ledger
    if not ledger.exists():
        return False
    # A ledger that was only written in fewer files has the version in an older commit.
    found = (commit for few in (_RECENT, None) for commit in ledger.history(few) if not _rearranged(commit))
    told = next(found, None)
    if told is None:
        return True
    version = told.notes.get(_SPEAKS_OF)
    for few in (_RECENT, None):
        for commit in table.history(few):
            # Ledgers of earlier releases name no version, but they have been written after their rows.
            if commit.version <= version if version is not None else commit.at <= told.at:
                return True
            if commit.notes.get(NOTE, {}).get("strategy", "files") != "files":
                return False
    return True


def _rearranged(commit: Commit) -> bool:
    return str(commit.notes.get("app") or "").startswith(COMPACTION)


def _paths_of_rows(table: LocalTable) -> set[str]:
    """The paths of the files that the rows of the table came from."""
    rows = table.arrow_dataset()
    if FILE_COLUMN not in rows.schema.names:
        return set()
    found: set[str] = set()
    for batch in rows.to_batches(columns=[FILE_COLUMN]):
        found.update(pc.unique(batch.column(0).drop_null()).to_pylist())
    return found


def _ledger(table: LocalTable, *columns: str) -> list[list[Any]]:
    ledger = table.ledger
    if not _speaks(table):
        return [[] for _ in columns]
    here = ledger.schema().names
    found = ledger.read(columns=[name for name in columns if name in here])
    # Ledgers of earlier releases have no shapes.
    return [found[name].to_pylist() if name in here else [None] * found.num_rows for name in columns]


def _rows(ledger: LocalTable) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], ledger.read().to_pylist())


def _counted(table: LocalTable, parts: Sequence[Part], scratch: Path) -> Mapping[str, int]:
    """Rows of each file among the staged rows."""
    folder = table.folder.resolve()
    files = [str(folder / part.path) for part in parts if part.rows]
    with comparison(scratch) as connection:
        view_of(connection, "staged", PATHS, files)
        name = quoted(FILE_COLUMN)
        return dict(connection.execute(f"SELECT {name}, count(*) FROM staged GROUP BY 1").fetchall())  # noqa: S608
