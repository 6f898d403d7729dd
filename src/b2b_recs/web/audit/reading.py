"""Entries of the audit log, newest first, from the event tables of every kind. Call inside the organization's scope.

A page costs six queries whatever it shows: whom and which keys the words mean, the places of entries on one time line,
the entries with the state before each, and the names of the people and keys that acted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import CharField, JSONField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject

from b2b_recs.web.accounts.models import ApiKey, Membership, Organization, User
from b2b_recs.web.audit.asking import Ask
from b2b_recs.web.audit.changes import Change
from b2b_recs.web.audit.kinds import BY_CODE, KINDS, Kind
from b2b_recs.web.audit.telling import CHANGED, Facts
from b2b_recs.web.tenancy import required

PER_PAGE = 50
MOST = 10_000  # entries one question leads to; a date leads to those before
PLATFORM = "b2b-recs"
Place = tuple[str, int]


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


def page_of(ask: Ask, number: str) -> Page[Any]:
    """One page of the newest MOST entries."""
    shown = Paginator(_Line(ask), PER_PAGE).get_page(number)
    shown.object_list = entries(shown.object_list)
    return shown


def places(ask: Ask, most: int) -> list[Place]:
    """Where the newest entries are, at most so many."""
    return _Line(ask)[0:most]


def entries(wanted: list[Place]) -> list[Entry]:
    """The entries at those places, in that order."""
    by_kind: dict[str, list[int]] = defaultdict(list)
    for code, event in wanted:
        by_kind[code].append(event)
    if not by_kind:
        return []
    parts = [_details(BY_CODE[code], events) for code, events in by_kind.items()]
    rows = list(parts[0].union(*parts[1:], all=True)) if len(parts) > 1 else list(parts[0])
    called = _Callers([row[3] or {} for row in rows])
    found = {(row[0], row[1]): _entry(row, called) for row in rows}
    return [found[place] for place in wanted if place in found]


class _Line:
    """The places of entries as a sequence for pages."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._meant = _matching(ask.words)

    def count(self) -> int:
        """How many there are, MOST when there are more."""
        return min(MOST, _time_line(self._ask, self._meant, MOST).count())

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, part: slice) -> list[Place]:
        if not part.stop:  # the only page, when nothing is found
            return []
        rows = _time_line(self._ask, self._meant, part.stop)[part.start : part.stop]
        return [(code, event) for code, event, _ in rows]


def _time_line(ask: Ask, meant: Q, most: int) -> QuerySet[Any]:
    """(kind, event, time) of entries that are asked for, newest first, at most so many of each kind.

    ``meant`` are events whose actor the words mean. The limit inside each part lets the database stop early in the
    index of each table.
    """
    parts = []
    for kind in KINDS:
        if ask.group not in ("", kind.group):
            continue
        rows = _events(kind).filter(_who(ask.actor), **ask.times)
        if ask.action:
            rows = rows.filter(pgh_label=ask.action)
        if ask.words and not kind.is_meant_by(ask.words):
            rows = rows.filter(meant | kind.found(ask.words))
        code = Value(kind.code, output_field=CharField())
        newest = rows.annotate(code=code).order_by("-pgh_created_at", "-pgh_id")
        parts.append(newest.values_list("code", "pgh_id", "pgh_created_at")[:most])
    line = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    return line.order_by("-pgh_created_at", "-pgh_id") if len(parts) > 1 else line


def _events(kind: Kind) -> QuerySet[Any]:
    """The events of a kind in the organization in scope."""
    if kind.model is Organization:
        return kind.event.objects.filter(id=required())  # type: ignore[no-any-return]
    return kind.event.objects.all()  # type: ignore[no-any-return]


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


def _details(kind: Kind, events: list[int]) -> QuerySet[Any]:
    """(kind, event, time, context, label, name, model, state, state before) of these events."""
    now = JSONObject(**kind.columns())
    earlier = kind.event.objects.filter(pgh_obj_id=OuterRef("pgh_obj_id"), pgh_id__lt=OuterRef("pgh_id"))
    before = earlier.order_by("-pgh_id").annotate(document=now).values("document")[:1]
    rows = _events(kind).filter(pgh_id__in=events).order_by()
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
