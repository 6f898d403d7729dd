"""Entries of the audit log, newest first, from the event tables of every kind. Call inside the organization's scope.

A page costs seven queries whatever it shows: whom, which keys and which objects the words mean, the places of entries
on one time line, the entries with the state before each, and the names of the people and keys that acted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import CharField, JSONField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject

from b2b_recs.web.accounts.models import ApiKey, User
from b2b_recs.web.audit.asking import Ask
from b2b_recs.web.audit.changes import Change
from b2b_recs.web.audit.kinds import BY_CODE, Kind
from b2b_recs.web.audit.telling import CHANGED, Facts
from b2b_recs.web.audit.time_line import PLATFORM, Place, events_of, stretch_of


@dataclass(frozen=True)
class Entry:
    """One entry: at that time ``actor`` did ``phrase`` to ``name``, with these changes."""

    at: datetime
    actor: str
    actor_kind: str
    phrase: str
    name: str
    changes: list[Change] = field(default_factory=list)
    noun: str = ""
    within: str = ""
    address: str = ""
    request: str = ""

    @property
    def words(self) -> str:
        """The entry as one line of plain text."""
        what = f"{self.actor} {self.phrase} {self.name}".rstrip()
        return f"{what}: {'; '.join(map(str, self.changes))}" if self.changes else what


@dataclass(frozen=True)
class AuditPage:
    """The entries of one page, newest first, and the marks of its neighbours."""

    entries: list[Entry]
    newer: str
    older: str


def page_of(ask: Ask, before: str = "", after: str = "") -> AuditPage:
    """The newest page, or the one next to a mark."""
    stretch = stretch_of(ask, before, after)
    return AuditPage(entries(stretch.places), stretch.newer, stretch.older)


def entries(wanted: list[Place]) -> list[Entry]:
    """The entries at those places, in that order."""
    by_kind: dict[str, list[int]] = defaultdict(list)
    for place in wanted:
        by_kind[place.code].append(place.event)
    if not by_kind:
        return []
    parts = [_details(BY_CODE[code], events) for code, events in by_kind.items()]
    rows = list(parts[0].union(*parts[1:], all=True)) if len(parts) > 1 else list(parts[0])
    called = _Callers([row[3] or {} for row in rows])
    found = {(row[0], row[1]): _entry(row, called) for row in rows}
    keys = ((place.code, place.event) for place in wanted)
    return [found[key] for key in keys if key in found]


def _details(kind: Kind, events: list[int]) -> QuerySet[Any]:
    """(kind, event, time, context, label, name, model, state, state before) of these events."""
    now = JSONObject(**kind.columns())
    earlier = kind.event.objects.filter(pgh_obj_id=OuterRef("pgh_obj_id"), pgh_id__lt=OuterRef("pgh_id"))
    before = earlier.order_by("-pgh_id").annotate(document=now).values("document")[:1]
    rows = events_of(kind).filter(pgh_id__in=events).order_by()
    annotated = rows.annotate(
        code=Value(kind.code, output_field=CharField()),
        called=kind.called(),
        within=kind.within(),
        now=now,
        before=Subquery(before, output_field=JSONField()),
    )
    return annotated.values_list(
        "code", "pgh_id", "pgh_created_at", "pgh_context", "pgh_label", "called", "within", "now", "before"
    )


class _Callers:
    """The names of the people and keys in some contexts, with two queries."""

    def __init__(self, contexts: Iterable[dict[str, Any]]) -> None:
        contexts = list(contexts)
        users = {one["user"] for one in contexts if isinstance(one.get("user"), int)}
        prefixes = {one["api_key"] for one in contexts if one.get("api_key")}
        people = User.objects.filter(id__in=users) if users else User.objects.none()
        self._people = {person.id: person.get_full_name() for person in people}
        keys = ApiKey.objects.filter(prefix__in=prefixes) if prefixes else ApiKey.objects.none()
        self._keys = {key.prefix: key.name for key in keys}

    def name(self, context: dict[str, Any]) -> tuple[str, str]:
        """Who acted, and as what: "person", "program", "operator", "visitor" or "platform"."""
        if context.get("api_key"):
            return f"API key “{self._keys.get(context['api_key'], context['api_key'])}”", "program"
        if context.get("user"):
            kind = "operator" if context.get("process") == "operator" else "person"
            return self._people.get(context["user"]) or str(context.get("email") or "A deleted account"), kind
        if context.get("request"):
            return str(context.get("email") or "A visitor"), "visitor"
        return PLATFORM, "platform"


def _entry(row: tuple[Any, ...], called: _Callers) -> Entry:
    code, _, at, context, label, name, within, now, before = row
    kind, context = BY_CODE[code], context or {}
    before = before or {} if label == CHANGED else {}
    told = kind.tell(Facts(kind.noun, label, before, now or {}, kind.labels, context.get("user")))
    actor, actor_kind = called.name(context)
    return Entry(
        at=at,
        actor=actor,
        actor_kind=actor_kind,
        phrase=told.phrase,
        name="" if told.alone else name or "",
        changes=told.changes,
        noun=kind.noun,
        within=within or "",
        address=str(context.get("address") or ""),
        request=str(context.get("request") or ""),
    )
