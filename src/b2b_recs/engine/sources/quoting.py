"""SQL names and literals: the one door through which a name or a value enters a query text."""

from __future__ import annotations

from b2b_recs.engine.errors import BadInput

POSTGRESQL_NAME_BYTES = 63


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


def _encoded(text: str, what: str) -> bytes:
    if "\x00" in text:
        raise BadInput(f"The {what} {text[:40]!r} contains a NUL character.", advice="Remove it.")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadInput(f"The {what} {text[:40]!r} is not valid text.", advice="Write it as UTF-8.") from None
