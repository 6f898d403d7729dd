"""A large table in flat memory: the peak of a copy does not grow with the rows.

    python benchmarks/copy_large.py                      2 and 20 million rows
    python benchmarks/copy_large.py --rows 4000000       a tenth of that and that

Drains the table (the floor) and copies it, first a tenth of the rows and then all of them, by the time column and the
key and as a catalog, each in a fresh process. Prints seconds, their ratio to the floor, and the peak memory of each.
Promised: the larger peak is at most a quarter above the smaller. Small tables do not fill the buffers, so that peaks up
to 400 MB are within the promise whatever the smaller one was.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import psycopg
from copy_support import MIXED, child, copy, drain, load_mixed_rows, own_server

from b2b_recs.engine.etl.spec import Catalog, CopySpec, Transactional

PROMISED_GROWTH = 1.25
BUFFERS_MB = 400
LOADS = {
    "catalog": Catalog(),
    "transactional": Transactional(cursor="created_at", key=("id",)),
}


def spec(kind: str) -> CopySpec:
    """The job of that kind."""
    return CopySpec(source_schema="public", source_table=MIXED, destination_table=f"bq_{kind}", load=LOADS[kind])


def measure(url: str, folder: Path, kind: str, rows: int, floor: float) -> dict[str, float]:
    """One copy in a process of its own."""
    shutil.rmtree(folder / "warehouse", ignore_errors=True)
    found = child(__file__, "--copy", url, str(folder), kind)
    print(
        f"{kind}, {rows:,} rows: {found['seconds']:.1f} s, {rows / found['seconds']:,.0f} rows/s, "
        f"ratio of floor to copy {floor / found['seconds']:.2f}, peak {found['peak_mb']:,} MB",
        flush=True,
    )
    return found


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--floor", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--copy", nargs=3, metavar=("URL", "FOLDER", "KIND"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.floor:
        print(json.dumps(drain(options.floor, MIXED)))
        return
    if options.copy:
        url, place, kind = options.copy
        print(json.dumps(copy(url, Path(place), spec(kind))[1]))
        return
    peaks: dict[str, list[float]] = {kind: [] for kind in LOADS}
    with own_server() as (server, folder):
        url = server.url("postgres")
        for rows in (options.rows // 10, options.rows):
            load_mixed_rows(url, rows)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"CREATE INDEX ON public.{MIXED} (created_at)".encode())
                connection.execute(f"ANALYZE public.{MIXED}".encode())
            floor = child(__file__, "--floor", url)["seconds"]
            print(f"floor (COPY drained), {rows:,} rows: {floor:.1f} s", flush=True)
            for kind, found in peaks.items():
                found.append(measure(url, folder, kind, rows, floor)["peak_mb"])
    grown = False
    for kind, (few, many) in peaks.items():
        allowed = max(PROMISED_GROWTH * few, BUFFERS_MB)
        grown = grown or many > allowed
        print(
            f"{kind}: ten times the rows, {many / few:.2f} times the peak; {many:,} MB where {allowed:,.0f} MB are "
            f"promised, ratio {many / allowed:.2f}"
        )
    if grown:
        raise SystemExit("memory grows with the rows")


if __name__ == "__main__":
    main()
