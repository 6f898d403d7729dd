"""Queues work in the same transaction as the row that describes it."""

from __future__ import annotations

from django.db import connection

from b2b_recs.runtime.queue import defer_sql


def defer(task: str, organization_id: int, run_id: int, lock: str) -> None:
    """Queue one run; the worker sees it when the transaction commits."""
    with connection.cursor() as cursor:
        defer_sql(cursor, task, {"organization_id": organization_id, "run_id": run_id}, lock=lock)
