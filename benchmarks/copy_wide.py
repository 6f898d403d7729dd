"""A very wide table: 600 columns × 570,000 rows under 1 GB of memory.

    python benchmarks/copy_wide.py                    the whole table, about 3 GB on the server
    python benchmarks/copy_wide.py --rows 20000       a quick look

Generates the table in a PostgreSQL server of its own, in chunks, with the types tables of many columns have (numbers,
decimals, texts, dates, empty ones), drains it (the floor), and copies it in a fresh process. Prints seconds, rate and
peak memory. Promised: a peak of at most 1,000 MB, however many rows.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import psycopg
from copy_support import child, copy, drain, own_server

from b2b_recs.engine.etl.spec import Catalog, CopySpec

TABLE = "wide_rows"
COLUMNS, ROWS, CHUNK = 600, 570_000, 10_000
PROMISED_MB = 1000
SPEC = CopySpec(source_schema="public", source_table=TABLE, destination_table=f"bq_{TABLE}", load=Catalog())
KINDS = (
    ("bigint", "g * {n}"),
    ("numeric(12, 2)", "((g * {n}) % 1000000)::numeric / 100"),
    ("text", "CASE WHEN g % 3 = 0 THEN NULL ELSE 'v' || (g * {n}) % 1000 END"),
    ("double precision", "g / ({n} + 1.5)"),
    ("date", "date '2020-01-01' + (g % (300 + {n}))::int"),
    ("boolean", "(g + {n}) % 2 = 0"),
)


def load(url: str, rows: int) -> None:
    """Create and fill the table, some thousand rows at a time."""
    kinds = [KINDS[number % len(KINDS)] for number in range(COLUMNS - 1)]
    columns = ", ".join(f"c{number} {kind}" for number, (kind, _) in enumerate(kinds))
    values = ", ".join(value.format(n=number) for number, (_, value) in enumerate(kinds))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE public.{TABLE} (id bigint PRIMARY KEY, {columns})".encode())
        for start in range(1, rows + 1, CHUNK):
            end = min(start + CHUNK - 1, rows)
            source = f"generate_series({start}::bigint, {end}) g"
            connection.execute(f"INSERT INTO public.{TABLE} SELECT g, {values} FROM {source}".encode())
        connection.execute(f"VACUUM ANALYZE public.{TABLE}".encode())


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--floor", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--copy", nargs=2, metavar=("URL", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.floor:
        print(json.dumps(drain(options.floor, TABLE)))
        return
    if options.copy:
        result, measures = copy(options.copy[0], Path(options.copy[1]), SPEC)
        print(json.dumps({**measures, "rows": result.rows_loaded, "bytes": result.bytes}))
        return
    with own_server() as (server, folder):
        load(server.url("postgres"), options.rows)
        floor = child(__file__, "--floor", server.url("postgres"))["seconds"]
        found = child(__file__, "--copy", server.url("postgres"), str(folder))
    print(
        f"{COLUMNS} columns × {found['rows']:,} rows ({found['bytes'] / 1e6:,.0f} MB of values) in "
        f"{found['seconds']:.1f} s, {found['bytes'] / 1e6 / found['seconds']:.0f} MB/s; floor (COPY drained) "
        f"{floor:.1f} s, ratio of floor to copy {floor / found['seconds']:.2f}"
    )
    print(
        f"peak {found['peak_mb']:,} MB (promised {PROMISED_MB:,}), ratio to the promise "
        f"{found['peak_mb'] / PROMISED_MB:.2f}"
    )
    if found["peak_mb"] > PROMISED_MB:
        raise SystemExit("more memory than promised")


if __name__ == "__main__":
    main()
