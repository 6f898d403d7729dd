"""Queues work in the same transaction as the row that describes it."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from b2b_recs.runtime.queue import cancel_sql, defer_all_sql, defer_sql, hasten_sql


def defer(task: str, organization_id: int, run_id: int, lock: str) -> None:
    """Queue one run; the worker sees it when the transaction commits."""
    with connection.cursor() as cursor:
        defer_sql(cursor, task, {"organization_id": organization_id, "run_id": run_id}, lock=lock)


def defer_all(task: str, organization_id: int, locks: Mapping[int, str]) -> None:
    """Queue many runs (run → lock) in one statement, in that order."""
    with connection.cursor() as cursor:
        jobs = [({"organization_id": organization_id, "run_id": run}, lock) for run, lock in locks.items()]
        defer_all_sql(cursor, task, jobs)


def call_off(task: str, organization_id: int, run_id: int) -> bool:
    """Take a run out of the queue, or ask its worker to stop it; False when a worker has it and will end it.

    True also when the queue does not know the run: then nobody else ends it.
    """
    with connection.cursor() as cursor:
        return cancel_sql(cursor, task, {"organization_id": organization_id, "run_id": run_id}) != "stopping"


def hasten(task: str, organization_id: int, run_id: int) -> None:
    """Let a run that waits for its next attempt go on at once."""
    with connection.cursor() as cursor:
        hasten_sql(cursor, task, {"organization_id": organization_id, "run_id": run_id})
