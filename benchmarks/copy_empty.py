"""A run that finds nothing new: how long the engine takes to know it.

    python benchmarks/copy_empty.py                 a table of 1 million rows, ten empty runs
    python benchmarks/copy_empty.py --rows 10000000

Loads mixed_rows by its time and key once, then runs again and again with nothing new in the source, every run in the
same process as the worker's runs are. Prints the seconds of each stage. Promised: under one second.
"""

from __future__ import annotations

import argparse
import statistics
from datetime import timedelta

import psycopg
from copy_support import MIXED, copy, load_mixed_rows, own_server

from b2b_recs.engine.etl.spec import CopySpec, Transactional

PROMISED = 1.0
SPEC = CopySpec(
    source_schema="public",
    source_table=MIXED,
    destination_table=f"bq_{MIXED}",
    load=Transactional(cursor="created_at", key=("id",), lag=timedelta(hours=1)),
)


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args()
    with own_server() as (server, folder):
        url = server.url("postgres")
        load_mixed_rows(url, options.rows)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE INDEX ON public.{MIXED} (created_at)".encode())
        first, measures = copy(url, folder, SPEC)
        print(f"first run: {first.rows_loaded:,} rows in {measures['seconds']:.2f} s")
        seconds = []
        for number in range(1, options.runs + 1):
            result, measures = copy(url, folder, SPEC)
            if result.changed or result.rows_loaded:
                raise SystemExit("the run was not empty")
            stages = ", ".join(f"{name} {spent:.3f}" for name, spent in result.stage_seconds.items())
            print(f"empty run {number}: {result.seconds:.3f} s ({stages}); {measures['client_cpu']:.3f} s of CPU")
            seconds.append(result.seconds)
    middle = statistics.median(seconds)
    print(f"median {middle:.3f} s (promised {PROMISED:g})")
    if middle > PROMISED:
        raise SystemExit("slower than promised")


if __name__ == "__main__":
    main()
