"""Cells of a worksheet whose formula was never calculated: programs that write workbooks leave that to Excel."""

from __future__ import annotations

import io
import posixpath
import re
import xml.etree.ElementTree as ET
import zipfile
from array import array
from collections import defaultdict
from collections.abc import Iterator
from typing import IO

from b2b_recs.engine.sources.files.workbooks import place

# Formulas by their columns, which count from 0, as the numbers of their rows, which do too.
Places = dict[int, "array[int]"]

_CHUNK = 1 << 20
# A cell with its formula is shorter: Excel has no formula of more than 8,192 characters.
_LONGEST = 1 << 17
_RELATIONS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# A cell of a formula and no value; any element may have a prefix. Blanks are never given back, however many there are.
_CELL = re.compile(
    rb"<((?:\w+:)?)c(\s[^<>]*)?>\s*+<\1f(?:\s[^<>]*)?(?:/>|>[^<]*+</\1f\s*+>)\s*+"
    rb"(?:<\1v(?:\s[^<>]*)?/>|<\1v(?:\s[^<>]*)?>\s*+</\1v\s*+>)?+\s*+</\1c\s*+>"
)
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Z]{1,3}\d{1,7})["']""")
# A text without a character is a value.
_TEXT = re.compile(rb"""\st\s*=\s*["']str["']""")


def never_calculated(data: bytes, sheet: str) -> Places:
    """Where in a worksheet of a workbook formulas have no value; a workbook of .xls always has them all.

    The workbook was looked through before: it declares no entities, and its parts are of a size that fits.
    """
    found: Places = defaultdict(lambda: array("I"))
    if not data.startswith(b"PK"):
        return found
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        part = _part_of(archive, sheet)
        if part:
            with archive.open(part) as content:
                for column, row in _places(content):
                    found[column].append(row)
    return found


def _places(content: IO[bytes]) -> Iterator[tuple[int, int]]:
    rest = b""
    while chunk := content.read(_CHUNK):
        text, done = rest + chunk, 0
        for cell in _CELL.finditer(text):
            done = cell.end()
            attributes = cell[2] or b""
            named = _PLACE.search(attributes)
            if named is not None and _TEXT.search(attributes) is None:
                column, row = place(named[1])
                yield column - 1, row - 1
        rest = text[max(done, len(text) - _LONGEST) :]


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The path of a worksheet inside the workbook, "" where it is no sheet of cells."""
    names = set(archive.namelist())
    if "xl/_rels/workbook.xml.rels" not in names:
        return ""
    book = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - looked through for entities
    relations = ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - the same
    wanted = next((_relation(one) for one in book.iter() if _is(one, "sheet") and one.get("name") == sheet), "")
    target = next((one.get("Target", "") for one in relations.iter() if one.get("Id") == wanted), "")
    path = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
    return path if target and path in names else ""


def _is(element: ET.Element, name: str) -> bool:
    return element.tag.rpartition("}")[2] == name


def _relation(sheet: ET.Element) -> str:
    # Strict workbooks have another namespace for the same attribute.
    return sheet.get(_RELATIONS) or next((value for key, value in sheet.items() if key.endswith("}id")), "")
