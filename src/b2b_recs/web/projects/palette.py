"""The command palette: pages, models, jobs, tables, connections, runs by a few letters. Call inside the scope."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from b2b_recs.web.accounts.access import allows
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.datasets.tables import address_of
from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLRun
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.runs.presenting import present_etl
from b2b_recs.web.ui.formats import ago, state_of
from b2b_recs.web.ui.shell import links_of, shell_of

MOST = 6
MODELS = 200  # whose pages are looked through
RECENT_RUNS = 5


@dataclass(frozen=True)
class Hit:
    """One place to go to."""

    name: str
    note: str
    icon: str
    address: str


@dataclass(frozen=True)
class Hits:
    """Places of one kind."""

    title: str
    items: list[Hit]


def find(request: HttpRequest, query: str, model: ModelEndpoint | None) -> list[Hits]:
    """Where the letters may lead, kind by kind; seven queries at most. ``model`` is the one whose page is open."""
    letters = query.strip()[:100]
    groups = [
        Hits("Pages", _pages(request, letters, model)),
        Hits("Models", _models(letters)),
        Hits("Jobs", _jobs(letters, model)),
        Hits("Tables", _tables(letters) if letters else []),
        Hits("Connections", _connections(letters, model) if letters else []),
        Hits("Recent runs", _runs(letters, model)),
    ]
    return [group for group in groups if group.items]


def _pages(request: HttpRequest, letters: str, model: ModelEndpoint | None) -> list[Hit]:
    found = [
        Hit(link.name, group.title, link.icon, link.address)
        for group in shell_of(request, model).groups
        for link in group.links
    ]
    if allows(request, "editor"):
        found.append(Hit("Create model", "", "plus", reverse("model_create")))
        if model is not None:
            found.append(Hit("New connection", model.name, "plug", reverse("connection_new", args=[model.id])))
            found.append(Hit("New ETL job", model.name, "plus", reverse("job_new", args=[model.id])))
    if letters:
        found += _pages_of_models(letters, model)
    return _holding(found, letters)[: MOST if letters else 2 * MOST]


def _pages_of_models(letters: str, here: ModelEndpoint | None) -> list[Hit]:
    """Pages of the other models that a word of ``letters`` names: a model's name alone leads to the model."""
    words = letters.casefold().split()
    if not any(word in link.name.casefold() for link in links_of(0) for word in words):
        return []
    others = ModelEndpoint.objects.exclude(id=here.id if here else None).order_by("name", "id")
    return [
        Hit(link.name, name, link.icon, link.address)
        for number, name in others.values_list("id", "name")[:MODELS]
        for link in links_of(number)
        if any(word in link.name.casefold() for word in words)
    ]


def _holding(hits: Iterable[Hit], letters: str) -> list[Hit]:
    words = letters.casefold().split()
    return [hit for hit in hits if all(word in f"{hit.name} {hit.note}".casefold() for word in words)]


def _models(letters: str) -> list[Hit]:
    rows = ModelEndpoint.objects.filter(Q(name__icontains=letters) | Q(description__icontains=letters)).order_by("name")
    return [Hit(row.name, state_of(row.status)[1], "boxes", reverse("model", args=[row.id])) for row in rows[:MOST]]


def _jobs(letters: str, model: ModelEndpoint | None) -> list[Hit]:
    if not letters and model is None:
        return []
    rows = DataSource.objects.filter(
        Q(name__icontains=letters) | Q(table__spec__destination_table__icontains=letters), draft=False
    )
    if not letters and model is not None:
        rows = rows.filter(configuration__model=model)
    return [
        Hit(
            row.name, row.configuration.model.name, "table-2", reverse("job", args=[row.configuration.model_id, row.id])
        )
        for row in rows.select_related("configuration__model").order_by("name")[:MOST]
    ]


def _tables(letters: str) -> list[Hit]:
    """Tables of the warehouse that were loaded."""
    name = "spec__destination_table"
    rows = DataSourceTable.objects.filter(
        **{f"{name}__icontains": letters}, data_source__draft=False, last_synced_at__isnull=False
    )
    found: dict[str, Hit] = {}
    for row in rows.select_related("data_source__configuration__model").order_by(name, "id")[: 3 * MOST]:
        model = row.data_source.configuration.model
        if (address := address_of(model.id, row.spec)) and len(found) < MOST:
            found.setdefault(address, Hit(str(row.spec["destination_table"]), model.name, "database", address))
    return list(found.values())


def _connections(letters: str, model: ModelEndpoint | None) -> list[Hit]:
    rows = Connection.objects.filter(name__icontains=letters).select_related("model").order_by("name")
    return [
        Hit(row.name, row.model.name, "plug", f"{reverse('etl', args=[row.model_id])}#connection-{row.id}")
        for row in rows[:MOST]
    ]


def _runs(letters: str, model: ModelEndpoint | None) -> list[Hit]:
    rows = ETLRun.objects.filter(data_source__name__icontains=letters)
    if not letters and model is not None:
        rows = rows.filter(data_source__configuration__model=model)
    recent = rows.select_related("data_source__configuration", "started_by").order_by("-id")[:RECENT_RUNS]
    views = [present_etl(row, row.data_source.configuration.model_id) for row in recent]
    return [
        Hit(
            view.what,
            f"{(view.status_word or state_of(view.status)[1]).lower()}, {ago(view.at)}",
            "history",
            view.address,
        )
        for view in views
    ]
