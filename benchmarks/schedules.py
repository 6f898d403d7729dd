"""500 schedules due in the same minute, several dispatchers at once: each must start its run exactly once.

    python benchmarks/schedules.py                              500 jobs of ten organizations, four dispatchers
    python benchmarks/schedules.py --jobs 50 --dispatchers 2    a quick look
    python benchmarks/schedules.py --organizations 1            all of one organization
    python benchmarks/schedules.py --workers 0                  queue them only

Starts a database of its own and lets the dispatchers, each a process of its own, fire together; then all fire a second
time, which must start nothing. Prints the seconds until every run was queued. Floor: one session that writes the same
rows (next times, runs, jobs of the queue) in three statements.

Then a real worker carries the runs out, so many at a time as --workers says: each copies a small table of a SQLite file
into a table of its own. Prints how long that took, and how many ran once, more than once and never, by the attempts the
runs keep and by the versions and rows of their tables.

Promised: every schedule runs exactly once, and all are queued within ten seconds, before the dispatchers look again.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

PROMISED_SECONDS = 10.0
# The worker fires schedules too: nothing more may be due before the runs are done.
NOW = datetime.now(UTC)
RULE = {"minute": (NOW.minute - 2) % 60}
ROWS = 20
PATIENCE_SECONDS = 120.0


def make_source(file: Path) -> None:
    """The table that every job copies."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(file) as source:
        source.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, word TEXT)")
        source.executemany("INSERT INTO orders VALUES (?, ?)", [(number, f"order {number}") for number in range(ROWS)])
    source.close()


def prepare(jobs: int, organizations: int, file: Path) -> None:
    """Put so many jobs with a due schedule into so many organizations."""
    from b2b_recs.engine.etl.spec import Catalog, CopySpec
    from b2b_recs.web.accounts.models import Organization
    from b2b_recs.web.connections.models import Connection
    from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLConfiguration
    from b2b_recs.web.projects.models import ModelEndpoint, Schedule
    from b2b_recs.web.tenancy import operating

    for number in range(organizations):
        with operating():
            own = {"organization": Organization.objects.create(name=f"Shop {number}", slug=f"shop-{number}")}
            model = ModelEndpoint.objects.create(**own, name="Model")
            source = Connection.objects.create(**own, model=model, name="shop", source_type="sqlite",
                                               parameters={"file": str(file)})  # fmt: skip
            etl = ETLConfiguration.objects.create(**own, model=model)
            for at in range(number, jobs, organizations):
                job = DataSource.objects.create(**own, configuration=etl, connection=source, name=f"table {at}")
                spec = CopySpec(
                    source_schema="main", source_table="orders", destination_table=f"bq_{at}", load=Catalog()
                )
                DataSourceTable.objects.create(**own, data_source=job, spec=spec.model_dump(mode="json"))
                Schedule.objects.create(
                    **own, target_kind="etl", target_id=job.id, kind="hourly", rule=RULE,
                    next_at=NOW - timedelta(minutes=1),
                )  # fmt: skip


def dispatch(gate: Path) -> None:
    """Wait for the gate to open, fire, and print how many runs were started."""
    from b2b_recs.web.operations.dispatcher import fire_due_schedules

    print("ready", flush=True)
    while not gate.exists():
        time.sleep(0.005)
    print(fire_due_schedules(NOW), flush=True)


def started() -> Counter[int]:
    """How many runs each job has."""
    from b2b_recs.web.etl.models import ETLRun
    from b2b_recs.web.tenancy import unscoped

    return Counter(unscoped(ETLRun).values_list("data_source_id", flat=True))


def work_off(workers: int) -> float:
    """Seconds until a worker process has ended every run, or until none ended for a long while."""
    from b2b_recs.web.etl.models import ETLRun
    from b2b_recs.web.tenancy import unscoped

    command = [sys.executable, "-m", "b2b_recs.cli.main", "worker", "--concurrency", str(workers)]
    with tempfile.TemporaryFile() as log:
        worker = subprocess.Popen(command, stdout=log, stderr=log)
        began = changed = time.perf_counter()
        before = -1
        try:
            while (left := unscoped(ETLRun).filter(status__in=ETLRun.ACTIVE).count()) and worker.poll() is None:
                if left != before:
                    before, changed = left, time.perf_counter()
                if time.perf_counter() - changed > PATIENCE_SECONDS:
                    break
                time.sleep(0.5)
            return time.perf_counter() - began
        finally:
            worker.terminate()
            worker.wait()


def carried_out() -> Counter[int]:
    """How often each job was carried out: by what its runs keep, or by its warehouse table where that says more.

    Raises SystemExit for a run that did not end well, and for a table that is not what the source has.
    """
    from b2b_recs.engine.warehouse.local import LocalWarehouse
    from b2b_recs.runtime.home import Home
    from b2b_recs.web.etl.models import ETLRun
    from b2b_recs.web.tenancy import unscoped

    found: Counter[int] = Counter()
    for run in unscoped(ETLRun).select_related("data_source__table", "data_source__configuration"):
        job = run.data_source
        if run.status != "completed":
            raise SystemExit(f"The run of {job.name} is {run.status}: {run.error}")
        warehouse = LocalWarehouse(Home.current().model_warehouse(job.configuration.model_id))
        table = warehouse.table("raw_data", job.table.spec["destination_table"])
        if table.row_count() != ROWS:
            raise SystemExit(f"{job.name} has {table.row_count()} rows.")
        found[job.id] += max(run.attempt, len(table.history()))
    return found


def floor() -> float:
    """Seconds for one session to write again what the dispatchers wrote, all in one transaction that is undone."""
    from b2b_recs.runtime.database import ControlDatabase
    from b2b_recs.runtime.home import Home
    from b2b_recs.runtime.keys import load_keys

    home = Home.current()
    with psycopg.connect(ControlDatabase.current(home, load_keys(home)).owner) as connection:
        statements = [
            _again(connection, "etl_etlrun"),
            _again(connection, "procrastinate_jobs"),
            "UPDATE projects_schedule SET next_at = next_at + interval '1 hour', last_fired_at = now()",
        ]
        began = time.perf_counter()
        for statement in statements:
            connection.execute(statement.encode())
        took = time.perf_counter() - began
        connection.rollback()
    return took


def _again(connection: psycopg.Connection[tuple[object, ...]], table: str) -> str:
    """The statement that writes every row of a table once more, under a new number."""
    rows = connection.execute(
        "SELECT quote_ident(column_name) FROM information_schema.columns"
        " WHERE table_name = %s AND table_schema = 'public' AND column_name <> 'id'",
        [table],
    )
    columns = ", ".join(str(name) for (name,) in rows)
    return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table}"


def fire_together(count: int, gate: Path) -> tuple[float, Sequence[int]]:
    """Seconds from the opening of the gate until the last dispatcher had fired, and how many runs each started."""
    command = [sys.executable, __file__, "--gate", str(gate)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    for process in processes:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise SystemExit("A dispatcher did not start.")
    began = time.perf_counter()
    gate.touch()
    said = []
    for process in processes:
        assert process.stdout is not None
        said.append(process.stdout.readline().strip())
    took = time.perf_counter() - began
    if sum(abs(process.wait()) for process in processes):
        raise SystemExit("A dispatcher failed.")
    return took, [int(number) for number in said]


def measure(options: argparse.Namespace, folder: Path) -> None:
    """Prepare, fire twice, write the floor, print and judge."""
    from b2b_recs.cli.context import set_up_django

    set_up_django()
    file = folder / "home" / "files" / "shop.db"
    make_source(file)
    prepare(options.jobs, options.organizations, file)
    took, shares = fire_together(options.dispatchers, folder / "first")
    runs = started()
    lowest = floor()
    second, _ = fire_together(options.dispatchers, folder / "second")
    again = started()
    once, more = (sum(test(count) for count in runs.values()) for test in (lambda n: n == 1, lambda n: n > 1))
    print(f"{options.jobs} schedules of {options.organizations} organizations due in one minute, "
          f"{options.dispatchers} dispatchers (they started {', '.join(map(str, shares))})")  # fmt: skip
    print(f"all queued in {took:.2f} s (promised {PROMISED_SECONDS:g}); floor {lowest:.2f} s, ratio to it "
          f"{took / lowest:.1f}; a second look, with nothing due, {second:.2f} s")  # fmt: skip
    print(f"queued once: {once}, more than once: {more}, never: {options.jobs - once - more}")
    if once != options.jobs or again != runs:
        raise SystemExit("Not every schedule was queued exactly once.")
    if options.workers:
        show_work(options)
    if took > PROMISED_SECONDS:
        raise SystemExit("Slower than promised.")


def show_work(options: argparse.Namespace) -> None:
    """Let the runs be carried out, print and judge."""
    took = work_off(options.workers)
    done = carried_out()
    once, more = (sum(test(count) for count in done.values()) for test in (lambda n: n == 1, lambda n: n > 1))
    print(f"a worker, {options.workers} at a time, carried them out in {took:.0f} s, "
          f"{took / options.jobs:.2f} s a run of {ROWS} rows")  # fmt: skip
    print(f"ran once: {once}, more than once: {more}, never: {options.jobs - once - more}")
    if once != options.jobs:
        raise SystemExit("Not every schedule ran exactly once.")


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--organizations", type=int, default=10)
    parser.add_argument("--dispatchers", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--gate", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.gate:
        from b2b_recs.cli.context import set_up_django

        set_up_django("worker")
        dispatch(options.gate)
        return
    with tempfile.TemporaryDirectory(prefix="b2b-recs-schedules-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # as root, the database runs as another user below it
        os.environ["B2B_RECS_HOME"] = str(folder / "home")
        os.environ.pop("DATABASE_URL", None)
        from b2b_recs.cli.stack import needed

        with needed():
            measure(options, folder)


if __name__ == "__main__":
    main()
