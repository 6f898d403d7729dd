"""Rows that leave the table: their keys are no longer in the source, or their file is loaded anew or gone.

The source's keys are read whole, kept on disk, and compared there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from b2b_recs.engine.errors import Cancelled
from b2b_recs.engine.etl.choice import Choice
from b2b_recs.engine.etl.files import PATHS, paths_anew
from b2b_recs.engine.etl.plan import BATCH_BYTES, Plan
from b2b_recs.engine.etl.positions import comparison, equal, view_of
from b2b_recs.engine.etl.settle import Leaving
from b2b_recs.engine.etl.spec import CopySpec, Files, Incremental
from b2b_recs.engine.faults import step
from b2b_recs.engine.progress import Progress
from b2b_recs.engine.schema.arrow import arrow_schema
from b2b_recs.engine.sources.contract import FILE_COLUMN, ReadRequest, Source
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.engine.warehouse.parts import Part, plain_schema, storage_errors


def read_keys(source: Source, plan: Plan, spec: CopySpec, folder: Path, progress: Progress) -> Leaving | None:
    """Every key the source has now, in a file below ``folder``; None when the job does not ask for it.

    From a source without any row nothing is removed: a table hidden by a right, or emptied for an import, looks so.
    Raises Cancelled, StorageFull, and what the source raises; then nothing has been decided.
    """
    if not isinstance(spec.load, Incremental) or spec.load.deletes == "keep":
        return None
    if not plan.changed.key_held:
        progress.log("Deleted rows are looked for from the next run on: those loaded before lack the key of now.")
        return None
    by_name = {column.name: column for column in plan.layout.columns}
    columns = tuple(by_name[name] for name in plan.key)
    schema = plain_schema(arrow_schema(columns))
    request = ReadRequest(
        spec.source_schema, spec.source_table, columns, batch_bytes=BATCH_BYTES, time_zone=spec.time_zone
    )
    progress.log(f"Reading the keys of all rows of {spec.source_table} to find those that were deleted.")
    path, seen = folder / "keys.parquet", 0
    with storage_errors():
        folder.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(str(path), schema, compression="zstd", compression_level=1, store_schema=False) as keys:
            for batch in source.read(request, progress.cancelled):
                if progress.cancelled():
                    raise Cancelled("The run was stopped. Nothing was committed.", advice="Run it again when ready.")
                step("copy.keys")
                keys.write_batch(batch.rows.replace_schema_metadata(None).cast(schema))
                seen += batch.rows.num_rows + len(batch.rejected)
    return Leaving(plan.key, (path,), absent=True, remove=spec.load.deletes == "remove" and seen > 0)


def leaving_rows(choice: Choice, load: Files, folder: Path) -> Leaving | None:
    """The rows that files loaded anew had before and, if the job says so, those of files that are gone."""
    paths = paths_anew(choice, load)
    if not paths:
        return None
    path = folder / "files.parquet"
    with storage_errors():
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table([pa.array(paths, pa.string())], schema=PATHS), str(path))
    return Leaving((FILE_COLUMN,), (path,), absent=False)


def turnover(table: LocalTable, plan: Plan, parts: Sequence[Part], scratch: Path) -> tuple[int, int | None]:
    """Rows of the newest version that the staged files no longer have, and staged rows it did not have, by their key.

    The second is None when rows cannot be told apart: no key is known, or the version before lacks its columns.
    """
    key = plan.primary
    if not key or not table.exists() or not set(key) <= set(table.schema().names):
        return 0, None
    before, now = table.schema(), plan.layout.schema
    if any(name not in now.names or before.field(name).type != now.field(name).type for name in key):
        return 0, None
    shape = pa.schema([now.field(name) for name in key])
    folder = table.folder.resolve()
    with comparison(scratch) as connection:
        view_of(connection, "t", shape, [str(path) for path in table.files()])
        view_of(connection, "s", shape, [str(folder / part.path) for part in parts if part.rows])
        counts = [
            connection.execute(f"SELECT count(*) FROM {one} ANTI JOIN {other} ON {equal(key)}").fetchall()  # noqa: S608
            for one, other in (("t", "s"), ("s", "t"))
        ]
    return int(counts[0][0][0]), int(counts[1][0][0])
