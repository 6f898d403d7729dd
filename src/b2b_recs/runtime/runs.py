"""The tasks of the queue: each does one run in a child process and tells the queue how it ended."""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import JobAborted
from procrastinate.job_context import AbortReason
from procrastinate.jobs import Job

from b2b_recs.runtime.child import ChildEnd, run_in_child
from b2b_recs.runtime.fetching import FairJobs, runs_per_organization
from b2b_recs.runtime.prepared_runs import NotPrepared, PreparedRuns

logger = logging.getLogger(__name__)
EXIT_DONE = 0
EXIT_TEMPORARY = 75
CANCEL_SECONDS = 10.0
SHUTDOWN_SECONDS = 4.0
KINDS = {"execute_etl_run": "etl", "execute_pipeline_run": "pipeline"}


class Settle(Protocol):
    """Writes the end of a run whose child could not; must do nothing when the run has already ended.

    ``kind`` is "etl" or "pipeline", ``outcome`` "failed" or "cancelled".
    """

    def __call__(self, kind: str, organization_id: int, run_id: int, outcome: str, message: str) -> None: ...


class Again(Protocol):
    """Seconds until a run whose child ended too early is tried again; None when it has ended.

    ``message`` says what became of the child; empty when it handed the run back itself.
    """

    def __call__(self, kind: str, organization_id: int, run_id: int, message: str) -> float | None: ...


class TemporaryFailure(Exception):
    """The work may succeed when tried again after ``wait`` seconds."""

    def __init__(self, message: str, wait: float) -> None:
        super().__init__(message)
        self.wait = wait


@dataclass(frozen=True)
class PutBack(BaseRetryStrategy):
    """A shutdown puts the job back at once, a temporary failure after its wait; how often is the run's affair."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, JobAborted):
            return RetryDecision()
        if isinstance(exception, TemporaryFailure):
            return RetryDecision(retry_in={"seconds": max(0, math.ceil(exception.wait))})
        return None


def _ignore(kind: str, organization_id: int, run_id: int, outcome: str, message: str) -> None:
    """Settle nothing: for processes that only defer."""


def _never(kind: str, organization_id: int, run_id: int, message: str) -> float | None:
    """Never again: for processes that only defer."""
    return None


def command_for(kind: str, organization_id: int, run_id: int) -> list[str]:
    """The command line that does one run."""
    return [
        sys.executable, "-m", "b2b_recs.cli.main", "job", kind,
        "--organization", str(organization_id), "--run", str(run_id),
    ]  # fmt: skip


@dataclass
class RunExecutor:
    """Does runs in child processes and turns their end into the queue's terms.

    With ``prepared`` a child is a copy of a process that has loaded everything, otherwise it begins with ``command``.
    """

    settle: Settle = _ignore
    again: Again = _never
    command: Callable[[str, int, int], list[str]] = command_for
    environment: Mapping[str, str] | None = None
    threads: ThreadPoolExecutor | None = None
    prepared: PreparedRuns | None = None

    async def execute(self, context: JobContext, kind: str, organization_id: int, run_id: int) -> None:
        """Run the child to its end. Raises TemporaryFailure, or JobAborted when stopped."""
        # The job has begun: another one for the same thing may be queued behind it, and a retry must not collide.
        await context.app.connector.execute_query_async(
            "UPDATE procrastinate_jobs SET queueing_lock = NULL WHERE id = %(id)s", id=context.job.id
        )
        stop, run = threading.Event(), (kind, organization_id, run_id)
        work = partial(
            self._carry_out,
            run,
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

    def _carry_out(self, run: tuple[str, int, int], **stopping: Any) -> ChildEnd:
        if self.prepared is not None:
            try:
                return self.prepared.run(run, **stopping)
            except NotPrepared as error:
                logger.warning("%s The %s run %s begins with a process of its own.", error, run[0], run[2])
        return run_in_child(self.command(*run), env=self.environment, **stopping)

    async def _conclude(self, context: JobContext, run: tuple[str, int, int], end: ChildEnd) -> None:
        if end.code == EXIT_DONE:
            return
        if end.stopped and _cancelled(context):
            await self._settle(run, "cancelled", "Cancelled on request.")
            raise JobAborted
        if end.stopped:
            await _not_counted(context)
            raise JobAborted
        if end.code != EXIT_TEMPORARY and end.code > 0:
            await self._settle(run, "failed", f"The work ended unexpectedly (exit code {end.code}).")
            return
        killed = end.killed_by
        message = f"The process was ended from outside ({killed})." if killed else ""
        if killed == signal.SIGKILL.name:
            message += " Often the machine has run out of memory."
        wait = await asyncio.to_thread(self.again, *run, message)
        if wait is not None:
            await _not_counted(context)
            raise TemporaryFailure(message or "A temporary failure.", wait)

    async def _settle(self, run: tuple[str, int, int], outcome: str, message: str) -> None:
        await asyncio.to_thread(self.settle, *run, outcome, message)


async def _not_counted(context: JobContext) -> None:
    """The attempts of a job count the workers it has outlived; being put back on purpose is no such."""
    await context.app.connector.execute_query_async(
        "UPDATE procrastinate_jobs SET attempts = attempts - 1 WHERE id = %(id)s", id=context.job.id
    )


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
    app.job_manager = FairJobs(connector, runs_per_organization())
    for name, kind in KINDS.items():
        app.task(name=name, pass_context=True, retry=PutBack())(_task(executor, kind))
    return app


def _task(executor: RunExecutor, kind: str) -> Callable[..., Any]:
    async def execute_run(context: JobContext, organization_id: int, run_id: int) -> None:
        await executor.execute(context, kind, organization_id, run_id)

    return execute_run
