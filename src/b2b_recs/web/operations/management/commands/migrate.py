"""Django's ``migrate``, which gives an empty database all tables at once first."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from b2b_recs.web.operations.first_tables import put_first_tables


class Command(migrate.Command):
    """As Django's; asked for all migrations of an empty database it begins with the file of first tables."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Put the first tables where nothing is asked but to be up to date, then migrate as usual."""
        asked = ("app_label", "plan", "check_unapplied", "fake", "fake_initial", "prune")
        if not any(options.get(name) for name in asked):
            put_first_tables(connections[options["database"]])
        super().handle(*args, **options)
