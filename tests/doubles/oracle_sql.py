"""The tables of the Oracle double: statements a reader sends, answered by DuckDB after a small translation.

Oracle's functions that the reader uses are macros; what no macro can express (other keywords, other names of
parameters) is rewritten word by word. A read-only transaction is a snapshot here as it is there.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

OWNER = "SHOP"
_FORMATS = {
    "SYYYY-MM-DD HH24:MI:SS": " %Y-%m-%d %H:%M:%S",
    "SYYYY-MM-DD HH24:MI:SS.FF6": " %Y-%m-%d %H:%M:%S.%f",
    "SYYYY-MM-DD HH24:MI:SS.FF9": " %Y-%m-%d %H:%M:%S.%n",
}
_CATALOGUE = (
    "CREATE TABLE dual (dummy VARCHAR)",
    "INSERT INTO dual VALUES ('X')",
    "CREATE TABLE all_users (username VARCHAR, oracle_maintained VARCHAR)",
    f"INSERT INTO all_users VALUES ('SYS', 'Y'), ('{OWNER}', 'N')",
    "CREATE TABLE all_tables (owner VARCHAR, table_name VARCHAR, num_rows BIGINT, nested VARCHAR, secondary VARCHAR)",
    "INSERT INTO all_tables VALUES ('SYS', 'OBJ$', 7, 'NO', 'N')",
    "CREATE TABLE all_views (owner VARCHAR, view_name VARCHAR)",
    "CREATE TABLE all_tab_cols (owner VARCHAR, table_name VARCHAR, column_name VARCHAR, data_type VARCHAR, "
    "data_precision BIGINT, data_scale BIGINT, char_length BIGINT, data_length BIGINT, nullable VARCHAR, "
    "hidden_column VARCHAR, column_id BIGINT)",
    "CREATE TABLE all_constraints (owner VARCHAR, constraint_name VARCHAR, table_name VARCHAR, "
    "constraint_type VARCHAR)",
    "CREATE TABLE all_cons_columns (owner VARCHAR, constraint_name VARCHAR, column_name VARCHAR, position BIGINT)",
    f'CREATE SCHEMA "{OWNER}"',
    "CREATE MACRO to_char(x, f) AS CASE f "
    + " ".join(f"WHEN '{name}' THEN strftime(x, '{made}')" for name, made in _FORMATS.items())
    + " END, (x, f, nls) AS x::VARCHAR, (x) AS x::VARCHAR",
    "CREATE MACRO sys_extract_utc(x) AS x",
    "CREATE MACRO from_tz(x, zone) AS x",
    "CREATE MACRO nvl2(x, a, b) AS CASE WHEN x IS NOT NULL THEN a ELSE b END",
    "CREATE MACRO rawtohex(x) AS hex(x)",
    "CREATE MACRO hextoraw(x) AS unhex(x)",
    "CREATE MACRO to_binary_double(x) AS x::DOUBLE",
    "CREATE MACRO lob_substr(x, n, start) AS substr(x, start, n)",
    "CREATE MACRO as_moment(x) AS x::TIMESTAMP",
)
# Names and texts in quotation marks, which are never rewritten.
_QUOTED = r"""("(?:[^"]|"")*"|'(?:[^']|'')*')"""
_REWRITTEN = (
    (re.compile(r"FETCH FIRST (\d+) ROWS ONLY"), r"LIMIT \1"),
    (re.compile(r"TO_TIMESTAMP\((:\w+), §\d+§\)"), r"as_moment(\1)"),
    (re.compile(r"DBMS_LOB\.SUBSTR"), "lob_substr"),
    (re.compile(r"XMLSERIALIZE\(CONTENT (\S+) AS CLOB\)"), r"\1::VARCHAR"),
    (re.compile(r"(?:JSON_SERIALIZE|FROM_VECTOR)\((\S+) RETURNING CLOB\)"), r"\1::VARCHAR"),
    (re.compile(r"SDO_UTIL\.TO_WKTGEOMETRY\((\S+?)\)"), r"\1::VARCHAR"),
    (re.compile(r"VARCHAR2\(\d+\)"), "VARCHAR"),
    (re.compile(r"(?<!:):(\w+)"), r"$\1"),
)


@dataclass(frozen=True)
class Declared:
    """A column as Oracle's catalogue describes it, and the type that holds it here."""

    data_type: str
    held: str
    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    nullable: bool = True


class OracleRefusal(Exception):
    """An error of the server, by its number."""

    def __init__(self, number: int, words: str) -> None:
        super().__init__(f"ORA-{number:05}: {words}\n")
        self.number = number


class Shop:
    """The tables of one schema."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.hidden: set[str] = set()
        self._root = duckdb.connect(":memory:", config={"threads": 1})
        for statement in _CATALOGUE:
            self._root.execute(statement)

    def make(
        self, table: str, columns: Mapping[str, Declared], rows: Sequence[Sequence[Any]], key: str | None = None
    ) -> None:
        """The table anew."""
        self.drop(table)
        with self._lock:
            listed = ", ".join(f"{_name(name)} {column.held}" for name, column in columns.items())
            self._root.execute(f'CREATE TABLE "{OWNER}".{_name(table)} ({listed})')
            self._root.execute("INSERT INTO all_tables VALUES (?, ?, ?, 'NO', 'N')", [OWNER, table, len(rows)])
            for at, (name, column) in enumerate(columns.items(), 1):
                self._root.execute(
                    "INSERT INTO all_tab_cols VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'NO', ?)",
                    [OWNER, table, name, column.data_type, column.precision, column.scale, column.length,
                     column.length, "Y" if column.nullable and name != key else "N", at],
                )  # fmt: skip
            if key is not None:
                self._root.execute("INSERT INTO all_constraints VALUES (?, ?, ?, 'P')", [OWNER, f"PK {table}", table])
                self._root.execute("INSERT INTO all_cons_columns VALUES (?, ?, ?, 1)", [OWNER, f"PK {table}", key])
        self.add(table, rows)

    def add(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Further rows."""
        if not rows:
            return
        block = pa.table({f"c{at}": pa.array(values) for at, values in enumerate(zip(*rows, strict=True))})
        with self._lock:
            self._root.register("block", block)
            self._root.execute(f'INSERT INTO "{OWNER}".{_name(table)} SELECT * FROM block')
            self._root.unregister("block")

    def drop(self, table: str) -> None:
        """No such table any more."""
        with self._lock:
            self._root.execute(f'DROP TABLE IF EXISTS "{OWNER}".{_name(table)}')
            for place in ("all_tables", "all_tab_cols", "all_constraints"):
                self._root.execute(f"DELETE FROM {place} WHERE owner = ? AND table_name = ?", [OWNER, table])
            self._root.execute("DELETE FROM all_cons_columns WHERE constraint_name = ?", [f"PK {table}"])

    def rename(self, table: str, name: str) -> None:
        """The table under another name."""
        with self._lock:
            self._root.execute(f'ALTER TABLE "{OWNER}".{_name(table)} RENAME TO {_name(name)}')
            for place in ("all_tables", "all_tab_cols", "all_constraints"):
                self._root.execute(f"UPDATE {place} SET table_name = ? WHERE table_name = ?", [name, table])

    def drop_column(self, table: str, column: str) -> None:
        """The table without a column."""
        with self._lock:
            self._root.execute(f'ALTER TABLE "{OWNER}".{_name(table)} DROP COLUMN {_name(column)}')
            self._root.execute("DELETE FROM all_tab_cols WHERE table_name = ? AND column_name = ?", [table, column])

    def held(self) -> dict[str, tuple[str, ...]]:
        """The tables as DuckDB's own catalogue has them, with their columns in order."""
        with self._lock:
            found = self._root.execute(
                "SELECT table_name, list(column_name ORDER BY ordinal_position) FROM information_schema.columns "
                "WHERE table_schema = ? GROUP BY table_name",
                [OWNER],
            ).fetchall()
        return {str(table): tuple(columns) for table, columns in found}

    def close(self) -> None:
        """Give everything back."""
        self._root.close()

    def session(self) -> ShopSession:
        """Another session."""
        with self._lock:
            return ShopSession(self, self._root.cursor())

    def has(self, table: str) -> bool:
        """Whether the table is there now."""
        with self._lock:
            found = self._root.execute(
                "SELECT 1 FROM all_tables WHERE owner = ? AND table_name = ?", [OWNER, table]
            ).fetchall()
        return bool(found)


class ShopSession:
    """One session's statements."""

    def __init__(self, shop: Shop, connection: duckdb.DuckDBPyConnection) -> None:
        self._shop, self._connection = shop, connection
        self._in_snapshot = False

    def run(self, sql: str, values: Sequence[Any]) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]] | None:
        """Names and types of the columns, and the rows; None for a statement without rows. Raises OracleRefusal."""
        words = sql.strip().upper()
        if words.startswith("ALTER SESSION SET "):
            return None
        if words == "SET TRANSACTION READ ONLY":
            self.rollback()
            self._connection.execute("BEGIN TRANSACTION")
            self._connection.execute("SELECT * FROM dual").fetchall()  # the snapshot is taken by the first look
            self._in_snapshot = True
            return None
        if not words.startswith("SELECT"):
            raise OracleRefusal(1456, "may not perform insert/delete/update operation inside a READ ONLY transaction")
        for table in re.findall(rf'FROM "{OWNER}"\."((?:[^"]|"")*)"', sql):
            if not self._shop.has(table):
                raise OracleRefusal(942, "table or view does not exist")
            if table in self._shop.hidden:
                raise OracleRefusal(1031, "insufficient privileges")
        return self._select(sql, values)

    def rollback(self) -> None:
        """End the transaction."""
        if self._in_snapshot:
            self._connection.execute("ROLLBACK")
            self._in_snapshot = False

    def close(self) -> None:
        """End the session."""
        self._connection.close()

    def _select(self, sql: str, values: Sequence[Any]) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
        # A name that stands in several places is bound in each, with the same value.
        names = re.findall(r"(?<!:):(\w+)", _without_quoted(sql))
        try:
            found = self._connection.execute(translated(sql), dict(zip(names, values, strict=True)) or None)
            columns = [(str(column[0]), str(column[1])) for column in found.description]
            return columns, found.fetchall()
        except duckdb.BinderException as error:
            raise OracleRefusal(904, f'"{error}": invalid identifier') from None
        except duckdb.Error as error:
            raise OracleRefusal(600, str(error).replace("\n", " ")[:200]) from None


def translated(sql: str) -> str:
    """The statement in DuckDB's words; what stands in quotation marks stays as it is."""
    pieces = re.split(_QUOTED, sql)
    marks: list[str] = []
    for at, piece in enumerate(pieces):
        if at % 2:
            marks.append(piece)
            pieces[at] = f"§{len(marks) - 1}§"
    text = "".join(pieces)
    for pattern, replacement in _REWRITTEN:
        text = pattern.sub(replacement, text)
    return re.sub(r"§(\d+)§", lambda found: marks[int(found.group(1))], text)


def _without_quoted(sql: str) -> str:
    return re.sub(_QUOTED, "", sql)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def as_number(value: Any) -> Decimal:
    """Any number exactly."""
    return value if isinstance(value, Decimal) else Decimal(value)
