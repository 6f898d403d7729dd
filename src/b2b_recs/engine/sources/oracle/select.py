"""The SELECT that reads one table: every column sent as what the driver hands over exactly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from b2b_recs.engine.errors import BadInput, ColumnMissing
from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo, ReadRequest
from b2b_recs.engine.sources.oracle.types import Kind, kind_of
from b2b_recs.engine.sources.quoting import quote_name
from b2b_recs.engine.sources.sql_rows import Dialect, covered

Columns = Mapping[str, ColumnInfo]
NAME_BYTES = 128
# The digits of a second below the microsecond.
_FINER = re.compile(r"\.\d{6}(\d{1,3})")
_CLOCK = "SYYYY-MM-DD HH24:MI:SS"
_NUMERIC = "'NLS_NUMERIC_CHARACTERS=''.,'''"
_TIMES = (WarehouseType.TIMESTAMP, WarehouseType.DATETIME, WarehouseType.DATE)


@dataclass(frozen=True, slots=True)
class Statement:
    """A query and the values bound in it."""

    sql: str
    values: dict[str, Any]


class Writer:
    """Statements about one table; ``columns`` are the table's own."""

    def __init__(self, request: ReadRequest, columns: Columns) -> None:
        self._request = request
        self._columns = columns
        self._values: dict[str, Any] = {}
        self._dialect = Dialect(origin_of(request.schema, request.table), self._compared, self._bound)

    def rows(self) -> Statement:
        """The query of a read. Raises ColumnMissing, and BadInput when no column is chosen."""
        if not self._request.columns:
            raise BadInput("No column is chosen.", advice="Choose at least one column.", field="columns")
        columns = [self.column(wanted.name) for wanted in self._request.columns]
        sent = [f"{sent_as(column)} AS b2b_recs_{at}" for at, column in enumerate(columns)]
        return Statement(f"SELECT {', '.join(sent)} {self._covered(ordered=True)}", self._values)

    def count(self) -> Statement:
        """The query that counts the rows of a request."""
        rows = f"SELECT 1 AS one {self._covered(ordered=False)}"
        return Statement(f"SELECT COUNT(*) FROM ({rows})", self._values)  # noqa: S608 - quoted names and bound values

    def totals(self, names: Sequence[str]) -> Statement:
        """The query of the sums of number columns, as text."""
        sums = [f"TO_CHAR(SUM(s{at}), 'TM9', {_NUMERIC})" for at, _ in enumerate(names)]
        inner = [f"{quote(name)} AS s{at}" for at, name in enumerate(names) if self.column(name)]
        rows = f"SELECT {', '.join(inner)} {self._covered(ordered=False)}"
        return Statement(f"SELECT {', '.join(sums)} FROM ({rows})", self._values)  # noqa: S608 - the same

    def largest(self, name: str) -> Statement:
        """The query of the largest value of a column, as exact text."""
        column = self.column(name)
        origin = origin_of(self._request.schema, self._request.table)
        largest = f"SELECT MAX({quote(name)}) AS largest FROM {origin}"  # noqa: S608 - quoted names only
        return Statement(f"SELECT {_text_of('largest', column)} FROM ({largest})", {})  # noqa: S608 - the same

    def samples(self, names: Sequence[str], count: int) -> Statement:
        """The query of some values as text."""
        texts = [f"{_text_of(quote(name), self.column(name))} AS c{at}" for at, name in enumerate(names)]
        origin = origin_of(self._request.schema, self._request.table)
        rows = f"SELECT {', '.join(texts)} FROM {origin} FETCH FIRST {int(count)} ROWS ONLY"  # noqa: S608 - the same
        return Statement(rows, {})

    def column(self, name: str) -> ColumnInfo:
        """The table's column of that name. Raises ColumnMissing."""
        found = self._columns.get(name)
        if found is None:
            raise ColumnMissing(
                f"{self._request.schema}.{self._request.table} has no column {name} that this login may read.",
                advice="Open the job and choose its columns again.",
                field=name,
            )
        return found

    def _covered(self, *, ordered: bool) -> str:
        text = covered(self._request, self._dialect, ordered=ordered)
        limit = self._request.row_limit
        return text if limit is None else text.removesuffix(f"LIMIT {limit}") + f"FETCH FIRST {limit} ROWS ONLY"

    def _compared(self, name: str) -> str:
        self.column(name)
        return quote(name)

    def _bound(self, name: str, text: str) -> str:
        """A value of the column's type as the name it is bound by."""
        column = self.column(name)
        kind = kind_of(column)
        bind = f"b{len(self._values)}"
        if kind in (Kind.INTEGER, Kind.DECIMAL):
            self._values[bind] = _number(text, name)
            return f":{bind}"
        if kind is Kind.FLOAT:
            self._values[bind] = text
            return f"TO_BINARY_DOUBLE(:{bind})"
        if kind in (Kind.DATE, Kind.TIMESTAMP, Kind.ZONED):
            self._values[bind] = _moment(text, name, zoned=kind is Kind.ZONED)
            made = f"TO_TIMESTAMP(:{bind}, 'YYYY-MM-DD HH24:MI:SS.FF9')"
            return f"FROM_TZ({made}, '+00:00')" if kind is Kind.ZONED else made
        if kind is Kind.BYTES:
            self._values[bind] = text
            return f"HEXTORAW(:{bind})"
        self._values[bind] = text
        return f":{bind}"


def quote(name: str) -> str:
    """A quoted name. Raises BadInput."""
    if '"' in name:
        # No name here can hold one, not even doubled.
        raise BadInput(f"The name {name[:40]!r} holds a quotation mark.", advice="Choose a name from the list.")
    return quote_name(name, limit=NAME_BYTES)


def origin_of(schema: str, table: str) -> str:
    """The quoted table."""
    return f"{quote(schema)}.{quote(table)}"


def sent_as(column: ColumnInfo) -> str:
    """SQL of a column as something the driver hands over without changing it: whole numbers, fractions, text, bytes."""
    name, kind = quote(column.name), kind_of(column)
    if kind in (Kind.INTEGER, Kind.FLOAT, Kind.TEXT, Kind.LONG_TEXT, Kind.BYTES, Kind.LONG_BYTES):
        return name
    return _text_of(name, column)


def _text_of(name: str, column: ColumnInfo) -> str:
    """SQL of a value's exact text."""
    kind = kind_of(column)
    if kind in (Kind.INTEGER, Kind.DECIMAL):
        return f"TO_CHAR({name}, 'TM9', {_NUMERIC})"
    if kind is Kind.FLOAT:
        # Of 32 bits the server prints nine digits, which may lie below the value they stand for.
        wide = f"TO_BINARY_DOUBLE({name})" if column.base_type == "BINARY_FLOAT" else name
        return f"TO_CHAR({wide}, 'TM9', {_NUMERIC})"
    if kind is Kind.DATE:
        return f"LTRIM(TO_CHAR({name}, '{_CLOCK}'))"
    if kind is Kind.TIMESTAMP:
        return _fraction(name, column)
    if kind is Kind.ZONED:
        return f"{_fraction(f'SYS_EXTRACT_UTC({name})', column)} || NVL2({name}, '+00:00', NULL)"
    return _WRITTEN.get(kind, "{0}").format(name)


_WRITTEN = {
    Kind.LONG_TEXT: "DBMS_LOB.SUBSTR({0}, 1000, 1)",
    Kind.BYTES: "RAWTOHEX({0})",
    Kind.LONG_BYTES: "RAWTOHEX(DBMS_LOB.SUBSTR({0}, 500, 1))",
    Kind.INTERVAL: "TO_CHAR({0})",
    Kind.ROWID: "CAST({0} AS VARCHAR2(4000))",
    Kind.XML: "XMLSERIALIZE(CONTENT {0} AS CLOB)",
    Kind.JSON: "JSON_SERIALIZE({0} RETURNING CLOB)",
    Kind.BOOL: "CASE WHEN {0} THEN 'true' WHEN NOT {0} THEN 'false' END",
    Kind.VECTOR: "FROM_VECTOR({0} RETURNING CLOB)",
    Kind.SHAPE: "SDO_UTIL.TO_WKTGEOMETRY({0})",
}


def _fraction(name: str, column: ColumnInfo) -> str:
    """A time with six digits of its second, or nine where the last three say something; a minus stands for BC."""
    six = f"LTRIM(TO_CHAR({name}, '{_CLOCK}.FF6'))"
    if (column.scale or 6) <= 6:
        return six
    nine = f"LTRIM(TO_CHAR({name}, '{_CLOCK}.FF9'))"
    return f"CASE WHEN SUBSTR({nine}, -3) = '000' THEN {six} ELSE {nine} END"


def _number(text: str, name: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _no_value(text, name) from None
    if not number.is_finite():
        raise _no_value(text, name)
    return number


def _moment(text: str, name: str, *, zoned: bool) -> str:
    """A moment with nine digits of its second: with fewer, a window would end before its own last row."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise _no_value(text, name) from None
    if found.tzinfo is not None:
        found = found.astimezone(UTC).replace(tzinfo=None) if zoned else found.replace(tzinfo=None)
    finer = _FINER.search(text)
    return found.isoformat(sep=" ", timespec="microseconds") + (finer[1] if finer else "").ljust(3, "0")


def _no_value(text: str, name: str) -> BadInput:
    return BadInput(f"{text[:60]!r} is no value of {name}.", advice="Load into a new warehouse table.", field=name)
