"""Where the entries of the audit log stand on one line of time, a page at a time. Call inside the organization's scope.

A page is found from the entry it follows, not by counting pages: so it costs the same at the beginning and a million
entries later, and nobody counts what nobody reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import CharField, Q, QuerySet, Value

from b2b_recs.web.accounts.models import ApiKey, Membership, Organization
from b2b_recs.web.audit.asking import Ask
from b2b_recs.web.audit.kinds import BY_CODE, KINDS, Kind
from b2b_recs.web.audit.once_called import Words
from b2b_recs.web.tenancy import required

PER_PAGE = 50
PLATFORM = "b2b-recs"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MARK = re.compile(r"(\d{1,17})-(\d{1,18})-([A-Za-z]{1,40})", re.ASCII)


@dataclass(frozen=True)
class Place:
    """Where an entry stands: its time, its number in its table, its kind; in this order entries follow each other."""

    at: datetime
    event: int
    code: str

    @property
    def mark(self) -> str:
        """The place in an address."""
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.event}-{self.code}"

    @classmethod
    def marked(cls, mark: str) -> Place | None:
        """The place an address names; None when it names none."""
        found = _MARK.fullmatch(mark)
        if found is None or found[3] not in BY_CODE:
            return None
        return cls(_EPOCH + timedelta(microseconds=int(found[1])), int(found[2]), found[3])


@dataclass(frozen=True)
class Stretch:
    """The places of one page, newest first, and the marks its neighbours are found by; "" where there is none."""

    places: list[Place]
    newer: str = ""
    older: str = ""


def stretch_of(ask: Ask, before: str = "", after: str = "") -> Stretch:
    """The newest page, the one before (older than) a mark, or the one after (newer than) it."""
    later, earlier = Place.marked(after), Place.marked(before)
    if later is not None:
        found = _line(ask, PER_PAGE + 1, later, newer=True)
        if len(found) < PER_PAGE:  # the newest page is a whole one
            return stretch_of(ask)
        more, places = len(found) > PER_PAGE, found[:PER_PAGE][::-1]
        return Stretch(places, places[0].mark if more else "", places[-1].mark)
    found = _line(ask, PER_PAGE + 1, earlier)
    more, places = len(found) > PER_PAGE, found[:PER_PAGE]
    newer = places[0].mark if places and earlier is not None else ""
    return Stretch(places, newer, places[-1].mark if more else "")


def newest(ask: Ask, most: int) -> list[Place]:
    """The newest places, at most so many."""
    return _line(ask, most)


def events_of(kind: Kind) -> QuerySet[Any]:
    """The events of a kind in the organization in scope."""
    if kind.model is Organization:
        return kind.event.objects.filter(id=required())  # type: ignore[no-any-return]
    return kind.event.objects.all()  # type: ignore[no-any-return]


def _line(ask: Ask, most: int, edge: Place | None = None, newer: bool = False) -> list[Place]:
    """The places next to the edge: older ones, the newest first, or ``newer`` ones, the oldest first.

    The limit inside each part lets the database stop early in the index of each table.
    """
    meant, words, sign, parts = _matching(ask.words), Words(ask.words), "" if newer else "-", []
    order = (f"{sign}pgh_created_at", f"{sign}pgh_id")
    asked = _who(ask.actor) & Q(**ask.times)
    if ask.action:
        asked &= Q(pgh_label=ask.action)
    for kind in KINDS:
        if ask.group not in ("", kind.group):
            continue
        wanted = asked
        if ask.words and not kind.is_meant_by(ask.words):
            wanted &= meant | kind.found(words)
        if edge is not None:
            wanted &= _beyond(edge, kind.code, newer)
        code = Value(kind.code, output_field=CharField())
        rows = events_of(kind).filter(wanted).annotate(code=code).order_by(*order)
        parts.append(rows.values_list("pgh_created_at", "pgh_id", "code")[:most])
    line = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    if len(parts) > 1:
        line = line.order_by(*order, "-code" if newer else "code")
    return [Place(*row) for row in line[:most]]


def _beyond(edge: Place, code: str, newer: bool) -> Q:
    """Events of a kind that stand beyond the edge."""
    side, first = ("gt", code < edge.code) if newer else ("lt", code > edge.code)
    same_time = Q(**{f"pgh_id__{side}e" if first else f"pgh_id__{side}": edge.event})
    # said twice, so that the index is entered at the edge
    return Q(**{f"pgh_created_at__{side}e": edge.at}) & (Q(**{f"pgh_created_at__{side}": edge.at}) | same_time)


def _who(actor: str) -> Q:
    person, program = Q(pgh_context__has_key="user"), Q(pgh_context__has_key="api_key")
    if actor == "people":
        return person & ~program
    if actor == "programs":
        return program
    return Q(pgh_context=None) | (~person & ~program) if actor == "platform" else Q()


def _matching(words: str) -> Q:
    """Events whose actor is called so: by name or address of a person, by the name of a key."""
    if not words:
        return Q()
    people = Membership.objects.filter(user__full_name__icontains=words).values_list("user_id", flat=True)[:50]
    keys = ApiKey.objects.filter(name__icontains=words).values_list("prefix", flat=True)[:50]
    found = Q(pgh_context__email__icontains=words)
    if people:
        found |= Q(pgh_context__user__in=list(people))
    if keys:
        found |= Q(pgh_context__api_key__in=list(keys))
    if words.lower() in PLATFORM:
        found |= Q(pgh_context=None)
    return found
