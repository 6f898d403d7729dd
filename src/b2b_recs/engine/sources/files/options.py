"""What connection forms ask about files: their format, and how they are written where that cannot be seen."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator

from b2b_recs.engine.sources.fields import SourceParameters

FormatName = Literal["csv", "parquet", "json", "excel"]
# Named as programs that write files name them.
Encoding = Literal[
    "auto", "utf-8", "utf-16", "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254",
    "windows-1255", "windows-1256", "windows-1257", "latin-1", "iso-8859-2", "iso-8859-5", "iso-8859-7", "iso-8859-9",
    "iso-8859-15", "koi8-r", "shift_jis", "gb18030", "big5", "euc-kr", "cp437", "cp850", "cp852", "cp866",
]  # fmt: skip
_ENCODING_WORDS = (
    "How characters are stored. auto knows UTF-8 and UTF-16; what is neither is read as windows-1252 (Western Europe), "
    "and the columns and the run say so. Central Europe: windows-1250, iso-8859-2. Cyrillic: windows-1251, iso-8859-5, "
    "koi8-r. Greek: 1253, 8859-7. Turkish: 1254, 8859-9. Hebrew: 1255. Arabic: 1256. Baltic: 1257. Japanese: "
    "shift_jis. Chinese: gb18030, big5. Korean: euc-kr. Old DOS programs: cp437, cp850, cp852, cp866."
)


_TABS = {"tab": "\t", "\\t": "\t"}


def _one_mark(value: str) -> str:
    if len(value) > 1:
        raise ValueError(f"must be one character; {len(value):,} were given, which cannot be read")
    if not value.isascii():
        raise ValueError("must be a character of ASCII, such as , ; | ^ or ~; others cannot be read")
    if value in ("\r", "\n", "\0"):
        raise ValueError("must not be the end of a line or NUL")
    return value


def _delimiter(value: str) -> str:
    if value.lower() == "none":
        raise ValueError("must be one character or tab; a file of one column needs none, leave the field empty")
    return _one_mark(_TABS.get(value.lower(), value))


def _quote(value: str) -> str:
    return "none" if value.lower() == "none" else _one_mark(_TABS.get(value.lower(), value))


def _row_of_names(given: Any) -> int | str:
    """What was given, a number also as text: forms send nothing else."""
    if isinstance(given, str) and given.lower() == "auto":
        return "auto"
    number = int(given) if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 9 else given
    if type(number) is int and 0 <= number <= MOST_ROWS:
        return number
    raise ValueError(f"must be auto, or the number of a row from 1 to {MOST_ROWS:,}, or 0 when no row holds names")


# Rows of a worksheet that may come before the names.
MOST_ROWS = 1_000_000
Delimiter = Annotated[str, AfterValidator(_delimiter)]
Quote = Annotated[str, AfterValidator(_quote)]
RowOfNames = Annotated[
    int | Literal["auto"], PlainValidator(_row_of_names, json_schema_input_type=int | Literal["auto"])
]


class CsvOptions(SourceParameters):
    """How text files with delimiters are written; everything is detected in each file unless it is given."""

    delimiter: Delimiter = Field(
        default="",
        title="Delimiter",
        description="The one ASCII character between values, or tab. Left empty, it is detected.",
    )
    quote: Quote = Field(
        default="",
        title="Quote",
        description="The character around values that hold a delimiter, or none. Left empty, it is detected.",
    )
    header: Literal["auto", "yes", "no"] = Field(
        default="auto", title="First line", description="Whether the first line holds the names of the columns."
    )
    encoding: Encoding = Field(default="auto", title="Encoding", description=_ENCODING_WORDS)
    null_text: str = Field(
        default="",
        title="Text for no value",
        description="What stands for a missing value besides an empty one, such as NULL or \\N.",
        max_length=40,
    )


class JsonOptions(SourceParameters):
    """How JSON files are written."""

    layout: Literal["auto", "lines", "array"] = Field(
        default="auto", title="Layout", description="One object on each line, or one array of objects."
    )


class ParquetOptions(SourceParameters):
    """Parquet files say everything themselves."""


class ExcelOptions(SourceParameters):
    """How worksheets are laid out."""

    header_row: RowOfNames = Field(
        default="auto",
        title="Row of names",
        description="The row that holds the names of the columns, counted from 1; 0 when there is none. auto finds it: "
        "titles above, which fill at most half of the columns, are left out.",
    )


class AnyFormatOptions(CsvOptions, JsonOptions, ExcelOptions):
    """For places that keep files of any format: the format, and the settings of every one of them."""

    format: FormatName = Field(
        title="Format", description="csv (any delimiter), parquet, json (arrays or lines) or excel."
    )
