"""How a text file with delimiters is written: found by trying, unless the connection says so."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

from b2b_recs.engine.errors import SourceRefused
from b2b_recs.engine.sources.contract import FileInfo
from b2b_recs.engine.sources.files.encodings import NO_TEXT, against, decoded, encoding_of, name_of
from b2b_recs.engine.sources.files.limits import LIMITS, too_much
from b2b_recs.engine.sources.files.options import CsvOptions

# Bytes from the beginning of a file that decide.
SAMPLE_BYTES = 1 << 18
_DELIMITERS = (",", ";", "\t", "|", "^", "~")
_ROWS = 200
# What Excel takes for the name of the delimiter, and leaves out.
_SEPARATOR = re.compile(r"\"?sep=([\t -!#-/:-@\[-`{-~])\"?(?:\r\n|\n|\r|\Z)", re.IGNORECASE)
_VALUE = re.compile(
    r"[-+]?[\d.,]*\d%?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?|\d{1,2}:\d{2}.*|true|false|null|\\N", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one file is written; ``skip`` counts the bytes that only mark the encoding and the delimiter, ``quote`` may
    be empty.

    ``against`` names the encoding that was chosen for it where it is UTF-8 to all appearance.
    """

    codec: str
    skip: int
    delimiter: str
    quote: str
    header: bool
    names: tuple[str, ...]
    against: str = ""


def detect(sample: bytes, options: CsvOptions, file: FileInfo, *, whole: bool) -> Dialect:
    """The dialect of a file that begins with ``sample``; ``whole`` when that is all of it.

    Raises SourceRefused for what is no text, or has names that are none.
    """
    codec, mark = encoding_of(sample, options.encoding)
    text = decoded(sample[mark:], codec, whole=whole)
    if "\x00" in text:
        raise SourceRefused(
            f"The file {file.path} is not text.",
            advice="Choose the type of the file, or its encoding, in the connection.",
            field="encoding",
        )
    named = _SEPARATOR.match(text)
    if named is not None:
        text = text[named.end() :]
    skip = mark + (len(named[0].encode(codec)) if named is not None else 0)
    text = text.lstrip("\r\n")
    if not whole:
        # The last line is cut off somewhere.
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    if "," not in text and not text.strip("\r\n"):
        return Dialect(codec, skip, ",", '"', header=False, names=())
    delimiter, quote = _marks(text, options, named[1] if named is not None else "")
    rows = _rows(text, delimiter, quote, _ROWS)
    header = options.header == "yes" or (options.header == "auto" and _has_header(rows))
    if len(rows[0]) > LIMITS.columns:
        raise too_much(file.path, f"has {len(rows[0]):,} columns")
    if header and any(NO_TEXT in name for name in rows[0]):
        raise _no_names(file, rows[0], codec)
    names = unique_names(rows[0] if header else [""] * len(rows[0]))
    return Dialect(codec, skip, delimiter, quote, header, names, "" if mark else against(codec, sample))


def _no_names(file: FileInfo, names: list[str], codec: str) -> SourceRefused:
    """The refusal of a first line with bytes that its encoding does not have."""
    at = next(at for at, name in enumerate(names, 1) if NO_TEXT in name)
    return SourceRefused(
        f"The name of column {at:,} in the first line of the file {file.path} holds bytes that are not "
        f"{name_of(codec)} text.",
        advice="Choose the encoding of the file in the connection.",
        field="encoding",
    )


def is_value(cell: str) -> bool:
    """Whether a text is a number, a date, a time or the like, and so no name."""
    return _VALUE.fullmatch(cell.strip()) is not None


def unique_names(names: list[str]) -> tuple[str, ...]:
    """The names, with a number where one is empty or was there before."""
    taken = {name for name in names if name.strip()}
    found: list[str] = []
    used: set[str] = set()
    for at, name in enumerate(names, 1):
        name = name if name.strip() else f"column_{at}"
        candidate, number = name, 1
        while candidate in used or (candidate != name and candidate in taken):
            number += 1
            candidate = f"{name}_{number}"
        used.add(candidate)
        found.append(candidate)
    return tuple(found)


def _marks(text: str, options: CsvOptions, named: str) -> tuple[str, str]:
    """Delimiter and quote: the pair under which most rows have the same number of values, and the most of them.

    ``named`` is the delimiter that the file says it has, "" mostly; what the connection says goes before.
    """
    chosen_quote = "" if options.quote == "none" else options.quote
    quotes = (chosen_quote,) if options.quote else ("'",) if _quotes_alone(text) else ('"',)
    told = options.delimiter or named
    delimiters = (told,) if told else _DELIMITERS
    best, marks = (-1.0, -1), (delimiters[0], quotes[0])
    for quote in quotes:
        for delimiter in delimiters:
            rows = _rows(text, delimiter, quote, _ROWS)
            width, often = Counter(map(len, rows)).most_common(1)[0]
            score = (often / len(rows) if width > 1 else 0.0, width)
            if score > best:
                best, marks = score, (delimiter, quote)
    return marks


def _quotes_alone(text: str) -> bool:
    """Whether values are enclosed in single quotes and none in double ones."""
    return '"' not in text and re.search(r"(?:^|[,;\t|^~])'[^'\n]*'(?:[,;\t|^~\r\n]|$)", text, re.MULTILINE) is not None


def _rows(text: str, delimiter: str, quote: str, most: int) -> list[list[str]]:
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        doublequote=True,
    )
    rows: list[list[str]] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) >= most:
                break
    except csv.Error:
        # A value longer than the reader takes; what came before is enough.
        pass
    return rows or [[text.splitlines()[0]]]


def _has_header(rows: list[list[str]]) -> bool:
    """Whether the first row looks like names: no values in it, and none of it again below."""
    first, rest = rows[0], rows[1:]
    if any(map(is_value, first)) or not any(cell.strip() for cell in first):
        return False
    if len({cell for cell in first if cell}) < len([cell for cell in first if cell]) and rest:
        # The same name twice is rare, the same value twice is not: it is a header only above other kinds of values.
        return any(is_value(cell) for row in rest for cell in row)
    return not any(cell and at < len(row) and row[at] == cell for row in rest for at, cell in enumerate(first))
