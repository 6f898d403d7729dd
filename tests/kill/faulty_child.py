"""A run's own process for the tests: the product's, killed at the steps that a folder names.

A file ``<kind>.<step>`` asks for one kill at that step, of what the file says: "child" or "worker".
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from b2b_recs.engine import faults


def main(folder: str, kind: str, organization_id: str, run_id: str) -> None:
    plan = Path(folder)

    def hook(name: str) -> None:
        asked = plan / f"{kind}.{name}"
        if not asked.exists():
            return
        victim = asked.read_text()
        asked.rename(plan / f"{kind}-{run_id}-{name}.done")
        if victim == "child":
            os.kill(os.getpid(), signal.SIGKILL)
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)  # the kernel ends a child whose worker is gone

    faults.install(hook)
    from b2b_recs.cli.main import main as command

    command(["job", kind, "--organization", organization_id, "--run", run_id])


if __name__ == "__main__":
    main(*sys.argv[1:])
