"""A table of any types in SQL Server's double, and the answer to a SELECT of expressions over it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from doubles.tds import Column
from doubles.tsql import Expression, parsed
from doubles.tsql_types import Type, kept

_SELECT = re.compile(
    r"SELECT (?:TOP \((?P<top>\d+)\) )?(?P<items>.*) FROM \[dbo\]\.\[\w+\](?: ORDER BY \[(?P<order>\w+)\])?", re.DOTALL
)


class TypedTable:
    """Columns by name, and rows of what each keeps; ``id`` is the key."""

    def __init__(self, columns: Mapping[str, Type], rows: Sequence[Sequence[Any]]) -> None:
        self.columns = dict(columns)
        self._rows = [
            {name: kept(kind, value) for (name, kind), value in zip(columns.items(), row, strict=True)} for row in rows
        ]

    def listed(self) -> list[tuple[str | None, ...]]:
        """The columns as the catalogue has them: name, type, its own name, sizes, nullability, place in the key."""
        found: list[tuple[str | None, ...]] = []
        for name, kind in self.columns.items():
            base, *sizes = kind.listed()
            found.append((name, base, kind.alias or base, *sizes, "01"[name != "id"], None if name != "id" else "1"))
        return found

    def answer(self, sql: str) -> tuple[list[Column], list[list[Any]]]:
        """The columns and rows of a SELECT. Raises SyntaxFault, NotConverted."""
        found = _SELECT.fullmatch(sql)
        assert found, sql
        items = parsed(found["items"], self.columns)
        rows = self._rows[: int(found["top"])] if found["top"] else list(self._rows)
        if found["order"]:
            rows.sort(key=lambda row: row[found["order"]])
        return [one.type.sent(one.name) for one in items], [[_sent(one, row) for one in items] for row in rows]


def _sent(item: Expression, row: Mapping[str, Any]) -> Any:
    value = item.of(row)
    return value.day if item.type.base == "date" and value is not None else value
