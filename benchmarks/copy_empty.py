"""A run that finds nothing new: how long the engine takes to know it.

    python benchmarks/copy_empty.py                 a table of 1 million rows, ten empty runs
    python benchmarks/copy_empty.py --rows 10000000
    python benchmarks/copy_empty.py --rows 20000 --runs 3   a quick look

Loads mixed_rows by its time and key once, then runs again and again with nothing new in the source, every run in the
same process as the worker's runs are. Prints the seconds of each stage, and the floor: connecting with the same driver
and asking how many rows the window of a run holds. Promised: under one second.
"""

from __future__ import annotations

import argparse
import statistics
import time
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


def floor(url: str) -> float:
    """Seconds to connect and to count the rows of the last hour, as every run must."""
    began = time.perf_counter()
    with psycopg.connect(url) as connection:
        connection.execute(
            f"SELECT count(*), max(created_at) FROM public.{MIXED} WHERE created_at >"
            f" (SELECT max(created_at) FROM public.{MIXED}) - interval '1 hour'".encode()
        ).fetchone()
    return time.perf_counter() - began


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
        lowest = statistics.median(floor(url) for _ in range(options.runs))
    middle = statistics.median(seconds)
    print(f"median {middle:.3f} s (promised {PROMISED:g}), ratio to the promise {middle / PROMISED:.2f}; "
          f"floor {lowest:.3f} s, ratio to it {middle / lowest:.1f}")  # fmt: skip
    if middle > PROMISED:
        raise SystemExit("slower than promised")


if __name__ == "__main__":
    main()
