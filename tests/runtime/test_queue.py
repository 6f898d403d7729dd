"""Background work: queued with its row, done once, given back when a worker dies."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from b2b_recs.runtime.child import run_in_child
from b2b_recs.runtime.database import ControlDatabase
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.keys import load_keys
from b2b_recs.runtime.process import ProcessIdentity
from b2b_recs.runtime.queue import RunExecutor, cancel_sql, defer_sql, queue_app_for, run_worker, schema_sql
from b2b_recs.runtime.worker import forget_finished

WORKER = Path(__file__).with_name("queue_worker.py")

# The child notes that it began, then does what the test put into the table for its run.
SCRIPT = """
import os, signal, subprocess, sys, time
import psycopg
conninfo, kind, run = sys.argv[1], sys.argv[2], int(sys.argv[3])
connection = psycopg.connect(conninfo, autocommit=True)
connection.execute("INSERT INTO began (run, kind, pid) VALUES (%s, %s, %s)", (run, kind, os.getpid()))
times = connection.execute("SELECT count(*) FROM began WHERE run = %s", (run,)).fetchone()[0]
exec(connection.execute("SELECT code FROM plan WHERE run = %s", (run,)).fetchone()[0])
connection.execute("INSERT INTO done VALUES (%s)", (run,))
"""


class Board:
    """The database the jobs live in, and the workers started on it."""

    def __init__(self, url, script):
        self.url, self.script, self.workers = url, script, []
        self.log = script.with_name("worker.log")
        self.connection = psycopg.connect(url, autocommit=True)
        self.connection.execute(schema_sql().encode())
        self.connection.execute(
            "CREATE TABLE began (run int, kind text, pid int); CREATE TABLE done (run int);"
            "CREATE TABLE plan (run int, code text); CREATE TABLE settled (run int, outcome text, message text);"
            "CREATE TABLE ticks (at timestamptz DEFAULT now())"
        )

    def defer(self, run, code="", task="execute_etl_run", **keys):
        with psycopg.connect(self.url) as connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO plan VALUES (%s, %s)", (run, code))
            return defer_sql(cursor, task, {"organization_id": 1, "run_id": run}, **keys)

    def cancel(self, run):
        with psycopg.connect(self.url) as connection, connection.cursor() as cursor:
            return cancel_sql(cursor, "execute_etl_run", {"organization_id": 1, "run_id": run})

    def worker(self, stalled=15):
        command = [sys.executable, str(WORKER), self.url, str(self.script), str(stalled)]
        self.workers.append(subprocess.Popen(command, stderr=self.log.open("ab")))
        return self.workers[-1]

    def rows(self, query):
        return self.connection.execute(query.encode()).fetchall()

    def wait(self, query, expected, seconds=20):
        until = time.monotonic() + seconds
        while (found := self.rows(query)) != expected:
            assert time.monotonic() < until, f"{query}: {found}\n{self.log.read_text()}"
            time.sleep(0.05)

    def close(self):
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.connection.close()


@pytest.fixture
def board(postgres_server, tmp_path):
    script = tmp_path / "child.py"
    script.write_text(SCRIPT)
    board = Board(postgres_server.create_database("queue_test"), script)
    yield board
    board.close()
    postgres_server.drop_database("queue_test")


def test_job_exists_exactly_when_its_transaction_commits(board):
    with psycopg.connect(board.url) as connection, connection.cursor() as cursor:
        assert defer_sql(cursor, "execute_etl_run", {"organization_id": 1, "run_id": 1})
        connection.rollback()
    assert board.rows("SELECT id FROM procrastinate_jobs") == []
    first = board.defer(2, queueing_lock="source-1")
    assert first is not None
    assert board.defer(3, queueing_lock="source-1") is None
    assert board.rows("SELECT id FROM procrastinate_jobs") == [(first,)]


def test_runs_are_done_by_kind_and_periodic_calls_happen(board):
    board.defer(1)
    board.defer(2, task="execute_pipeline_run")
    board.worker()
    board.wait("SELECT run FROM done ORDER BY run", [(1,), (2,)])
    assert board.rows("SELECT run, kind FROM began ORDER BY run") == [(1, "etl"), (2, "pipeline")]
    board.wait("SELECT count(*) > 1 FROM ticks", [(True,)])
    assert board.rows("SELECT * FROM settled") == []


def test_temporary_and_killed_work_is_tried_again_and_given_up_at_last(board):
    board.defer(1, "if times < 3: sys.exit(75)")
    board.defer(2, "if times < 2: os.kill(os.getpid(), signal.SIGKILL)")
    board.defer(3, "os.kill(os.getpid(), signal.SIGKILL)")
    board.defer(4, "sys.exit(1)")
    board.worker()
    board.wait("SELECT run FROM done ORDER BY run", [(1,), (2,)])
    board.wait("SELECT run, outcome FROM settled ORDER BY run", [(3, "failed"), (4, "failed")])
    counts = board.rows("SELECT run, count(*)::int FROM began GROUP BY run ORDER BY run")
    assert counts == [(1, 3), (2, 2), (3, 3), (4, 1)]
    assert "SIGKILL" in board.rows("SELECT message FROM settled WHERE run = 3")[0][0]


def test_waiting_job_is_cancelled_at_once_and_running_one_is_stopped(board):
    board.defer(1)
    assert board.cancel(1) == "cancelled"
    assert board.cancel(1) is None
    board.defer(2, "subprocess.Popen(['sleep', '600']); time.sleep(600)", lock="same")
    board.worker()
    board.wait("SELECT run FROM began", [(2,)])
    assert board.cancel(2) == "stopping"
    board.wait("SELECT run, outcome FROM settled", [(2, "cancelled")])
    board.wait("SELECT status::text FROM procrastinate_jobs WHERE id > 1", [("aborted",)])
    board.defer(3, lock="same")
    board.wait("SELECT run FROM done", [(3,)])


def test_job_of_a_killed_worker_is_given_back_with_its_lock_and_its_child_is_gone(board):
    board.defer(1, "if times < 2: time.sleep(600)", lock="same", queueing_lock="only")
    worker = board.worker(stalled=1)
    board.wait("SELECT run FROM began", [(1,)])
    child = ProcessIdentity.of(board.rows("SELECT pid FROM began")[0][0])
    board.defer(2, lock="same", queueing_lock="only")
    worker.kill()
    worker.wait()
    assert child is None or child.wait_gone(10)
    # Longer than a heartbeat, or the second worker's own jobs would count as lost.
    board.worker(stalled=4)
    board.wait("SELECT run FROM done ORDER BY run", [(1,), (2,)])
    assert board.rows("SELECT run, count(*)::int FROM began GROUP BY run ORDER BY run") == [(1, 2), (2, 1)]


def test_job_whose_end_could_not_be_written_is_found_by_its_own_worker(board):
    board.worker(stalled=4)
    board.wait("SELECT count(*)::int FROM procrastinate_workers", [(1,)])
    job = board.defer(1)
    board.wait("SELECT run FROM done", [(1,)])
    board.wait("SELECT status::text FROM procrastinate_jobs", [("succeeded",)])
    # As it is when the database was away at the end of the child.
    board.connection.execute(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM procrastinate_workers)"
        " WHERE id = %s",
        (job,),
    )
    board.wait("SELECT run FROM done", [(1,), (1,)])
    board.wait("SELECT status::text FROM procrastinate_jobs", [("succeeded",)])


def test_running_job_is_not_put_back_by_its_own_worker(board):
    board.defer(1, "time.sleep(4)")
    board.worker(stalled=4)
    board.wait("SELECT run FROM done", [(1,)])
    assert board.rows("SELECT count(*)::int FROM began") == [(1,)]


def test_stopped_worker_ends_soon_and_its_job_is_done_by_the_next_one(board):
    board.defer(1, "if times < 2: time.sleep(600)")
    worker = board.worker()
    board.wait("SELECT run FROM began", [(1,)])
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(9) == 0
    assert board.rows("SELECT status::text, attempts FROM procrastinate_jobs") == [("todo", 0)]
    assert board.rows("SELECT * FROM settled") == []
    board.worker()
    board.wait("SELECT run FROM done", [(1,)])


def test_web_defers_and_worker_works_under_their_own_roles(role_server, tmp_path):
    keys = load_keys(Home(tmp_path), environ={"B2B_RECS_SECRET_KEY": "9f3a5c7e1b2d4f60a8c9e7b5d3f1a2c4"})
    keys = replace(keys, passwords={**keys.passwords, "postgres": role_server.password})
    control = ControlDatabase.embedded_at(role_server.port, keys, "queue_roles_test")
    control.ensure()
    try:
        with psycopg.connect(control.owner) as connection:
            connection.execute(schema_sql().encode())
        with psycopg.connect(control.web) as connection, connection.cursor() as cursor:
            job = defer_sql(cursor, "execute_etl_run", {"organization_id": 1, "run_id": 7}, queueing_lock="x")
        done = tmp_path / "done"
        executor = RunExecutor(command=lambda kind, organization_id, run_id: ["touch", f"{done}-{run_id}"])
        run_worker(control.worker, executor=executor, wait=False, alive_file=tmp_path / "alive")
        with psycopg.connect(control.operator) as connection:
            row = connection.execute("SELECT id, status::text FROM procrastinate_jobs").fetchone()
        assert row == (job, "succeeded")
        assert done.with_name("done-7").exists()
        assert not (tmp_path / "alive").exists()
    finally:
        role_server.drop_database("queue_roles_test")


def test_child_that_ignores_the_request_is_killed_with_all_it_started(tmp_path):
    code = (
        "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "print(child.pid, flush=True)\ntime.sleep(600)"
    )
    output = tmp_path / "out"
    ends = []
    end = run_in_child(
        [sys.executable, "-c", code],
        should_stop=lambda: output.exists() and output.read_text().strip() != "",
        stop_seconds=lambda: 0.2,
        on_exit=ends.append,
        output=output,
    )
    assert (end.stopped, end.killed_by) == (True, "SIGKILL")
    assert ends == [end]
    grandchild = ProcessIdentity.of(int(output.read_text()))
    assert grandchild is None or grandchild.wait_gone(5)


def test_child_dies_with_a_killed_starter():
    starter = subprocess.Popen(
        [
            sys.executable, "-c",
            "import sys; from b2b_recs.runtime.child import run_in_child\n"
            "run_in_child(['sleep', '600'], on_start=lambda pid: print(pid, flush=True))",
        ],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    child = ProcessIdentity.of(int(starter.stdout.readline()))
    starter.kill()
    starter.wait()
    assert child is None or child.wait_gone(5)
    assert starter.returncode == -signal.SIGKILL


def test_rows_of_jobs_that_ended_long_ago_are_deleted_and_no_others(board):
    for run in (1, 2, 3):
        board.defer(run)
    old, recent, waiting = (row[0] for row in board.connection.execute("SELECT id FROM procrastinate_jobs ORDER BY id"))
    board.connection.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id IN (%s, %s)", (old, recent))
    board.connection.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id IN (%s, %s)", (old, recent))
    board.connection.execute("UPDATE procrastinate_events SET at = now() - interval '8 days' WHERE job_id = %s", (old,))

    async def forget():
        app = queue_app_for(board.url)
        async with app.open_async():
            await forget_finished(app)

    asyncio.run(forget())
    kept = {row[0] for row in board.connection.execute("SELECT id FROM procrastinate_jobs")}
    assert kept == {recent, waiting}
