"""What the pages of connections show: tiles of types, cards. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber

from b2b_recs.engine.counting import listed
from b2b_recs.engine.sources.contract import SourceType
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.projects.models import ModelEndpoint

# A test younger than this is not repeated when the page opens.
FRESH = timedelta(minutes=5)
CATEGORIES = {
    "relational": "Relational",
    "files": "Files and object storage",
    "nosql": "NoSQL",
    "warehouses": "Warehouses",
}
TILES = {
    "postgresql": "PG", "mysql": "MY", "mariadb": "MA", "sqlserver": "MS", "oracle": "OR", "sqlite": "SL",
    "redshift": "RS", "bigquery": "BQ", "snowflake": "SF", "mongodb": "MO", "firestore": "FS", "csv": "CSV",
    "parquet": "PQ", "json": "JS", "excel": "XL", "gcs": "GS", "s3": "S3", "azure_blob": "AZ", "sftp": "FTP",
}  # fmt: skip
NAMED = 10  # jobs that are named where a connection is used by many
Used = tuple[int, list[str], int]  # jobs, the first names, and how many of them run
PLACES = (("host", "port"), ("account",), ("project", "dataset"), ("bucket", "prefix"), ("container", "prefix"))


@dataclass(frozen=True)
class Card:
    """A connection on the ETL page."""

    id: int
    name: str
    type_name: str
    tile: str
    place: str
    dot: str
    word: str
    trouble: str
    tested_at: datetime | None
    jobs: int
    job_names: str
    running: int  # jobs that stop when it is switched off
    enabled: bool
    stale: bool

    @property
    def look(self) -> str:
        """The dot's class."""
        return {"green": "ok", "red": "bad", "yellow": "warn"}.get(self.dot, "none")

    @property
    def off_words(self) -> str:
        """What switching it off stops, to be confirmed; empty where it stops nothing."""
        if not self.running:
            return ""
        jobs = "1 job reads" if self.running == 1 else f"{self.running:,} jobs read"
        return f"{jobs} from it and will not run until it is switched on again."

    @property
    def delete_words(self) -> str:
        """What deleting loses."""
        return "Its address and its stored credentials are deleted. No job uses it. This cannot be undone."


def tile_of(type_name: str) -> str:
    """The letters that stand for a source type."""
    return TILES.get(type_name, type_name[:2].upper())


def categories() -> list[tuple[str, str, list[SourceType]]]:
    """Every category with its title and types, in the order of the pages."""
    return [
        (name, title, [one for one in SOURCE_TYPES.values() if one.category == name])
        for name, title in CATEGORIES.items()
    ]


def cards(model: ModelEndpoint, now: datetime | None = None) -> list[Card]:
    """The connections of a model by name; two queries."""
    rows = list(Connection.objects.filter(model=model).order_by("name"))
    used = jobs_of(rows)
    return [card_of(row, used[row.id], now or datetime.now(UTC)) for row in rows]


def jobs_of(rows: Sequence[Connection]) -> dict[int, Used]:
    """How many jobs use each connection, and the first of their names; one query however many."""
    jobs = DataSource.objects.filter(connection__in=rows).annotate(
        place=Window(RowNumber(), partition_by=F("connection_id"), order_by=[F("name"), F("id")]),
        count=Window(Count("id"), partition_by=F("connection_id")),
        running=Window(Count("id", filter=Q(draft=False, enabled=True)), partition_by=F("connection_id")),
    )
    found: dict[int, Used] = {row.id: (0, [], 0) for row in rows}
    named = jobs.filter(place__lte=NAMED).order_by("place")
    for connection, name, count, running in named.values_list("connection_id", "name", "count", "running"):
        found[connection] = (count, [*found[connection][1], name], running)
    return found


def card_of(row: Connection, used: Used, now: datetime) -> Card:
    """One connection as its card shows it."""
    declared = SOURCE_TYPES.get(row.source_type)
    tested = max(filter(None, (row.last_test_at, row.test_trouble_at)), default=None)
    return Card(
        id=row.id,
        name=row.name,
        type_name=declared.name if declared else row.source_type,
        tile=tile_of(row.source_type),
        place=place_of(row.parameters),
        dot=row.dot if row.enabled else "grey",
        word=_word(row),
        trouble=row.test_trouble or (row.last_test_message if row.dot == "red" else ""),
        tested_at=tested,
        jobs=used[0],
        job_names=listed(used[1], used[0]),
        running=used[2],
        enabled=row.enabled,
        stale=row.enabled and (tested is None or now - tested > FRESH),
    )


def place_of(parameters: dict[str, Any]) -> str:
    """Where a connection leads, in one line: “shop.example.com : 5432 / shop”."""
    database = parameters.get("database") or parameters.get("service_name") or parameters.get("folder")
    for names in PLACES:
        parts = [str(parameters[name]) for name in names if parameters.get(name)]
        if parts:
            first = " : ".join(parts) if names[0] == "host" else " / ".join(parts)
            return f"{first} / {database}" if database else first
    return str(parameters.get("location") or parameters.get("file") or database or "")


def _word(row: Connection) -> str:
    if not row.enabled:
        return "Switched off"
    if row.test_trouble:
        return "Not tested"
    return {"passed": "Works", "failed": "Refused"}.get(row.last_test_status, "Never tested")
