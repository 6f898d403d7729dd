"""``b2b-recs worker``: takes queued runs one by one, fires schedules, keeps derived files in step."""

from __future__ import annotations

from contextlib import closing

import click

from b2b_recs.cli.context import set_up_django


@click.command()
@click.option("--concurrency", type=click.IntRange(1, 32), default=2, show_default=True, help="Runs at a time.")
def worker(concurrency: int) -> None:
    """Run queued work until stopped."""
    set_up_django("worker")
    from b2b_recs.runtime.database import ControlDatabase
    from b2b_recs.runtime.home import Home
    from b2b_recs.runtime.keys import load_keys
    from b2b_recs.runtime.prepared_runs import PreparedRuns
    from b2b_recs.runtime.runs import RunExecutor
    from b2b_recs.runtime.worker import ALIVE_FILE, run_worker
    from b2b_recs.web.operations.dispatcher import fire_due_schedules
    from b2b_recs.web.operations.upkeep import (
        again,
        collect_traffic,
        end_lost_runs,
        keep_pins,
        keep_pointers,
        remove_files,
        settle,
    )

    home = Home.current()
    with closing(PreparedRuns()) as prepared:
        prepared.start()
        run_worker(
            ControlDatabase.current(home, load_keys(home)).worker,
            executor=RunExecutor(settle=settle, again=again, prepared=prepared),
            concurrency=concurrency,
            periodic=[
                (10.0, fire_due_schedules),
                (2.0, keep_pointers),
                (300.0, keep_pins),
                (15.0, collect_traffic),
                (5.0, remove_files),
                (60.0, end_lost_runs),
            ],
            alive_file=home.run / ALIVE_FILE,
        )
