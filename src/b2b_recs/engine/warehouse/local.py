"""The embedded warehouse: versioned tables in folders, every commit a version, every commit exactly once."""

from __future__ import annotations

import dataclasses
import fcntl
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable, Field, Schema, TableFeatures
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from b2b_recs.engine.errors import BadInput, EngineError, WarehouseTableMissing
from b2b_recs.engine.warehouse import commits, expiry
from b2b_recs.engine.warehouse.commits import SETTINGS, Commit
from b2b_recs.engine.warehouse.names import (
    checked_columns,
    checked_dataset,
    checked_existing,
    kept_beside,
    ledger_name,
    rejected_name,
    stopped_name,
)
from b2b_recs.engine.warehouse.newest import Newest
from b2b_recs.engine.warehouse.parts import Part, PartWriter, repeating_columns, storage_errors

_TRIES = 20
_PART_BYTES = 256 * 1024 * 1024


class TableBusy(EngineError):
    """Another run is writing the table."""

    code = "table_busy"
    default_transient = True


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit does: files added, files removed, or everything replaced.

    ``app`` and ``number`` name the work: work that has a commit already is not committed again. ``notes`` (values JSON
    can hold) are kept in the commit.
    """

    schema: pa.Schema
    parts: Sequence[Part] = ()
    removed: Sequence[str] = ()
    replace: bool = False
    rearranged: bool = False  # the same rows in other files
    app: str | None = None
    number: int = 1
    notes: Mapping[str, Any] = field(default_factory=dict)


class LocalWarehouse:
    """The tables of one model under ``root``: one folder per dataset, in it one folder per table."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def table(self, dataset: str, name: str) -> LocalTable:
        """The table of that name, which need not exist yet. Raises BadInput for a name that cannot be one."""
        return LocalTable(self.root / checked_dataset(dataset) / checked_existing(name), dataset, name)

    def datasets(self) -> list[str]:
        """Names of the datasets that hold a table, sorted."""
        if not self.root.is_dir():
            return []
        return sorted(folder.name for folder in self.root.iterdir() if folder.is_dir() and self.tables(folder.name))

    def tables(self, dataset: str) -> list[LocalTable]:
        """The tables of a dataset that have been loaded at least once, by name; those kept beside them left out."""
        folder = self.root / checked_dataset(dataset)
        if not folder.is_dir():
            return []
        return [
            self.table(dataset, path.name)
            for path in sorted(folder.iterdir())
            if not kept_beside(path.name) and (path / "_delta_log").is_dir() and DeltaTable.is_deltatable(str(path))
        ]


class LocalTable:
    """One versioned table. Readers never wait; one writer at a time holds ``lock``."""

    def __init__(self, folder: Path, dataset: str, name: str) -> None:
        self.folder = folder
        self.dataset = dataset
        self.name = name
        self._newest = Newest(folder)

    def __repr__(self) -> str:
        return f"LocalTable({self.dataset}.{self.name})"

    @property
    def rejected(self) -> LocalTable:
        """The table that keeps this table's rejected rows."""
        name = rejected_name(self.name)
        return LocalTable(self.folder.with_name(name), self.dataset, name)

    @property
    def stopped(self) -> LocalTable:
        """The table that keeps the rejected rows of the last run that was stopped because there were too many."""
        name = stopped_name(self.name)
        return LocalTable(self.folder.with_name(name), self.dataset, name)

    @property
    def ledger(self) -> LocalTable:
        """The table that tells which files this table was loaded from."""
        name = ledger_name(self.name)
        return LocalTable(self.folder.with_name(name), self.dataset, name)

    def exists(self) -> bool:
        """Whether the table has been loaded at least once."""
        return bool(DeltaTable.is_deltatable(str(self.folder)))

    def version(self) -> int | None:
        """The newest version, None for a table never loaded."""
        return int(self._open().version()) if self.exists() else None

    def schema(self, version: int | None = None) -> pa.Schema:
        """Columns in order; each field's metadata keeps its warehouse type. Raises WarehouseTableMissing."""
        return pa.schema(self._open(version).schema().to_arrow())

    def row_count(self, version: int | None = None) -> int:
        """Rows in a version, from the log. Raises WarehouseTableMissing."""
        return sum(rows for rows, _ in self.contents(version).values())

    def size_bytes(self, version: int | None = None) -> int:
        """Bytes on disk of a version's files. Raises WarehouseTableMissing."""
        return sum(self.file_sizes(version).values())

    def history(self, limit: int | None = None) -> list[Commit]:
        """Commits, newest first; empty for a table never loaded."""
        return list(commits.history(self._open(), limit)) if self.exists() else []

    def files(self, version: int | None = None) -> list[Path]:
        """The Parquet files of a version, in no promised order. Raises WarehouseTableMissing."""
        root = self.folder.resolve()
        return [root / relative for relative in self.file_names(version)]

    def file_names(self, version: int | None = None) -> list[str]:
        """The same files as paths inside the table's folder."""
        return list(self.file_sizes(version))

    def file_sizes(self, version: int | None = None) -> dict[str, int]:
        """Bytes of each file of a version, by its path inside the table's folder. Raises WarehouseTableMissing."""
        return {path: size for path, (_, size) in self.contents(version).items()}

    def contents(self, version: int | None = None) -> dict[str, tuple[int, int]]:
        """Rows and bytes of each file of a version, from the log, by its path. Raises WarehouseTableMissing."""
        actions = pa.table(self._open(version).get_add_actions(flatten=True))
        if not actions.num_rows:
            return {}
        paths, rows, sizes = (actions[name].to_pylist() for name in ("path", "num_records", "size_bytes"))
        return dict(zip(paths, zip(rows, sizes, strict=True), strict=True))

    def arrow_dataset(self, version: int | None = None) -> ds.FileSystemDataset:
        """A version as an Arrow dataset; columns a file was written without are NULL in it.

        Raises WarehouseTableMissing, also for a version whose files have expired.
        """
        schema = self.schema(version)
        form = ds.ParquetFileFormat()
        disk = pa.fs.LocalFileSystem()
        fragments = []
        for path in self.files(version):
            if not path.is_file():
                raise self._missing(version, "is no longer kept")
            fragments.append(form.make_fragment(str(path), filesystem=disk))
        return ds.FileSystemDataset(fragments, schema, form, filesystem=disk)

    def read(self, version: int | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """A version's rows. Raises WarehouseTableMissing, and BadInput for a column the version has not."""
        dataset = self.arrow_dataset(version)
        for name in columns or ():
            if name not in dataset.schema.names:
                raise BadInput(f"{self.dataset}.{self.name} has no column {name}.", field="columns")
        return dataset.to_table(columns=list(columns) if columns is not None else None)

    def append(
        self,
        rows: pa.Table | Iterable[pa.RecordBatch],
        *,
        schema: pa.Schema | None = None,
        app: str | None = None,
        number: int = 1,
        notes: Mapping[str, Any] | None = None,
    ) -> Commit:
        """Add rows in one commit; with ``app`` the same work is committed once however often it is asked for."""
        return self._write(rows, schema, Change(pa.schema([]), app=app, number=number, notes=notes or {}))

    def replace(
        self,
        rows: pa.Table | Iterable[pa.RecordBatch],
        *,
        schema: pa.Schema | None = None,
        app: str | None = None,
        number: int = 1,
        notes: Mapping[str, Any] | None = None,
    ) -> Commit:
        """Replace every row and the schema in one atomic switch; the versions before stay readable."""
        change = Change(pa.schema([]), replace=True, app=app, number=number, notes=notes or {})
        return self._write(rows, schema, change)

    def committed(self, app: str, number: int = 1) -> Commit | None:
        """The commit made under that name, None when there is none."""
        if not self.exists():
            return None
        table = self._open()
        seen = table.transaction_version(app)
        if seen is None or seen < number:
            return None
        return commits.commit_of(table, app, number, fresh=False)

    def commit(self, change: Change) -> Commit:
        """Make one change of the table durable, once. Files of ``change`` must be in place.

        The check for work already done and the commit use one handle, so a rival's commit in between is refused by
        the log, and then looked at again.
        """
        checked_columns(change.schema.names)
        with storage_errors():
            for _ in range(_TRIES):
                try:
                    commit = self._try(change)
                except (CommitFailedError, TableNotFoundError):
                    continue
                if commit is not None:
                    return commit
        raise TableBusy(
            f"{self.dataset}.{self.name} is written by others without pause.", advice="Run the job again later."
        )

    def add_columns(self, fields: Sequence[pa.Field]) -> None:
        """Add nullable columns, which are NULL in every row there is; those there already stay as they are."""
        table = self._open()
        known = {field.name for field in table.schema().fields}
        wanted = [field.with_nullable(True) for field in fields if field.name not in known]
        checked_columns([*known, *(field.name for field in wanted)])
        if wanted:
            with storage_errors():
                table.alter.add_columns([Field.from_arrow(field) for field in wanted])

    def new_part(self, schema: pa.Schema, folder: str, repeating: Sequence[str]) -> PartWriter:
        """A writer of a new file inside the table's folder; it is no part of the table until committed."""
        return PartWriter(self.folder, f"{folder}/{secrets.token_hex(8)}.parquet", schema, repeating)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the right to write the table. Raises TableBusy when another process or thread holds it."""
        with storage_errors():
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = (self.folder / ".lock").open("ab")
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TableBusy(
                    f"Another run is still writing {self.dataset}.{self.name}.",
                    advice="Wait for it to end, or stop it, then run the job again.",
                ) from None
            yield

    def vacuum(self, keep_days: int, now: datetime | None = None, spare: Iterable[str] = ()) -> list[str]:
        """Remove files of versions replaced more than ``keep_days`` days ago and files no version knows.

        ``spare`` names folders, relative to the table's, that a run still needs; pinned versions stay. Call it under
        ``lock``.
        Returns the removed paths.
        """
        if not self.folder.is_dir():
            return []
        table = self._open() if self.exists() else None
        moment = (now or datetime.now(UTC)) - timedelta(days=keep_days)
        return expiry.remove_unneeded(self.folder, table, moment, tuple(spare), self.pinned())

    @property
    def pins_folder(self) -> Path:
        """Where the pins of versions lie, one small file each; see ``versions.pin``."""
        return self.folder / "_pins"

    def pinned(self) -> frozenset[int]:
        """Versions that something in use still reads."""
        folder = self.pins_folder
        found = folder.iterdir() if folder.is_dir() else ()
        return frozenset(int(path.read_text(encoding="ascii")) for path in found if not path.name.startswith("."))

    def _write(self, rows: pa.Table | Iterable[pa.RecordBatch], schema: pa.Schema | None, change: Change) -> Commit:
        if change.app is not None:
            done = self.committed(change.app, change.number)
            if done is not None:
                return done
        if isinstance(rows, pa.Table):
            schema = schema or rows.schema
            rows = rows.to_batches(max_chunksize=65_536)
        if schema is None:
            raise ValueError("schema is needed when rows are batches")
        checked_columns(schema.names)
        parts = self.write_parts(rows, schema)
        commit = self.commit(dataclasses.replace(change, schema=schema, parts=parts))
        if not commit.fresh:
            self.remove(part.path for part in parts)
        return commit

    def write_parts(self, rows: Iterable[pa.RecordBatch], schema: pa.Schema) -> list[Part]:
        """Files of the rows, in the table's folder and on the disk, no part of the table until committed."""
        folder = f"data/{secrets.token_hex(8)}"
        parts: list[Part] = []
        writer: PartWriter | None = None
        repeating: list[str] | None = None
        try:
            for batch in rows:
                if repeating is None:
                    repeating = repeating_columns(batch)
                writer = writer or self.new_part(schema, folder, repeating)
                writer.write(batch)
                if writer.arrow_bytes >= _PART_BYTES:
                    parts.append(writer.close())
                    writer = None
            if writer is not None:
                parts.append(writer.close())
        except BaseException:
            if writer is not None:
                writer.discard()
            self.remove(part.path for part in parts)
            raise
        return parts

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files that no version knows, by their paths inside the table's folder."""
        for path in paths:
            (self.folder / path).unlink(missing_ok=True)

    def _try(self, change: Change) -> Commit | None:
        """One attempt at a commit: the commit, or None when a rival was first and the table must be looked at again."""
        marks = commits.properties(change.app, change.number, change.notes)
        adds = [part.action(new_rows=not change.rearranged) for part in change.parts]
        schema = Schema.from_arrow(change.schema)
        if not self.exists():
            try:
                create_table_with_add_actions(
                    str(self.folder), schema, adds, mode="error", configuration=SETTINGS, commit_properties=marks
                )
            except DeltaError as error:
                if isinstance(error, CommitFailedError) or "already exists" in str(error):
                    return None
                raise
            return Commit(0, datetime.now(UTC), "CREATE TABLE", dict(change.notes))
        table = DeltaTable(str(self.folder))  # of this attempt alone: none moves it on between check and commit
        if change.app is not None:
            seen = table.transaction_version(change.app)
            if seen is not None and seen >= change.number:
                return commits.commit_of(table, change.app, change.number, fresh=False)
        if change.replace and commits.has_new_wall_clocks(table, change.schema):
            # Of a replaced schema the library does not note it, and could not open the table any more.
            table.alter.add_feature(TableFeatures.TimestampWithoutTimezone, allow_protocol_versions_increase=True)
        actions: list[AddAction | RemoveAction] = [*adds, *(_removal(path, change) for path in change.removed)]
        table.create_write_transaction(
            actions, "overwrite" if change.replace else "append", schema, commit_properties=marks
        )
        latest = self._open()
        if change.app is not None:
            return commits.commit_of(latest, change.app, change.number, fresh=True)
        return next(iter(commits.history(latest, 1)))

    def _open(self, version: int | None = None) -> DeltaTable:
        try:
            newest = self._newest.opened()
            if version is None or version == newest.version():
                return newest
            return DeltaTable(str(self.folder), version=version)
        except TableNotFoundError:
            raise self._missing(None, "has never been loaded") from None
        except DeltaError:
            if version is None:
                raise
            raise self._missing(version, "does not exist or is no longer kept") from None

    def _missing(self, version: int | None, what: str) -> WarehouseTableMissing:
        subject = f"The warehouse table {self.dataset}.{self.name}"
        if version is not None:
            subject = f"Version {version} of the warehouse table {self.dataset}.{self.name}"
        return WarehouseTableMissing(f"{subject} {what}.", advice="Run the ETL job that loads it.")


def _removal(path: str, change: Change) -> RemoveAction:
    return RemoveAction(path, not change.rearranged, int(datetime.now(UTC).timestamp() * 1000))
