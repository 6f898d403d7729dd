"""A large table in flat memory: the peak of a copy does not grow with the rows.

    python benchmarks/copy_large.py                      2 and 20 million rows
    python benchmarks/copy_large.py --rows 4000000       a tenth of that and that

Copies a tenth of the rows and then all of them, by the time column and the key and as a catalog, each in a fresh
process. Prints seconds and peak memory of each. Promised: the larger peak is at most a quarter above the smaller.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import psycopg
from copy_support import MIXED, child, copy, load_mixed_rows, own_server

from b2b_recs.engine.etl.spec import Catalog, CopySpec, Transactional

PROMISED_GROWTH = 1.25
LOADS = {
    "catalog": Catalog(),
    "transactional": Transactional(cursor="created_at", key=("id",)),
}


def spec(kind: str) -> CopySpec:
    """The job of that kind."""
    return CopySpec(source_schema="public", source_table=MIXED, destination_table=f"bq_{kind}", load=LOADS[kind])


def measure(url: str, folder: Path, kind: str, rows: int) -> dict[str, float]:
    """One copy in a process of its own."""
    shutil.rmtree(folder / "warehouse", ignore_errors=True)
    found = child(__file__, "--copy", url, str(folder), kind)
    print(
        f"{kind}, {rows:,} rows: {found['seconds']:.1f} s, {rows / found['seconds']:,.0f} rows/s, "
        f"peak {found['peak_mb']:,} MB",
        flush=True,
    )
    return found


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--copy", nargs=3, metavar=("URL", "FOLDER", "KIND"), help=argparse.SUPPRESS)
    options = parser.parse_args()
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
            for kind, found in peaks.items():
                found.append(measure(url, folder, kind, rows)["peak_mb"])
    growth = {kind: found[1] / found[0] for kind, found in peaks.items()}
    for kind, factor in growth.items():
        print(f"{kind}: ten times the rows, {factor:.2f} times the peak (promised {PROMISED_GROWTH:g})")
    if max(growth.values()) > PROMISED_GROWTH:
        raise SystemExit("memory grows with the rows")


if __name__ == "__main__":
    main()
