"""The queue of background work: deferring inside the caller's transaction, and the tasks behind it.

Jobs live in Procrastinate's tables of the control database. A job only names a run; the run's state, stages
and log are rows of their own, written by the child process that does the work.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import JobAborted
from procrastinate.job_context import AbortReason
from procrastinate.jobs import Job
from procrastinate.schema import SchemaManager

from b2b_recs.runtime.child import ChildEnd, run_in_child

EXIT_DONE = 0
EXIT_TEMPORARY = 75
MAX_ATTEMPTS = 3
RETRY_WAITS = (5, 30)
CANCEL_SECONDS = 10.0
SHUTDOWN_SECONDS = 4.0
KINDS = {"execute_etl_run": "etl", "execute_pipeline_run": "pipeline"}


class Cursor(Protocol):
    """What deferring needs of a DB-API cursor (Django's or psycopg's)."""

    def execute(self, query: Any, params: Any = None, /) -> Any: ...
    def fetchone(self) -> Any: ...


class Settle(Protocol):
    """Writes the end of a run whose child could not; must do nothing when the run has already ended.

    ``kind`` is "etl" or "pipeline", ``outcome`` "failed" or "cancelled".
    """

    def __call__(self, kind: str, organization_id: int, run_id: int, outcome: str, message: str) -> None: ...


class TemporaryFailure(Exception):
    """The work may succeed when tried again."""


_DEFER = """
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
VALUES (%s, %s, %s, %s, %s, %s::jsonb, %s)
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
RETURNING id
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


def cancel_sql(cursor: Cursor, task_name: str, args: Mapping[str, Any]) -> str | None:
    """Cancel the newest unfinished job with these arguments, in the cursor's transaction.

    "cancelled" when it had not begun (the caller marks the run), "stopping" when a worker is told to stop it,
    None when there is no such job.
    """
    cursor.execute(_CANCEL, (task_name, json.dumps(dict(args))))
    row = cursor.fetchone()
    return str(row[0]) if row else None


def schema_sql() -> str:
    """The SQL that creates the queue's tables, types and functions in an empty database."""
    return SchemaManager.get_schema()


@dataclass(frozen=True)
class TryAgain(BaseRetryStrategy):
    """A shutdown puts the job back at once; a temporary failure waits, up to ``max_attempts`` in all."""

    max_attempts: int = MAX_ATTEMPTS
    waits: Sequence[int] = RETRY_WAITS

    def last(self, job: Job) -> bool:
        """Whether this attempt of the job is the last one."""
        return job.attempts + 1 >= self.max_attempts

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, JobAborted):
            return RetryDecision()
        if isinstance(exception, TemporaryFailure) and not self.last(job):
            return RetryDecision(retry_in={"seconds": self.waits[min(job.attempts, len(self.waits) - 1)]})
        return None


def _ignore(kind: str, organization_id: int, run_id: int, outcome: str, message: str) -> None:
    """Settle nothing: for processes that only defer."""


def command_for(kind: str, organization_id: int, run_id: int) -> list[str]:
    """The command line that does one run."""
    return [
        sys.executable, "-m", "b2b_recs.cli.main", "job", kind,
        "--organization", str(organization_id), "--run", str(run_id),
    ]  # fmt: skip


@dataclass
class RunExecutor:
    """Does runs in child processes and turns their end into the queue's terms."""

    settle: Settle = _ignore
    strategy: TryAgain = field(default_factory=TryAgain)
    command: Callable[[str, int, int], list[str]] = command_for
    environment: Mapping[str, str] | None = None
    threads: ThreadPoolExecutor | None = None

    async def execute(self, context: JobContext, kind: str, organization_id: int, run_id: int) -> None:
        """Run the child to its end. Raises TemporaryFailure, or JobAborted when stopped."""
        # The job has begun: another one for the same thing may be queued behind it, and a retry must not collide.
        await context.app.connector.execute_query_async(
            "UPDATE procrastinate_jobs SET queueing_lock = NULL WHERE id = %(id)s", id=context.job.id
        )
        stop, run = threading.Event(), (kind, organization_id, run_id)
        work = partial(
            run_in_child,
            self.command(*run),
            env=self.environment,
            should_stop=stop.is_set,
            stop_seconds=lambda: CANCEL_SECONDS if _cancelled(context) else SHUTDOWN_SECONDS,
        )
        waiting = asyncio.get_running_loop().run_in_executor(self.threads, work)
        try:
            end = await asyncio.shield(waiting)
        except asyncio.CancelledError:
            stop.set()
            end = await asyncio.shield(waiting)
        await self._conclude(context, run, end)

    async def _conclude(self, context: JobContext, run: tuple[str, int, int], end: ChildEnd) -> None:
        if end.code == EXIT_DONE:
            return
        if end.stopped and _cancelled(context):
            await self._settle(run, "cancelled", "Cancelled on request.")
            raise JobAborted
        if end.stopped:
            raise JobAborted
        if end.code != EXIT_TEMPORARY and end.code > 0:
            await self._settle(run, "failed", f"The work ended unexpectedly (exit code {end.code}).")
            return
        killed = end.killed_by
        message = f"The process was ended from outside ({killed})." if killed else "A temporary failure."
        if killed == signal.SIGKILL.name:
            message += " Often the machine has run out of memory."
        if self.strategy.last(context.job):
            await self._settle(run, "failed", f"{message} Given up after {self.strategy.max_attempts} attempts.")
        raise TemporaryFailure(message)

    async def _settle(self, run: tuple[str, int, int], outcome: str, message: str) -> None:
        await asyncio.to_thread(self.settle, *run, outcome, message)


def _cancelled(context: JobContext) -> bool:
    """Whether a stop is somebody's wish; ``should_abort`` alone is also true when the worker shuts down."""
    return bool(context.abort_reason() is AbortReason.USER_REQUEST)


def queue_app_for(conninfo: str, executor: RunExecutor | None = None) -> App:
    """The queue of the control database at ``conninfo``, with the tasks execute_etl_run and execute_pipeline_run."""
    connector = PsycopgConnector(
        conninfo=conninfo,
        min_size=1,
        max_size=4,
        timeout=15,
        kwargs={"application_name": "b2b-recs queue"},
    )
    app, executor = App(connector=connector), executor or RunExecutor()
    for name, kind in KINDS.items():
        app.task(name=name, pass_context=True, retry=executor.strategy)(_task(executor, kind))
    return app


def _task(executor: RunExecutor, kind: str) -> Callable[..., Any]:
    async def execute_run(context: JobContext, organization_id: int, run_id: int) -> None:
        await executor.execute(context, kind, organization_id, run_id)

    return execute_run
