"""Two thousand copies killed at random while a writer writes, the warehouse compared with its ledger row by row.

    python benchmarks/kill_copy.py                       2,000 kills
    python benchmarks/kill_copy.py --kills 200 --seed 5
    python benchmarks/kill_copy.py --kills 20               a quick look

Appending, merging (with deletions) and replacing jobs take turns, a hundred kills each on a table of its own; half of
the copies read by two sessions. Promised: no difference ever. Ends with an error at the first row that is missing,
doubled or different, and names it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import psycopg
from copy_support import own_server
from kill.ledger import Tally, kill_copies

KINDS = ("appended", "merged", "replaced")
EACH = 100


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally = Tally()
    started = time.monotonic()
    with own_server() as (server, folder):
        turn = 0
        while tally.killed < options.kills:
            kind, turn = KINDS[turn % len(KINDS)], turn + 1
            name = f"ledger_{turn}"
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())
            place = folder / name
            left = min(EACH, options.kills - tally.killed)
            try:
                kill_copies(server.url(name), place, kind, left, options.seed + turn, tally)
            except AssertionError as difference:
                raise SystemExit(f"after {tally.killed:,} kills, seed {options.seed + turn}: {difference}") from None
            shutil.rmtree(place)
            print(
                f"{tally.killed:,} killed ({tally.at_steps:,} at named steps), {tally.finished:,} finished, "
                f"ledger equal {tally.compared:,} times over {tally.rows:,} rows, {time.monotonic() - started:.0f} s",
                flush=True,
            )
    print(
        f"{tally.killed:,} kills, {tally.compared:,} comparisons of {tally.rows:,} rows: 0 differences (promised 0); "
        f"{tally.killed / (time.monotonic() - started):.1f} kills a second"
    )
    if not tally.compared:
        raise SystemExit("nothing was compared")


if __name__ == "__main__":
    main()
