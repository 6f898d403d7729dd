"""Whose turn it is: the next job of the queue, with the workers shared out among organizations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import LiteralString

from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from procrastinate.psycopg_connector import PsycopgConnector, wrap_exceptions
from psycopg.rows import dict_row

from b2b_recs.runtime.environment import envbool, envint

VARIABLE = "B2B_RECS_RUNS_PER_ORGANIZATION"
HOSTED_VARIABLE = "B2B_RECS_HOSTED"
HOSTED_RUNS = 2
MOST_RUNS = 1000

# Held until the choice is committed, so that two workers do not both take an organization's last place.
_TAKE_TURNS: LiteralString = "SELECT pg_advisory_xact_lock(hashtextextended('b2b-recs: whose turn', 0))"

# As Procrastinate chooses (one job of a lock at a time, in order), but an organization that has less under way goes
# first, and one that has as much as it may waits. What an organization may that is not as the setting says, the
# database's own function knows (NULL for the others): this role reads no row of an organization.
_CHOOSE: LiteralString = """
WITH busy AS (
    SELECT organization, runs, coalesce(b2b_recs_runs_at_once(organization), %(most)s) AS most
    FROM (SELECT args->>'organization_id' AS organization, count(*) AS runs
          FROM procrastinate_jobs WHERE status = 'doing' GROUP BY 1) AS under_way
), candidate AS (
    SELECT jobs.id
    FROM procrastinate_jobs AS jobs LEFT JOIN busy ON busy.organization = jobs.args->>'organization_id'
    WHERE jobs.status = 'todo'
      AND (%(queues)s::varchar[] IS NULL OR jobs.queue_name = ANY(%(queues)s::varchar[]))
      AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())
      AND (coalesce(busy.most, 0) = 0 OR busy.runs < busy.most)
      AND NOT EXISTS (
          SELECT 1 FROM procrastinate_jobs AS other
          WHERE jobs.lock IS NOT NULL AND other.lock = jobs.lock
            AND (other.status = 'doing' OR other.status = 'todo' AND (
                other.priority > jobs.priority OR other.priority = jobs.priority AND other.id < jobs.id)))
    ORDER BY jobs.priority DESC, coalesce(busy.runs, 0), jobs.id
    LIMIT 1 FOR UPDATE OF jobs SKIP LOCKED
)
UPDATE procrastinate_jobs SET status = 'doing', worker_id = %(worker_id)s
FROM candidate WHERE procrastinate_jobs.id = candidate.id
RETURNING procrastinate_jobs.id, status, task_name, priority, lock, queueing_lock, args, scheduled_at, queue_name,
          attempts, worker_id
"""


def runs_per_organization(environ: Mapping[str, str] | None = None) -> int:
    """How many runs of an organization for which nothing else was set may be under way at once; 0 for any number.

    Raises SettingRefused.
    """
    hosted = envbool(HOSTED_VARIABLE, environ=environ)
    return envint(VARIABLE, HOSTED_RUNS if hosted else 0, 0, MOST_RUNS, environ)


class FairJobs(JobManager):
    """The jobs of the queue, handed out so that no organization takes every worker.

    ``most`` is for organizations that have no number of their own.
    """

    def __init__(self, connector: PsycopgConnector, most: int) -> None:
        super().__init__(connector)
        self._psycopg = connector
        self._most = most

    @wrap_exceptions()
    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """The next job, marked as under way for this worker; None when nobody's turn has come."""
        values = {"queues": list(queues) if queues else None, "worker_id": worker_id, "most": self._most}
        async with self._psycopg.pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_TAKE_TURNS)
            await cursor.execute(_CHOOSE, values)
            row = await cursor.fetchone()
        return None if row is None else Job.from_row(row)
