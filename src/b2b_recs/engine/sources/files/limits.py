"""How much a file may unfold into before it is refused as a bomb."""

from __future__ import annotations

from dataclasses import dataclass

from b2b_recs.engine.errors import SourceRefused

MEGABYTE = 2**20
GIGABYTE = 2**30


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds while files are listed, unpacked and parsed.

    ``ratio`` is unpacked to packed bytes and counts only after ``free_bytes`` were unpacked, because a small file of
    equal values packs better than any real one. ``row_bytes`` bounds one record, ``depth`` the nesting of JSON.
    ``group_bytes`` bounds one row group of Parquet, ``column_bytes`` one column of it, ``workbook_bytes`` the unpacked
    parts of a workbook, which has to be held in memory.
    """

    ratio: int = 250
    free_bytes: int = 256 * MEGABYTE
    total_bytes: int = 512 * GIGABYTE
    files: int = 100_000
    row_bytes: int = 32 * MEGABYTE
    depth: int = 200
    columns: int = 10_000
    group_bytes: int = 8 * GIGABYTE
    column_bytes: int = 2 * GIGABYTE
    workbook_bytes: int = GIGABYTE
    workbook_parts: int = 10_000
    workbook_cells: int = 25_000_000
    download_bytes: int = 64 * GIGABYTE


LIMITS = Limits()


def too_much(path: str, what: str) -> SourceRefused:
    """The refusal of a file that unfolds into more than it may."""
    return SourceRefused(
        f"The file {path} {what}, so it was not read further.",
        advice="Split the file into smaller ones, or store it less packed.",
    )
