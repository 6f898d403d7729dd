"""The worker process: takes jobs, shows that it lives, and puts back what a dead worker left behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker

from b2b_recs.runtime.database import ControlDatabase
from b2b_recs.runtime.errors import DatabaseUnreachable
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.keys import load_keys
from b2b_recs.runtime.runs import KINDS, RunExecutor, Settle, queue_app_for

HEARTBEAT_SECONDS = 3.0
STALLED_SECONDS = 15.0
SWEEP_SECONDS = 4.0
FORGET_SECONDS = 3600.0
FINISHED_HOURS = 7 * 24
MAX_DEATHS = 20
ALIVE_FILE = "worker.alive"

logger = logging.getLogger(__name__)

Periodic = Sequence[tuple[float, Callable[[], object]]]

# One statement, so that of two sweepers only one puts a job back. Its queueing lock has served its purpose.
_SWEEP = """
WITH stalled AS MATERIALIZED (
    SELECT job.id, job.attempts, job.abort_requested, job.task_name, job.args FROM procrastinate_jobs job
    LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
    WHERE job.status = 'doing'
      AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => %(seconds)s)
           OR job.id = ANY(%(forgotten)s::bigint[]))
    FOR UPDATE OF job SKIP LOCKED
)
UPDATE procrastinate_jobs job
SET status = (CASE WHEN stalled.abort_requested THEN 'aborted'
                   WHEN stalled.attempts >= %(limit)s THEN 'failed' ELSE 'todo' END)::procrastinate_job_status,
    attempts = job.attempts + 1, queueing_lock = NULL, worker_id = NULL, scheduled_at = NULL
FROM stalled WHERE job.id = stalled.id
RETURNING job.id, job.status::text AS status, job.task_name, job.args
"""


_MINE = "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = %(worker_id)s"


class SteadyWorker(Worker):
    """Procrastinate's worker, whose heartbeat outlives a short absence of the database."""

    suspects: frozenset[int] = frozenset()

    async def forgotten(self) -> list[int]:
        """Jobs that are ours by the database but not running here, at two looks in a row.

        The database was away when one was handed out or when its end was to be written.
        """
        if self.worker_id is None:
            return []
        rows = await self.app.connector.execute_query_all_async(_MINE, worker_id=self.worker_id)
        running = {context.job.id for context in self._running_jobs.values()}
        before, self.suspects = self.suspects, frozenset(row["id"] for row in rows) - running
        return sorted(before & self.suspects)

    async def _update_heartbeat(self) -> None:
        missed_since: float | None = None
        while True:
            await asyncio.sleep(self.update_heartbeat_interval)
            try:
                assert self.worker_id is not None
                await self.app.job_manager.update_heartbeat(self.worker_id)
                missed_since = None
            except ConnectorException:
                missed_since = missed_since or time.monotonic()
                if time.monotonic() - missed_since > self.stalled_worker_timeout:
                    raise


def run_worker(
    conninfo: str | None = None,
    *,
    settle: Settle | None = None,
    executor: RunExecutor | None = None,
    concurrency: int = 2,
    periodic: Periodic = (),
    alive_file: Path | None = None,
    wait: bool = True,
    stalled_seconds: float = STALLED_SECONDS,
) -> None:
    """Work until SIGTERM or SIGINT (with ``wait=False`` until the queue is empty).

    ``conninfo`` is the worker role's URL, by default this installation's. ``settle`` writes the end of a run
    whose child could not. ``periodic`` lists (seconds, callable); each is called in a thread at once and then
    at that interval. ``alive_file`` gets the process id at every heartbeat. Raises DatabaseUnreachable.
    """
    if conninfo is None:
        home = Home.current().create()
        conninfo = ControlDatabase.current(home, load_keys(home)).worker
        alive_file = alive_file or home.run / ALIVE_FILE
    executor = executor or RunExecutor()
    if settle is not None:
        executor.settle = settle
    with ThreadPoolExecutor(concurrency, thread_name_prefix="run") as threads:
        executor.threads = threads
        try:
            asyncio.run(_work(conninfo, executor, concurrency, periodic, alive_file, wait, stalled_seconds))
        except ConnectorException as error:
            raise DatabaseUnreachable(
                "The worker lost the control database.", advice="It is tried again when the worker restarts."
            ) from error
        finally:
            if alive_file is not None:
                alive_file.unlink(missing_ok=True)


async def _work(
    conninfo: str,
    executor: RunExecutor,
    concurrency: int,
    periodic: Periodic,
    alive_file: Path | None,
    wait: bool,
    stalled_seconds: float,
) -> None:
    app = queue_app_for(conninfo, executor)
    async with app.open_async():
        await sweep(app, executor, stalled_seconds)
        worker = SteadyWorker(
            app,
            concurrency=concurrency,
            wait=wait,
            fetch_job_polling_interval=1.0,
            abort_job_polling_interval=1.0,
            shutdown_graceful_timeout=0.5,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=stalled_seconds,
            delete_jobs="never",
        )
        sides = [asyncio.create_task(_sweeping(worker, executor, stalled_seconds))]
        sides.append(asyncio.create_task(_forgetting(app)))
        sides += [asyncio.create_task(_repeat(seconds, call)) for seconds, call in periodic]
        if alive_file is not None:
            sides.append(asyncio.create_task(_show_alive(alive_file)))
        try:
            await worker.run()
        finally:
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)


async def sweep(
    app: App, executor: RunExecutor, stalled_seconds: float = STALLED_SECONDS, forgotten: Sequence[int] = ()
) -> int:
    """Put back the ``forgotten`` jobs and those of workers silent for that long; returns how many were found.

    A cancelled one ends as cancelled, one that took its worker down again and again as failed.
    """
    rows = await app.connector.execute_query_all_async(
        _SWEEP, seconds=stalled_seconds, limit=MAX_DEATHS, forgotten=list(forgotten)
    )
    for row in rows:
        logger.info("Job %s of a lost worker: %s", row["id"], row["status"])
        kind, args = KINDS.get(row["task_name"]), row["args"]
        if kind is None or row["status"] == "todo":
            continue
        outcome, message = ("cancelled", "Cancelled on request.")
        if row["status"] == "failed":
            outcome, message = ("failed", "The worker was lost too many times during this run.")
        await asyncio.to_thread(executor.settle, kind, args["organization_id"], args["run_id"], outcome, message)
    return len(rows)


async def _sweeping(worker: SteadyWorker, executor: RunExecutor, stalled_seconds: float) -> None:
    while True:
        await asyncio.sleep(min(SWEEP_SECONDS, stalled_seconds / 4))
        try:
            await sweep(worker.app, executor, stalled_seconds, await worker.forgotten())
        except Exception as error:
            logger.warning("The sweep for jobs of lost workers failed and is tried again: %s", error)


async def forget_finished(app: App, hours: int = FINISHED_HOURS) -> None:
    """Delete the queue's own rows of jobs that ended so long ago; the runs themselves are kept elsewhere."""
    await app.job_manager.delete_old_jobs(nb_hours=hours, include_failed=True, include_cancelled=True)


async def _forgetting(app: App) -> None:
    while True:
        try:
            await forget_finished(app)
        except Exception as error:
            logger.warning("Finished jobs could not be deleted, which is tried again: %s", error)
        await asyncio.sleep(FORGET_SECONDS)


async def _repeat(seconds: float, call: Callable[[], object]) -> None:
    failing = False
    while True:
        try:
            await asyncio.to_thread(call)
            failing = False
        except Exception:
            # The first failure tells all; the same again every few seconds would bury it.
            if not failing:
                logger.exception("A periodic task failed; it is tried again every %s s", seconds)
            failing = True
        await asyncio.sleep(seconds)


async def _show_alive(path: Path) -> None:
    while True:
        with contextlib.suppress(OSError):
            path.write_text(str(os.getpid()), "utf-8")
        await asyncio.sleep(HEARTBEAT_SECONDS)
