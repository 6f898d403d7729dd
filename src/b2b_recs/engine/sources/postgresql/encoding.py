"""Databases without an encoding: SQL_ASCII keeps any bytes as text, and only some of them are UTF-8."""

from __future__ import annotations

ANY_BYTES = "SQL_ASCII"

# Table 3-7 of the Unicode standard; under SQL_ASCII the server matches byte by byte.
_UTF8 = (
    r"^([\x01-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    r"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}"
    r"|\xf4[\x80-\x8f][\x80-\xbf]{2})*$"
)


def not_utf8(text: str) -> str:
    """SQL that is true when the bytes of the SQL text ``text`` are not UTF-8."""
    return f"{text} !~ '{_UTF8}'"


def readable(text: str) -> str:
    """SQL of ``text`` itself where it is UTF-8, else of its bytes as ``\\x`` and hexadecimal digits."""
    return f"CASE WHEN {not_utf8(text)} THEN E'\\\\x' || encode(convert_to({text}, 'SQL_ASCII'), 'hex') ELSE {text} END"
