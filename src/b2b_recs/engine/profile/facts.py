"""What the log of a table tells about a version at once: rows, bytes, columns, when it was made. Remembered."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from b2b_recs.engine.errors import BadInput, WarehouseTableMissing
from b2b_recs.engine.profile.columns import Column, columns_of
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse
from b2b_recs.engine.warehouse.names import kept_beside

_REMEMBERED = 4096
# The first entry of a table's log, which is kept for ever.
_FIRST = f"_delta_log/{0:020d}.json"


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """One version: its number, when it was made, its rows, bytes and columns."""

    version: int
    at: datetime
    rows: int
    size_bytes: int
    columns: tuple[Column, ...]


def loaded_tables(warehouse: LocalWarehouse) -> list[LocalTable]:
    """Every table that has been loaded, those kept beside others left out; a look at the folders, none is opened."""
    found = []
    for dataset in _folders(warehouse.root):
        place = os.fspath(warehouse.root / dataset)
        for name in _folders(warehouse.root / dataset):
            if kept_beside(name) or not os.path.exists(f"{place}/{name}/{_FIRST}"):  # noqa: PTH110 - of thousands
                continue
            with suppress(BadInput):  # a folder nobody of ours made
                found.append(warehouse.table(dataset, name))
    return found


def newest_version(table: LocalTable) -> int | None:
    """The newest version by the names in the log, None for a table never loaded."""
    try:
        with os.scandir(table.folder / "_delta_log") as entries:
            names = [entry.name for entry in entries if entry.name.endswith(".json")]
    except (FileNotFoundError, NotADirectoryError):
        return None
    return max((int(name[:-5]) for name in names if name[:-5].isdecimal()), default=None)


def facts_of(table: LocalTable, version: int | None = None) -> VersionFacts:
    """A version's facts, the newest one's without a number. Raises WarehouseTableMissing."""
    number = newest_version(table) if version is None else version
    entry = table.folder / "_delta_log" / f"{number or 0:020d}.json"
    if number is None or not 0 <= number < 10**18 or not entry.is_file():
        raise WarehouseTableMissing(
            f"The warehouse table {table.name} has no version {version}."
            if version is not None
            else f"The warehouse table {table.name} has never been loaded.",
            advice="Look at its versions, or run the job that loads it.",
        )
    return _facts(str(table.folder), number, entry.stat().st_mtime_ns)


def _folders(place: Path) -> list[str]:
    try:
        with os.scandir(place) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except FileNotFoundError:
        return []


@lru_cache(maxsize=_REMEMBERED)
def _facts(folder: str, version: int, made: int) -> VersionFacts:
    """``made`` is the time of the log's entry: a table made anew under the same name is another one."""
    try:
        found = DeltaTable(folder, version=version)
    except DeltaError:
        raise WarehouseTableMissing(
            f"Version {version} of the warehouse table {Path(folder).name} is no longer kept.",
            advice="Choose a newer version.",
        ) from None
    actions = pa.table(found.get_add_actions(flatten=True))
    return VersionFacts(
        version=version,
        at=datetime.fromtimestamp(made / 1_000_000_000, UTC),
        rows=sum(_numbers(actions, "num_records")),
        size_bytes=sum(_numbers(actions, "size_bytes")),
        columns=tuple(columns_of(pa.schema(found.schema().to_arrow()))),
    )


def _numbers(actions: pa.Table, name: str) -> Sequence[int]:
    return [int(value or 0) for value in actions[name].to_pylist()] if name in actions.column_names else []
