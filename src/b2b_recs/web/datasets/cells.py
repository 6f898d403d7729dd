"""Values of warehouse tables as cells of a page: NULL is seen as such, long texts are cut with the rest at hand."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

from b2b_recs.engine.profile.columns import Column, Kind
from b2b_recs.engine.profile.values import Plain

SHORT, WHOLE = 80, 4_000
NULL = format_html('<span class="null">{}</span>', "NULL")
_NUMBER = '<td class="num">{}</td>'
_PLAIN = "<td>{}</td>"
_TEXT = "<td><bdi>{}</bdi></td>"
_LONG = (
    '<td><details class="more"><summary><bdi>{}</bdi><span class="faint">…</span></summary>'
    '<p class="more-text" dir="auto">{}</p></details></td>'
)


def cell(value: Plain, column: Column) -> SafeString:
    """One cell of a table of rows."""
    if value is None:
        return format_html(_NUMBER if column.kind is Kind.NUMBER else _PLAIN, NULL)
    text = plain_text(value)
    if column.kind is Kind.NUMBER:
        return format_html(_NUMBER, text)
    if column.kind is not Kind.TEXT and len(text) <= SHORT:
        return format_html(_PLAIN, text)
    if len(text) <= SHORT:
        return format_html(_TEXT, shown_text(text))
    left = len(text) - WHOLE
    whole = text if left <= 0 else f"{text[:WHOLE]}… ({left:,} more characters: download the rows to see them)"
    return format_html(_LONG, text[:SHORT], whole)


def plain_text(value: Plain) -> str:
    """A value as the data has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)


def shown_text(text: str) -> SafeString | str:
    """A text; an empty one and spaces at its ends are made visible."""
    if text == "":
        return format_html('<span class="null">{}</span>', "empty text")
    bare = text.strip()
    if bare == text:
        return text
    start = text[: len(text) - len(text.lstrip())]
    end = text[len(start) + len(bare) :]
    mark = '<span class="space" title="space">{}</span>'
    before = format_html(mark, "·" * len(start)) if start else ""
    after = format_html(mark, "·" * len(end)) if end else ""
    return format_html("{}{}{}", before, bare, after)


def shown_value(value: Plain) -> SafeString | str:
    """A value that stands alone: in a list of frequent values, as an example, as an end of a range."""
    if value is None:
        return NULL
    return shown_text(value) if isinstance(value, str) else plain_text(value)


def rounded(value: float | None) -> str:
    """A mean with as many digits as help: ``12.35``, ``0.01234``, ``249,999.5``."""
    if value is None:
        return "–"
    if value and not 0.01 <= abs(value) < 1e12:
        return f"{value:.3g}"
    text = f"{value:,.2f}" if abs(value) >= 10 else f"{value:.4g}"
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
