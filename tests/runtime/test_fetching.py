"""Workers are shared out among organizations: none takes them all, and each job goes to one worker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import psycopg
import pytest

from b2b_recs.runtime.errors import SettingRefused
from b2b_recs.runtime.fetching import FairJobs, runs_per_organization
from b2b_recs.runtime.queue import defer_sql, queue_app_for, schema_sql


@pytest.fixture
def database(postgres_server) -> Iterator[str]:
    url = postgres_server.create_database("fetching_test")
    with psycopg.connect(url) as connection:
        connection.execute(schema_sql().encode())
    yield url
    postgres_server.drop_database("fetching_test")


def defer(url: str, organization: int, run: int, **keys: object) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        defer_sql(cursor, "execute_etl_run", {"organization_id": organization, "run_id": run}, **keys)


def fetching(url: str, most: int, work: Callable[[Callable[[], Awaitable[int | None]]], Awaitable[object]]) -> object:
    """What ``work`` returns; it is given a function that fetches the next run."""

    async def go() -> object:
        app = queue_app_for(url)
        async with app.open_async():
            jobs = FairJobs(app.connector, most)
            worker = await jobs.register_worker()

            async def fetch() -> int | None:
                job = await jobs.fetch_job(None, worker)
                return None if job is None else int(job.task_kwargs["run_id"])

            return await work(fetch)

    return asyncio.run(go())


def in_turn(count: int) -> Callable[[Callable[[], Awaitable[int | None]]], Awaitable[list[int | None]]]:
    async def work(fetch: Callable[[], Awaitable[int | None]]) -> list[int | None]:
        return [await fetch() for _ in range(count)]

    return work


def test_an_organization_with_many_runs_waiting_does_not_take_all_workers(database: str) -> None:
    for run in range(1, 6):
        defer(database, 1, run)
    defer(database, 2, 100)
    assert fetching(database, 0, in_turn(3)) == [1, 100, 2]


def test_no_more_runs_of_an_organization_than_may_be_under_way(database: str) -> None:
    for run in range(1, 6):
        defer(database, 1, run)
    assert fetching(database, 2, in_turn(3)) == [1, 2, None]
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE status = 'doing' AND id = 1")
    assert fetching(database, 2, in_turn(2)) == [3, None]


LIMITS = """
CREATE OR REPLACE FUNCTION b2b_recs_runs_at_once(organization text) RETURNS integer LANGUAGE sql AS
$$ SELECT CASE organization WHEN '1' THEN 1 WHEN '2' THEN 0 END $$
"""


def test_an_organization_keeps_to_a_number_of_its_own(database: str) -> None:
    for run in range(1, 4):
        for organization in (1, 2, 3):
            defer(database, organization, 100 * organization + run)
    with psycopg.connect(database) as connection:
        connection.execute(LIMITS)
    # One of the first, any number of the second, and of the third what holds for everybody else.
    assert fetching(database, 2, in_turn(7)) == [101, 201, 301, 202, 302, 203, None]


@pytest.mark.parametrize("most", [0, 3])
def test_many_who_ask_at_once_get_each_job_once_and_keep_to_the_limit(database: str, most: int) -> None:
    for run in range(1, 9):
        defer(database, 1, run)

    async def all_at_once(fetch: Callable[[], Awaitable[int | None]]) -> list[int | None]:
        return list(await asyncio.gather(*(fetch() for _ in range(8))))

    found = fetching(database, most, all_at_once)
    assert isinstance(found, list)
    taken = sorted(run for run in found if run is not None)
    assert taken == list(range(1, most + 1 if most else 9))


def test_one_job_of_a_lock_at_a_time_and_none_before_its_time(database: str) -> None:
    defer(database, 1, 1, lock="etl-1")
    defer(database, 1, 2, lock="etl-1")
    defer(database, 1, 3, priority=-1)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour' WHERE id = 3")
    assert fetching(database, 0, in_turn(2)) == [1, None]


def test_the_limit_is_the_operators_and_hosted_installations_have_one() -> None:
    assert runs_per_organization({}) == 0
    assert runs_per_organization({"B2B_RECS_HOSTED": "true"}) == 2
    assert runs_per_organization({"B2B_RECS_HOSTED": "true", "B2B_RECS_RUNS_PER_ORGANIZATION": "5"}) == 5
    with pytest.raises(SettingRefused, match="B2B_RECS_RUNS_PER_ORGANIZATION"):
        runs_per_organization({"B2B_RECS_RUNS_PER_ORGANIZATION": "many"})
