"""Rows as CSV; the standard library's writer looks at large texts sign by sign, which takes seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def csv_of(columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> bytes:
    """A file with a line of names, quotes only where they are needed, nothing for None."""
    lines = [columns, *rows]
    return "".join(",".join(map(_cell, line)) + "\n" for line in lines).encode()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\r\n') else text
