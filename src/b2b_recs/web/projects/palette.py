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
from b2b_recs.web.ui.formats import ago, state_of
from b2b_recs.web.ui.shell import shell_of

MOST = 6
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
    """Where the letters may lead, kind by kind; six queries at most. ``model`` is the one whose page is open."""
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
    return _holding(found, letters)[: MOST if letters else 2 * MOST]


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
    return [
        Hit(
            row.data_source.name,
            f"{state_of(row.status)[1].lower()}, {ago(row.finished_at or row.created_at)}",
            "history",
            reverse("etl_run", args=[row.data_source.configuration.model_id, row.id]),
        )
        for row in rows.select_related("data_source__configuration").order_by("-id")[:RECENT_RUNS]
    ]
