"""The worker for the tests: as ``b2b-recs worker`` starts it, with quick heartbeats and runs that can be killed."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

from b2b_recs.cli.context import set_up_django

CHILD = Path(__file__).with_name("faulty_child.py")


def main(folder: str) -> None:
    set_up_django("worker")
    from b2b_recs.runtime import worker
    from b2b_recs.runtime.database import ControlDatabase
    from b2b_recs.runtime.home import Home
    from b2b_recs.runtime.keys import load_keys
    from b2b_recs.runtime.prepared_runs import PreparedRuns
    from b2b_recs.runtime.runs import RunExecutor
    from b2b_recs.web.operations.dispatcher import fire_due_schedules
    from b2b_recs.web.operations.upkeep import again, collect_traffic, keep_pointers, settle

    os.environ["B2B_RECS_RETRY_WAITS"] = ",".join(["0"] * 30)
    worker.HEARTBEAT_SECONDS = 0.2
    waiting = [sys.executable, str(CHILD), folder, str(os.getpid())]
    with closing(PreparedRuns(waiting)) as prepared:
        prepared.start()
        worker.run_worker(
            ControlDatabase.current(Home.current(), load_keys(Home.current())).worker,
            executor=RunExecutor(settle=settle, again=again, prepared=prepared),
            periodic=[(1.0, fire_due_schedules), (0.5, keep_pointers), (1.0, collect_traffic)],
            stalled_seconds=1.5,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
