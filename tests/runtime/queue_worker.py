"""A worker process for the tests: runs a script per job and notes what it settles in a table."""

from __future__ import annotations

import sys

import psycopg

from b2b_recs.runtime.runs import RunExecutor
from b2b_recs.runtime.worker import run_worker


def main(conninfo: str, script: str, stalled: str) -> None:
    def settle(kind: str, organization_id: int, run_id: int, outcome: str, message: str) -> None:
        with psycopg.connect(conninfo) as connection:
            connection.execute("INSERT INTO settled VALUES (%s, %s, %s)", (run_id, outcome, message))

    def again(kind: str, organization_id: int, run_id: int, message: str) -> float | None:
        with psycopg.connect(conninfo) as connection:
            row = connection.execute("SELECT count(*) FROM began WHERE run = %s", (run_id,)).fetchone()
        if row is not None and row[0] < 3:
            return 0
        settle(kind, organization_id, run_id, "failed", message)
        return None

    def tick() -> None:
        with psycopg.connect(conninfo) as connection:
            connection.execute("INSERT INTO ticks DEFAULT VALUES")

    executor = RunExecutor(
        settle=settle,
        again=again,
        command=lambda kind, organization_id, run_id: [sys.executable, script, conninfo, kind, str(run_id)],
    )
    run_worker(conninfo, executor=executor, concurrency=2, periodic=[(0.2, tick)], stalled_seconds=float(stalled))


if __name__ == "__main__":
    main(*sys.argv[1:])
