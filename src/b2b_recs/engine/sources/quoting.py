"""SQL names and literals: the one door through which a name or a value enters a query text."""

from __future__ import annotations

from b2b_recs.engine.errors import BadInput

POSTGRESQL_NAME_BYTES = 63
MYSQL_NAME_CHARACTERS = 64
SQL_SERVER_NAME_CHARACTERS = 128


def quote_name(name: str, *, limit: int = POSTGRESQL_NAME_BYTES) -> str:
    """``name`` as a quoted identifier of standard SQL.

    Names longer than ``limit`` bytes are refused: the server would cut them and could mean another table.
    Raises BadInput for an empty name, a NUL, a lone surrogate, or too many bytes.
    """
    encoded = _encoded(name, "name")
    if not encoded:
        raise BadInput("A table or column name is empty.", advice="Choose a name from the list.")
    if len(encoded) > limit:
        raise BadInput(
            f"The name {name[:40]!r}… has {len(encoded)} bytes; the server allows {limit}.",
            advice="Choose a name from the list.",
        )
    return '"' + name.replace('"', '""') + '"'


def quote_qualified(*parts: str) -> str:
    """Quoted names joined by dots, as in schema.table."""
    return ".".join(quote_name(part) for part in parts)


def quote_text(value: str) -> str:
    """``value`` as a string literal that means the same under every setting of the server; BadInput for NUL."""
    _encoded(value, "value")
    quoted = value.replace("'", "''")
    if "\\" in quoted:
        return " E'" + quoted.replace("\\", "\\\\") + "'"
    return "'" + quoted + "'"


def quote_text_without_backslash(value: str) -> str:
    """``value`` as SQL text without a backslash in any literal, for servers that may read it either way."""
    _encoded(value, "value")
    pieces = ["'" + piece.replace("'", "''") + "'" for piece in value.split("\\")]
    return "(" + " || chr(92) || ".join(pieces) + ")" if len(pieces) > 1 else pieces[0]


def quote_escaped_text(value: str) -> str:
    """``value`` as a string literal for servers that read backslashes in every literal; BadInput for NUL."""
    _encoded(value, "value")
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def quote_escaped_name(name: str, *, limit: int) -> str:
    """``name`` between backticks for servers that read backslashes in names (BigQuery); BadInput as for any name."""
    quote_name(name, limit=limit)
    escaped = name.replace("\\", "\\\\").replace("`", "\\`").replace("\n", "\\n").replace("\r", "\\r")
    return f"`{escaped}`"


def quote_sqlite(name: str) -> str:
    """``name`` between backticks, which SQLite never takes for a text, as it does with names in double quotes.

    It may be empty, which is a name like any other there. Raises BadInput for a NUL and a lone surrogate.
    """
    _encoded(name, "name")
    return "`" + name.replace("`", "``") + "`"


def quote_backticks(name: str) -> str:
    """``name`` between backticks, for MySQL and MariaDB. Raises BadInput for a name these servers cannot have."""
    quote_name(name, limit=256)
    if len(name) > MYSQL_NAME_CHARACTERS:
        raise BadInput(
            f"The name {name[:40]!r}… has {len(name)} characters; the server allows {MYSQL_NAME_CHARACTERS}.",
            advice="Choose a name from the list.",
        )
    # The server takes a blank at the end away, and could mean another table.
    if name.endswith(" ") or max(name) > "\uffff":
        raise BadInput(
            f"The name {name!r} ends with a blank or has characters beyond U+FFFF; the server allows neither.",
            advice="Choose a name from the list.",
        )
    return "`" + name.replace("`", "``") + "`"


def quote_brackets(name: str) -> str:
    """``name`` between brackets, for SQL Server. Raises BadInput as for any name, and over 128 characters."""
    quote_name(name, limit=512)
    if len(name) > SQL_SERVER_NAME_CHARACTERS:
        raise BadInput(
            f"The name {name[:40]!r}… has {len(name)} characters; the server allows {SQL_SERVER_NAME_CHARACTERS}.",
            advice="Choose a name from the list.",
        )
    return "[" + name.replace("]", "]]") + "]"


def quote_plain_text(value: str) -> str:
    """``value`` as a string literal of standard SQL, in which a backslash is one like any other; BadInput for NUL."""
    _encoded(value, "value")
    return "'" + value.replace("'", "''") + "'"


def _encoded(text: str, what: str) -> bytes:
    if "\x00" in text:
        raise BadInput(f"The {what} {text[:40]!r} contains a NUL character.", advice="Remove it.")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadInput(f"The {what} {text[:40]!r} is not valid text.", advice="Write it as UTF-8.") from None
