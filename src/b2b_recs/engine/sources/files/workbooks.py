"""Whether a workbook may be opened: what is in it is looked through before a parser holds it in memory."""

from __future__ import annotations

import re
import zipfile
import zlib
from typing import BinaryIO

from b2b_recs.engine.errors import SourceRefused
from b2b_recs.engine.sources.contract import FileInfo
from b2b_recs.engine.sources.files.limits import LIMITS, too_much

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CHUNK = 1 << 20
_OVERLAP = 512
# The place of a cell or a row, as A1 or 1.
_PLACE = re.compile(rb"""\sr\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_PLAIN = re.compile(rb"([A-Z]{0,3})(\d{0,7})")
_DAMAGED = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError)


def check_workbook(content: BinaryIO, file: FileInfo) -> bytes:
    """The bytes of a workbook that is safe to open.

    Raises SourceRefused for what is no .xlsx or .xls, declares entities, unpacks to too much, or whose cells lie so far
    apart that the table between them would not fit into memory.
    """
    if file.size > LIMITS.workbook_bytes // 4:
        raise too_much(file.path, f"is a workbook of more than {LIMITS.workbook_bytes // 4 // 2**20} MB")
    content.seek(0)
    data = content.read(LIMITS.workbook_bytes // 4 + 1)
    if data.startswith(_OLE):
        return data
    if not data.startswith(_ZIP):
        raise _no_workbook(file)
    content.seek(0)
    try:
        with zipfile.ZipFile(content) as archive:
            _look_through(archive, file)
    except _DAMAGED:
        raise SourceRefused(
            f"The workbook {file.path} is damaged or incomplete.", advice="Open it in Excel and save it again."
        ) from None
    return data


def _look_through(archive: zipfile.ZipFile, file: FileInfo) -> None:
    names = archive.namelist()
    if len(names) > LIMITS.workbook_parts or len(set(names)) < len(names):
        raise too_much(file.path, "has too many parts, or a part twice")
    if "xl/workbook.xml" not in names:
        raise _no_workbook(file)
    total = 0
    for name in names:
        total += _look_at(archive, name, file, LIMITS.workbook_bytes - total)


def _look_at(archive: zipfile.ZipFile, name: str, file: FileInfo, left: int) -> int:
    """The unpacked size of one part, after its text was looked through."""
    size, rest = 0, b""
    columns = rows = 0
    is_sheet = False
    with archive.open(name) as part:
        while chunk := part.read(_CHUNK):
            if size == 0 and name.endswith((".xml", ".rels")) and b"\x00" in chunk[:64]:
                raise SourceRefused(f"The workbook {file.path} is not written as usual.", advice="Save it in Excel.")
            size += len(chunk)
            if size > left:
                raise too_much(file.path, f"unpacks to more than {LIMITS.workbook_bytes // 2**20} MB")
            text = rest + chunk
            if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
                raise SourceRefused(
                    f"The workbook {file.path} declares entities, which no workbook needs.",
                    advice="Open it in Excel and save it again.",
                )
            is_sheet = is_sheet or b"sheetData" in text
            for found in _PLACE.finditer(text):
                column, row = place(found[1] or found[2] or b"")
                columns, rows = max(columns, column), max(rows, row)
            rest = text[-_OVERLAP:]
    if is_sheet and columns * rows > LIMITS.workbook_cells:
        raise too_much(file.path, f"has a sheet of {rows:,} rows and {columns:,} columns")
    return size


def place(written: bytes) -> tuple[int, int]:
    """Column and row of a cell, from 1; 0 for what is not given, or is no place, which the parser will refuse."""
    found = _PLAIN.fullmatch(written)
    if found is None:
        return 0, 0
    column = 0
    for sign in found[1]:
        column = column * 26 + sign - 64
    return column, int(found[2] or 0)


def _no_workbook(file: FileInfo) -> SourceRefused:
    return SourceRefused(
        f"The file {file.path} is not an Excel workbook.", advice="Save it in Excel as .xlsx, or choose its type."
    )
