"""500 schedules due in the same minute, several dispatchers at once: each must start its run exactly once.

Run: .venv/bin/python benchmarks/schedules.py [--jobs 500] [--dispatchers 4]

Starts a database of its own, gives ten organizations the jobs between them, and lets the dispatchers, each a process of
its own, fire together. Prints the seconds until every run was queued, and how many ran once, more than once and never;
ends with an error unless all ran exactly once. Then every dispatcher fires a second time, which must start nothing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

ORGANIZATIONS = 10
PROMISE_SECONDS = 60.0
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def prepare(jobs: int) -> None:
    """Put so many jobs with a due schedule into ten organizations."""
    from b2b_recs.web.accounts.models import Organization
    from b2b_recs.web.connections.models import Connection
    from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLConfiguration
    from b2b_recs.web.projects.models import ModelEndpoint, Schedule
    from b2b_recs.web.tenancy import operating

    for number in range(ORGANIZATIONS):
        with operating():
            own = {"organization": Organization.objects.create(name=f"Shop {number}", slug=f"shop-{number}")}
            model = ModelEndpoint.objects.create(**own, name="Model")
            source = Connection.objects.create(**own, model=model, name="shop", source_type="postgresql")
            etl = ETLConfiguration.objects.create(**own, model=model)
            for at in range(number, jobs, ORGANIZATIONS):
                job = DataSource.objects.create(**own, configuration=etl, connection=source, name=f"table {at}")
                DataSourceTable.objects.create(**own, data_source=job, spec={})
                Schedule.objects.create(
                    **own, target_kind="etl", target_id=job.id, kind="hourly", rule={"minute": 59},
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


def fire_together(count: int, gate: Path) -> float:
    """Seconds from the opening of the gate until the last dispatcher had fired; prints what each started."""
    command = [sys.executable, __file__, "--gate", str(gate)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
    began = time.perf_counter()
    gate.touch()
    said = [process.communicate()[0].strip() for process in processes]
    took = time.perf_counter() - began
    if any(process.returncode for process in processes):
        raise SystemExit("A dispatcher failed.")
    print(f"started by each dispatcher: {', '.join(said)}")
    return took


def main() -> None:
    """Prepare, fire twice, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--dispatchers", type=int, default=4)
    parser.add_argument("--gate", type=Path)
    options = parser.parse_args()
    from b2b_recs.cli.context import set_up_django

    if options.gate:
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
            set_up_django()
            prepare(options.jobs)
            took = fire_together(options.dispatchers, folder / "first")
            runs = started()
            fire_together(options.dispatchers, folder / "second")
            again = started()
    once, more = (sum(test(count) for count in runs.values()) for test in (lambda n: n == 1, lambda n: n > 1))
    print(f"{options.jobs} schedules due in one minute, {options.dispatchers} dispatchers: all queued in {took:.2f} s, "
          f"ratio to the promised {PROMISE_SECONDS:.0f} s: {took / PROMISE_SECONDS:.3f}")  # fmt: skip
    print(f"ran once: {once}, more than once: {more}, never: {options.jobs - once - more}")
    if once != options.jobs or again != runs:
        raise SystemExit("Not every schedule ran exactly once.")


if __name__ == "__main__":
    main()
