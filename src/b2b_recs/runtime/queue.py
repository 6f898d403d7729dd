"""The queue of background work: deferring and cancelling inside the caller's own transaction.

Jobs live in Procrastinate's tables of the control database. A job only names a run; the run's state, stages
and log are rows of their own, written by the child process that does the work.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from procrastinate.schema import SchemaManager

from b2b_recs.runtime.runs import EXIT_DONE, EXIT_TEMPORARY, Again, RunExecutor, Settle, queue_app_for
from b2b_recs.runtime.worker import run_worker

__all__ = [
    "EXIT_DONE",
    "EXIT_TEMPORARY",
    "Again",
    "RunExecutor",
    "Settle",
    "cancel_sql",
    "defer_all_sql",
    "defer_sql",
    "hasten_sql",
    "queue_app_for",
    "run_worker",
    "schema_sql",
]


_HASTEN = """
UPDATE procrastinate_jobs SET scheduled_at = NULL
WHERE task_name = %s AND status = 'todo' AND args @> %s::jsonb
"""


_NO_ORGANIZATIONS = """
CREATE FUNCTION b2b_recs_runs_at_once(organization text) RETURNS integer LANGUAGE sql AS 'SELECT NULL::integer';
"""


class Cursor(Protocol):
    """What deferring needs of a DB-API cursor (Django's or psycopg's)."""

    def execute(self, query: Any, params: Any = None, /) -> Any: ...
    def fetchone(self) -> Any: ...


_DEFER = """
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
VALUES (%s, %s, %s, %s, %s, %s::jsonb, %s)
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
RETURNING id
"""

_DEFER_ALL = """
INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args)
SELECT 'default', %s, job.lock, job.args
FROM ROWS FROM (jsonb_to_recordset(%s::jsonb) AS (lock text, args jsonb)) WITH ORDINALITY AS job (lock, args, place)
ORDER BY job.place
"""

_CANCEL = """
WITH wanted AS MATERIALIZED (
    SELECT id, status FROM procrastinate_jobs
    WHERE task_name = %s AND status IN ('todo', 'doing')
      AND args @> %s::jsonb
    ORDER BY id DESC LIMIT 1 FOR UPDATE
)
SELECT CASE status WHEN 'todo' THEN 'cancelled' ELSE 'stopping' END,
       procrastinate_cancel_job_v1(id, true, false)
FROM wanted
"""


def defer_sql(
    cursor: Cursor,
    task_name: str,
    args: Mapping[str, Any],
    *,
    lock: str | None = None,
    queueing_lock: str | None = None,
    queue: str = "default",
    priority: int = 0,
    scheduled_at: datetime | None = None,
) -> int | None:
    """Queue a job in the cursor's transaction; returns its id.

    None when a job with the same ``queueing_lock`` already waits (the transaction stays usable). Jobs of the
    same ``lock`` run one at a time, in order. Higher ``priority`` goes first.
    """
    values = (queue, task_name, priority, lock, queueing_lock, json.dumps(dict(args)), scheduled_at)
    cursor.execute(_DEFER, values)
    row = cursor.fetchone()
    return int(row[0]) if row else None


def defer_all_sql(cursor: Cursor, task_name: str, jobs: Sequence[tuple[Mapping[str, Any], str]]) -> None:
    """Queue jobs of one task, each its arguments and its lock, in one statement of the cursor's transaction."""
    values = [{"lock": lock, "args": dict(args)} for args, lock in jobs]
    cursor.execute(_DEFER_ALL, (task_name, json.dumps(values)))


def cancel_sql(cursor: Cursor, task_name: str, args: Mapping[str, Any]) -> str | None:
    """Cancel the newest unfinished job with these arguments, in the cursor's transaction.

    "cancelled" when it had not begun (the caller marks the run), "stopping" when a worker is told to stop it,
    None when there is no such job.
    """
    cursor.execute(_CANCEL, (task_name, json.dumps(dict(args))))
    row = cursor.fetchone()
    return str(row[0]) if row else None


def hasten_sql(cursor: Cursor, task_name: str, args: Mapping[str, Any]) -> None:
    """Let a job that waits for its time go now, in the cursor's transaction; nothing when none waits."""
    cursor.execute(_HASTEN, (task_name, json.dumps(dict(args))))


def schema_sql() -> str:
    """The SQL that creates the queue's tables, types and functions in an empty database without organizations."""
    return SchemaManager.get_schema() + _NO_ORGANIZATIONS
