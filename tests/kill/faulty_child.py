"""The process that waits for runs, for the tests: the product's, whose runs die at the steps that a folder names.

A file ``<kind>.<step>`` asks for one kill at that step, of what the file says: "child" or "worker".
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from b2b_recs.engine import faults


def killing(plan: Path, worker: int, kind: str, run_id: int) -> Callable[[str], None]:
    """What dies at the steps that ``plan`` names for a kind of run."""

    def hook(name: str) -> None:
        asked = plan / f"{kind}.{name}"
        if not asked.exists():
            return
        victim = asked.read_text()
        asked.rename(plan / f"{kind}-{run_id}-{name}.done")
        if victim == "child":
            os.kill(os.getpid(), signal.SIGKILL)
        os.kill(worker, signal.SIGKILL)
        time.sleep(60)  # the kernel ends a run whose worker is gone

    return hook


def main(folder: str, worker: str, *channel: str) -> None:
    from b2b_recs.cli.main import main as command
    from b2b_recs.runtime import prepared

    serve = prepared.serve

    def serve_killing(socket: Any, work: prepared.Work) -> int:
        def work_killing(what: list[Any]) -> int:
            kind, _, run_id = what
            faults.install(killing(Path(folder), int(worker), str(kind), int(run_id)))
            return work(what)

        return serve(socket, work_killing)

    prepared.serve = serve_killing
    command(["job", "wait", *channel])


if __name__ == "__main__":
    main(*sys.argv[1:])
