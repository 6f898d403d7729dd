"""Tags and filters of the design system: icons, states, numbers, times, the shell around a page."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.forms import BoundField
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify

from b2b_recs.runtime.program import program as told
from b2b_recs.web.ui import formats
from b2b_recs.web.ui.shell import Shell, shell_of
from b2b_recs.web.ui.terms import term_of

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

register = template.Library()

register.filter("grouped", formats.grouped)
register.filter("duration", formats.duration)
register.filter("money", formats.money)
register.filter("data_size", formats.data_size)
register.filter("decimals", formats.decimals)


@register.simple_tag
@lru_cache(maxsize=1024)
def icon(name: str, extra: str = "", label: str = "") -> SafeString:
    """One icon of the sprite; hidden from screen readers unless it carries a label."""
    address = f"{static('ui/icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="ic {}" role="img" aria-label="{}"><use href="{}"></use></svg>', extra, label, address
        )
    return format_html('<svg class="ic {}" aria-hidden="true"><use href="{}"></use></svg>', extra, address)


@register.simple_tag
def program() -> str:
    """What to type to start the platform's command on this machine."""
    return told()


@register.simple_tag
def state(status: str, word: str = "", look: str = "") -> SafeString:
    """A dot with its word."""
    colour, usual = formats.state_of(status)
    return format_html(
        '<span class="state"><span class="dot dot-{}"></span>{}</span>', look or colour or "none", word or usual
    )


@register.simple_tag
def badge(status: str, word: str = "") -> SafeString:
    """A status as a small label."""
    colour, usual = formats.state_of(status)
    look = {"busy": "info"}.get(colour, colour) or "none"
    return format_html('<span class="badge badge-{}">{}</span>', look, word or usual)


def exact(value: datetime) -> str:
    """A time in the current zone, to the second, with the zone's name."""
    local = timezone.localtime(value)
    # A page has a hundred of these, and strftime takes four times as long.
    date = f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]} {local.year}"
    return f"{date}, {local.hour:02}:{local.minute:02}:{local.second:02} {timezone.get_current_timezone_name()}"


@register.filter
def ago(value: datetime | None) -> SafeString | str:
    """A relative time with the exact one on hover; the page's script keeps it true."""
    if value is None:
        return "never"
    return format_html(
        '<time data-ago datetime="{}" title="{}">{}</time>', value.isoformat(), exact(value), formats.ago(value)
    )


@register.filter
def at(value: datetime | None) -> SafeString | str:
    """The exact time of day, with the date on hover."""
    if value is None:
        return "–"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        exact(value),
        f"{timezone.localtime(value):%H:%M:%S}",
    )


@register.filter
def day(value: datetime | None) -> SafeString | str:
    """The date, with the exact time on hover."""
    if value is None:
        return "–"
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), exact(value), f"{local.day} {local:%b %Y}"
    )


@register.filter
def moment(value: datetime) -> SafeString:
    """Date, time of day and zone, with the second on hover."""
    local = timezone.localtime(value)
    words = f"{local.day} {local:%b %Y, %H:%M} {timezone.get_current_timezone_name()}"
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), exact(value), words)


@register.filter
def elapsed(value: datetime | None) -> SafeString | str:
    """Time since a start, counting up while the page is open."""
    if value is None:
        return ""
    seconds = max(0, int((timezone.now() - value).total_seconds()))
    words = f"{seconds // 60}:{seconds % 60:02d}" if seconds < 3600 else formats.duration(seconds)
    return format_html('<time data-elapsed datetime="{}">{}</time>', value.isoformat(), words)


@register.inclusion_tag("ui/components/field.html")
def field(bound: BoundField, hint: str = "") -> dict[str, Any]:
    """One form field with its label, hint and errors tied together for screen readers."""
    described = []
    widget = bound.field.widget
    kind = getattr(widget, "input_type", "")
    look = "" if kind in ("checkbox", "radio") else {"select": "select"}.get(kind, "input")
    if widget.__class__.__name__ == "Textarea":
        look = "textarea"
    hint = hint or str(bound.help_text or "").strip()
    if hint:
        described.append(f"{bound.id_for_label}-hint")
    if bound.errors:
        described.append(f"{bound.id_for_label}-error")
    attributes = {"class": look} if look else {}
    if described:
        attributes["aria-describedby"] = " ".join(described)
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return {"field": bound, "control": bound.as_widget(attrs=attributes), "hint": hint, "is_check": kind == "checkbox"}


@register.inclusion_tag("ui/components/term.html")
def term(text: str, place: str) -> dict[str, Any]:
    """A mark that opens what the measure named in a text means; nothing when it names none. ``place`` is the part of
    the page, in which each measure is explained once."""
    found = term_of(str(text))
    return {"term": found, "id": f"term-{place}-{slugify(found.name.replace('@', '-'))}" if found else ""}


@register.simple_tag(takes_context=True)
def shell(context: template.Context) -> Shell:
    """What stands around a page: organization, user, links, theme."""
    request: HttpRequest = context["request"]
    return shell_of(request, context.get("model"))


@register.simple_tag(takes_context=True)
def address_with(context: template.Context, **changes: Any) -> str:
    """The query string of this page with some parameters changed; empty ones are left out."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value not in ("", None):
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else "?"


@register.simple_tag
def wizard_steps(names: str, here: int, addresses: Any = None) -> list[dict[str, Any]]:
    """The steps of a wizard from their names; ``addresses`` (by number) are where finished ones lead."""
    known = addresses or {}
    return [
        {
            "number": number,
            "name": name,
            "here": number == here,
            "done": number < here or number in known,
            "address": known.get(number, ""),
        }
        for number, name in enumerate(names.split(","), 1)
    ]
