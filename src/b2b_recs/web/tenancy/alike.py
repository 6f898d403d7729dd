"""Names of one place that differ only in capitals, set apart before the database refuses them."""

from __future__ import annotations

import logging
from typing import Any

from django.db.models import Count, Manager
from django.db.models.functions import Lower

log = logging.getLogger(__name__)


def set_apart(rows: Manager[Any], place: str, kind: str) -> None:
    """Number the younger of rows that are called alike in one ``place``, a column: the oldest keeps its name.

    Written for migrations, as the owner of the tables: the audit log notes each new name, and the log says it.
    """
    named = rows.annotate(plain=Lower("name"))
    alike = named.values(place, "plain").order_by().annotate(several=Count("id")).filter(several__gt=1)
    for group in list(alike):
        same = named.filter(**{place: group[place], "plain": group["plain"]}).order_by("id")
        for row in same[1:]:
            before, row.name = row.name, _free(named.filter(**{place: group[place]}), row.name)
            row.save(update_fields=["name"])
            log.warning(
                "The %s “%s” is now called “%s”: another one has the name, and capitals make no other name.",
                kind, before, row.name,
            )  # fmt: skip


def _free(others: Any, name: str) -> str:
    """The name with the first number that nothing else there has."""
    number = 2
    while others.filter(name__iexact=(numbered := f"{name[:90]} ({number})")).exists():
        number += 1
    return numbered
