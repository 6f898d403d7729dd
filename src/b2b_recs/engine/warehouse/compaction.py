"""Many small files into few: a table that is added to every hour stays quick to read."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.dataset as ds

from b2b_recs.engine.warehouse.commits import Commit
from b2b_recs.engine.warehouse.local import Change, LocalTable

SMALL_BYTES = 8 * 1024 * 1024
FEWEST = 64
# What the name of the work begins with in the commit that did it.
COMPACTION = "compact:"
_ROWS = 65_536


def compact(table: LocalTable) -> Commit | None:
    """Write the table's small files again as few; None when there are not enough of them. Call it under ``lock``.

    Rows stay as they are; versions before keep their own files until they expire.
    """
    version = table.version()
    if version is None:
        return None
    small = [name for name, size in table.file_sizes(version).items() if size < SMALL_BYTES]
    if len(small) < FEWEST:
        return None
    schema = table.schema(version)
    parts = table.write_parts(_rows(table, small, schema), schema)
    change = Change(schema, parts, small, rearranged=True, app=f"{COMPACTION}{version}")
    return table.commit(change)


def _rows(table: LocalTable, names: list[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    form, disk = ds.ParquetFileFormat(), pa.fs.LocalFileSystem()
    for name in names:
        fragment = form.make_fragment(str(table.folder / name), filesystem=disk)
        yield from fragment.to_batches(schema=schema, batch_size=_ROWS)
