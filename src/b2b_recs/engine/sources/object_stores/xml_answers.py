"""Answers in XML, without anything in them that unfolds."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

Element = ElementTree.Element


class NotAnAnswer(ValueError):
    """The body is not XML, or declares what no store declares."""


def parsed(body: bytes) -> Element:
    """The root element with names free of namespaces. Raises NotAnAnswer."""
    # In UTF-16 a declaration would not be seen below; no store writes it.
    if b"<!" in body or b"\x00" in body:
        raise NotAnAnswer("declarations in an answer")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314
    except (ElementTree.ParseError, ValueError, LookupError):
        raise NotAnAnswer("not XML") from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def error_code(body: bytes) -> tuple[str, Element | None]:
    """The code of an error's body and its element; the empty text when it has none."""
    try:
        root = parsed(body)
    except NotAnAnswer:
        return "", None
    return root.findtext("Code") or "", root
