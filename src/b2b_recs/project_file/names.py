"""Names inside a project file: source tables with a schema, warehouse tables, and the nearest known name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_PART = r'(?:"(?:[^"]|"")+"|[^."]+)'
_TABLE = re.compile(rf"\s*({_PART})\.({_PART})\s*")
_PLAIN = re.compile(r"[^\W\d][\w$]*")


def split_table(text: str, schemas: bool = True) -> tuple[str, str]:
    """Schema and table of ``schema.table``; a part in double quotes may hold anything, ``""`` is one quote.

    Where the source has no ``schemas``, the text is the table's whole name and the schema is empty.
    Raises ValueError with what to write instead.
    """
    if not schemas:
        if not text or "\x00" in text:
            raise ValueError("a table is named as the source lists it, such as orders/*.csv")
        return "", text
    match = _TABLE.fullmatch(text)
    if match is None or "\x00" in text:
        raise ValueError("a table is named with its schema, such as public.order_lines")
    schema, table = (_unquoted(part) for part in match.groups())
    if not schema or not table:
        raise ValueError("a table is named with its schema, such as public.order_lines")
    return schema, table


def join_table(schema: str, table: str) -> str:
    """The text that ``split_table`` reads back as these two; without a schema, the table's whole name."""
    if not schema:
        return table
    return ".".join(part if _PLAIN.fullmatch(part) else '"' + part.replace('"', '""') + '"' for part in (schema, table))


def warehouse_name(table: str) -> str:
    """The warehouse table a source table goes to unless the job says otherwise: ``bq_`` and letters, digits, ``_``."""
    return ("bq_" + re.sub(r"[^a-z0-9]+", "_", table.lower()).strip("_"))[:128]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like ``name``, None when none is like it."""
    by_folded = {one.casefold(): one for one in known}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part.strip()
