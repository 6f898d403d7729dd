"""What every source type declares and every open source can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from pydantic import BaseModel

from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.drivers import has_driver
from b2b_recs.engine.sources.rules import TypeRow, TypeRule, type_rows

if TYPE_CHECKING:
    import pyarrow as pa

# The column of a file table that says which file a row came from.
FILE_COLUMN = "_file"
# Fields by name, each with the kinds of its values and how many rows have a value of that kind.
Fields = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What generic code may ask of a source; it never switches on the type's name.

    ``databases``: tables live in a database. ``incremental``: rows can be asked for by a window of a column, with an
    ``upper_bound``. ``ordered``: rows can come in an order, so that a killed read goes on after its last row.
    ``snapshot``: a count and a read see the same state. ``checksum``: ``totals`` adds up numbers exactly.
    ``key_ranges``: a large table can be cut into ranges of its key and read by several sessions of one state.
    ``row_estimates`` and ``last_change``: the list of tables tells them. ``files``: a table is a set of files, each
    loaded once and again when it changed. ``unique_keys``: a declared primary key is enforced, not only noted.
    ``sampled``: a table declares no columns; those told are the fields of some rows, and others may have more.
    ``schemas``: a table is named inside a schema; without, the table's name is the whole name. ``date_formats``: dates
    in text are read in the format a job names; without, in ISO 8601 only. ``asks_null``: the rows without a value of a
    column can be asked for alone; without, finding them means to read the whole table.
    """

    databases: bool = True
    incremental: bool = True
    upper_bound: bool = True
    ordered: bool = True
    snapshot: bool = True
    checksum: bool = False
    key_ranges: bool = False
    row_estimates: bool = True
    last_change: bool = False
    files: bool = False
    unique_keys: bool = True
    sampled: bool = False
    schemas: bool = True
    date_formats: bool = True
    asks_null: bool = True


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table as the source lists it; ``row_estimate`` is rows, ``size_bytes`` is bytes, both may be unknown."""

    schema: str
    name: str
    kind: str = "table"
    row_estimate: int | None = None
    size_bytes: int | None = None
    last_change: datetime | None = None


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column as the source describes it; ``key_position`` counts from 1 inside the primary key.

    ``base_type`` is the type's own short name once aliases and domains are resolved, ``type_kind`` what sort of
    type that is (base, enum, composite, array, range); both may be empty when the source has no such notions.
    ``guessed``: the source declares no types, so this one was seen in values and may be another when others are seen.
    ``tells_json``: whether text in the column can be told from text that is JSON when it is read.
    ``doubt`` says why the values may not be what they were, such as an encoding that nothing names; empty mostly.
    """

    name: str
    source_type: str
    nullable: bool
    key_position: int | None = None
    is_time: bool = False
    precision: int | None = None
    scale: int | None = None
    base_type: str = ""
    type_kind: str = ""
    guessed: bool = False
    tells_json: bool = True
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A passed test of a connection: milliseconds to answer, server version, tables the login can read.

    ``warning`` says what is odd all the same, empty when nothing is.
    """

    latency_ms: float
    server_version: str
    tables: tuple[TableInfo, ...]
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows with ``lower < cursor <= upper`` (``lower_inclusive`` makes the first sign <=).

    Bounds are the exact text of the value as the source printed it, so that no digit is lost.
    ``include_null`` adds the rows whose cursor is NULL; ``beyond`` those whose cursor is a value that ``max_cursor``
    passes over, such as infinity, because no window ends with it: they are to be read and told of, not left out.
    """

    cursor: str
    lower: str | None = None
    upper: str | None = None
    lower_inclusive: bool = False
    include_null: bool = False
    beyond: bool = False


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Rows with ``lower <= column < upper``, as exact text; None leaves a side open. A NULL belongs to no range."""

    column: str
    lower: str | None = None
    upper: str | None = None


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One file of a file table: ``path`` below the connection's place, ``size`` in bytes.

    ``mark`` changes whenever the content may have changed: the store's own tag where it has one, else made of size
    and time.
    """

    path: str
    size: int
    mark: str
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Which rows and columns of one table to read.

    ``order_by`` names columns; ``key_after`` resumes after that key (text values, one per ``order_by`` column).
    ``time_zone`` is used only where a wall-clock time becomes a moment or the other way round. ``files`` narrows a
    table of files to these paths; ``key_range`` a table to a range of its key. ``unasked``: each batch also tells which
    fields its rows have beyond ``columns``; only where ``capabilities.sampled``.
    """

    schema: str
    table: str
    columns: tuple[ColumnMapping, ...]
    window: Window | None = None
    order_by: tuple[str, ...] = ()
    key_after: tuple[str, ...] = ()
    row_limit: int | None = None
    batch_bytes: int = 16 * 1024 * 1024
    time_zone: str = "UTC"
    key_range: KeyRange | None = None
    files: tuple[str, ...] = ()
    unasked: bool = False


@dataclass(slots=True)
class RejectedRow:
    """A row the warehouse cannot hold: its raw values as text, the column at fault, and why."""

    row: dict[str, str | None]
    column: str
    reason: str


@dataclass(slots=True)
class Batch:
    """Rows ready for the warehouse (cast to warehouse types) and the rows that could not be.

    ``unasked``: fields with a value that the rows have and the request did not name, where it asked to be told.
    """

    rows: pa.RecordBatch
    rejected: list[RejectedRow] = field(default_factory=list)
    unasked: Fields = field(default_factory=dict)


class Dialer(Protocol):
    """Checks an address at the moment of dialling; returns the address to connect to or raises AddressForbidden."""

    def __call__(self, host: str, port: int) -> str: ...


class FileDialer(Dialer, Protocol):
    """A dialer that also knows which folders of this machine a connection may read."""

    def folder(self, path: str) -> Path:
        """The real folder behind ``path`` as the user wrote it, below one that is allowed; or AddressForbidden."""
        ...


class Source(ABC):
    """One open connection to someone's system, read only. Use as a context manager.

    ``check``, ``tables`` and ``columns`` look at the source as it is now; the other methods see the state the last
    of those saw, where the source can hold a snapshot, so that a count and a read agree.

    Raises the classes of ``b2b_recs.engine.errors``; a driver's own error never escapes.
    """

    @abstractmethod
    def check(self) -> CheckResult:
        """What a test of the connection shows."""

    @abstractmethod
    def tables(self) -> list[TableInfo]:
        """Tables and views the login can read, system schemas left out."""

    @abstractmethod
    def columns(self, schema: str, table: str) -> list[ColumnInfo]:
        """Columns in table order. Raises TableMissing, PermissionMissing."""

    @abstractmethod
    def samples(self, schema: str, table: str, columns: Sequence[str], count: int = 5) -> dict[str, list[str | None]]:
        """Up to ``count`` values per column, as text."""

    @abstractmethod
    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        """The largest cursor value as exact text, None for a table without one."""

    def largest(self, schema: str, table: str, cursor: ColumnMapping) -> str | None:
        """The same by the kind of values the mapping was recorded with, where a column may hold several kinds."""
        return self.max_cursor(schema, table, cursor.name)

    @abstractmethod
    def count(self, request: ReadRequest) -> int:
        """How many rows the request covers."""

    @abstractmethod
    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches of at most about ``batch_bytes``, all from one snapshot of the table."""

    def totals(self, request: ReadRequest, columns: Sequence[str]) -> dict[str, Decimal | None]:
        """The exact sum of each of these number columns over the request, None over no value.

        Only where ``capabilities.checksum``.
        """
        return {}

    def key_ranges(self, request: ReadRequest, column: str, parts: int) -> tuple[KeyRange, ...]:
        """About ``parts`` ranges of ``column`` with about as many rows each; the ends are open, so that every row with
        a value is in exactly one. A source may cut by something better than ``column``, which may be empty, when the
        request asks for no order. Empty when the table cannot be cut. Only where ``capabilities.key_ranges``.
        """
        return ()

    def beside(self) -> Source:
        """Another session that sees the same state as this one's last look, for reading at the same time.

        Only where ``capabilities.key_ranges``; the caller closes it.
        """
        raise RuntimeError("this source has one session only")

    def files(self, schema: str, table: str) -> list[FileInfo]:
        """The files of a table now, by path. Only where ``capabilities.files``."""
        return []

    def remember(self, shapes: Mapping[tuple[str, str], str]) -> None:
        """Take what ``shapes`` told before: those files are not opened for their columns as long as they stay the same.

        Only where ``capabilities.files``.
        """
        return None

    def shapes(self) -> Mapping[tuple[str, str], str]:
        """The columns of each file that was looked at, as text to keep, by path and mark. Only where
        ``capabilities.files``.
        """
        return {}

    @abstractmethod
    def close(self) -> None:
        """Release the connection; safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


ParametersModel = type[BaseModel]


class SourceType(ABC):
    """The declaration of one source type: its form, its abilities, and how to open it."""

    type: ClassVar[str]
    name: ClassVar[str]
    category: ClassVar[str]
    Parameters: ClassVar[ParametersModel]
    secret_fields: ClassVar[tuple[str, ...]] = ("password",)
    # The setting that names a folder or a file of this machine, where only allowed folders may be read.
    place_field: ClassVar[str] = ""
    capabilities: ClassVar[Capabilities] = Capabilities()
    verified_against: ClassVar[str] = ""
    # The pip extra that brings the vendor's driver, and the module it is imported as; empty when nothing is needed.
    extra: ClassVar[str] = ""
    driver: ClassVar[str] = ""
    # What the last change in the list of tables is a change of, or why none is told; for docs/sources.md.
    last_change: ClassVar[str]
    # What each of the source's types becomes; docs/types.md is written from it.
    rules: ClassVar[Mapping[str, TypeRule]] = {}
    # What to run on the source so that a login may read and nothing else, to be shown beside the form.
    grants: ClassVar[str] = ""

    @property
    def installed(self) -> bool:
        """Whether what reads this source is installed here."""
        return not self.driver or has_driver(self.driver)

    def type_rows(self) -> Sequence[TypeRow]:
        """The lines of this source in the page about types."""
        return type_rows(self.rules)

    @abstractmethod
    def open(self, parameters: Any, dial: Dialer) -> Source:
        """Connect; ``parameters`` is an instance of ``Parameters``."""

    def met_columns(self, fields: Fields) -> list[ColumnInfo]:
        """Fields that were met while reading, as columns. Only where ``capabilities.sampled``."""
        return []

    def refuse_type(self, column: ColumnInfo, wanted: ColumnMapping) -> None:
        """Return when values of the column may become the wanted type. Raises BadInput when none of them can.

        Where types are only guessed from values, any type may do.
        """
        from b2b_recs.engine.sources.casting.natures import refuse_by_nature

        if not column.guessed:
            refuse_by_nature(self.propose([column], {}, "UTC")[0], wanted)

    def refused_samples(
        self, column: ColumnInfo, samples: Sequence[str | None], wanted: ColumnMapping, time_zone: str
    ) -> Sequence[str] | None:
        """The sampled values that a run would reject as the wanted type; None where the look of values has to do."""
        return None

    @abstractmethod
    def propose(
        self, columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]], time_zone: str
    ) -> list[ColumnMapping]:
        """The warehouse type of every column, with confidence and reason."""
