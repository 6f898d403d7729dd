"""Copying a table of PostgreSQL into the local warehouse, against draining the same table to nothing.

    python benchmarks/copy_postgresql.py                     2 million rows, three rounds
    python benchmarks/copy_postgresql.py --rows 10000000 --rounds 1

Starts a PostgreSQL server of its own, loads mixed_rows.sql, then runs by turns the floor (a binary COPY, read and
thrown away) and the copy (columns, count, read, commit, reconcile), each in a fresh process. Prints seconds, their
ratio, the copy's peak memory, and whether every value arrived. Promised: a ratio of 0.65 or more, under 700 MB.
"""

from __future__ import annotations

import argparse
import json
import resource
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pyarrow.compute as pc

from b2b_recs.engine.etl.copy import copy_table
from b2b_recs.engine.etl.spec import Catalog, CopySpec
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.postgres import EmbeddedPostgres

TABLE = "mixed_rows"
SPEC = CopySpec(
    source_schema="public", source_table=TABLE, destination_table=f"bq_{TABLE}", load=Catalog(), time_zone="UTC"
)
# What every column must say of itself on both sides. The digest is over the values in order of id.
DIGEST = f"""
    SELECT sum(rows), md5(string_agg(line, '' ORDER BY chunk)) FROM (
        SELECT id / 10000 AS chunk, count(*) AS rows, md5(string_agg(md5(concat_ws('|',
            id, (extract(epoch FROM created_at) * 1000000)::bigint, coalesce(amount::text, '~'), coalesce(note, '~'),
            coalesce(date_text, '~'), coalesce(active::text, '~'), coalesce(payload::text, '~'), reference,
            coalesce(quantity::text, '~'))), '' ORDER BY id)) AS line
        FROM public.{TABLE} GROUP BY 1) AS chunks"""


def floor(url: str) -> dict[str, float]:
    """Seconds to drain the table as PostgreSQL's own binary rows."""
    with psycopg.connect(url) as connection:
        started = time.perf_counter()
        with connection.cursor().copy(f"COPY (SELECT * FROM public.{TABLE}) TO STDOUT (FORMAT binary)") as rows:
            size = sum(len(block) for block in rows)
        return {"seconds": time.perf_counter() - started, "bytes": size}


def copy(url: str, folder: Path) -> dict[str, float]:
    """Seconds of a whole copy, its stages, and the peak memory of this process in MB."""
    parts = urlsplit(url)
    postgresql = SOURCE_TYPES["postgresql"]
    parameters = postgresql.Parameters(
        host=parts.hostname,
        port=parts.port,
        database=parts.path[1:],
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        ssl_mode="disable",
    )
    started = time.perf_counter()
    with postgresql.open(parameters, lambda host, port: host) as source:
        result = copy_table(
            postgresql,
            source,
            SPEC,
            LocalWarehouse(folder / "warehouse"),
            folder / "staging",
            secrets.token_hex(8),
            Silent(),
            lambda: datetime.now(UTC),
        )
    seconds = time.perf_counter() - started
    if not result.reconciled:
        raise SystemExit(f"not reconciled: {result.warnings}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"seconds": seconds, "rows": result.rows_loaded, "peak_mb": peak, **result.stage_seconds}


def source_digest(url: str) -> tuple[int, str]:
    """Count and digest of the source's values."""
    with psycopg.connect(url) as connection:
        row = connection.execute(DIGEST.encode()).fetchone()
    if row is None:
        raise SystemExit("the source gave no digest")
    return int(row[0]), str(row[1])


def warehouse_digest(folder: Path) -> tuple[int, str]:
    """The same of the warehouse's values, from the Parquet files, in order of id and 10,000 at a time."""
    import hashlib

    dataset = LocalWarehouse(folder / "warehouse").table("raw_data", f"bq_{TABLE}").arrow_dataset()
    ids = dataset.to_table(columns=["id"])["id"]
    top = int(pc.max(ids).as_py()) if len(ids) else -1
    whole = hashlib.md5(usedforsecurity=False)
    step = 500_000
    for start in range(0, top + 1, step):
        field = pc.field("id")
        rows = dataset.to_table(filter=(field >= start) & (field < start + step)).sort_by("id")
        whole.update(_chunk_lines(rows).encode())
    return len(ids), whole.hexdigest()


def _chunk_lines(rows: object) -> str:
    import hashlib

    columns = {name: rows[name] for name in rows.column_names}  # type: ignore[index,attr-defined]
    columns["created_at"] = columns["created_at"].cast("int64")
    texts = [
        pc.fill_null(columns[name].cast("string"), "~").to_pylist()
        for name in ("id", "created_at", "amount", "note", "date_text", "active", "payload", "reference", "quantity")
    ]
    lines: dict[int, hashlib._Hash] = {}
    for values in zip(*texts, strict=True):
        digest = hashlib.md5("|".join(values).encode(), usedforsecurity=False).hexdigest()
        chunk = int(values[0]) // 10_000
        lines.setdefault(chunk, hashlib.md5(usedforsecurity=False)).update(digest.encode())
    return "".join(lines[chunk].hexdigest() for chunk in sorted(lines))


def load(url: str, rows: int) -> None:
    """Create and fill the benchmark table."""
    script = (Path(__file__).parent / f"{TABLE}.sql").read_text(encoding="utf-8").replace(":rows", str(rows))
    statements = "\n".join(line for line in script.splitlines() if not line.startswith("--")).split(";\n")
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            if statement.strip():
                connection.execute(statement.encode())


def child(*arguments: str) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    run = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(run.stderr)
    return dict(json.loads(run.stdout))


def compare(url: str, folder: Path, rounds: int) -> None:
    """Measure floor and copy by turns and print what came out."""
    floors, copies = [], []
    for number in range(1, rounds + 1):
        floors.append(child("--floor", url)["seconds"])
        shutil.rmtree(folder / "warehouse", ignore_errors=True)
        copied = child("--copy", url, str(folder))
        copies.append(copied)
        stages = ", ".join(f"{name} {copied[name]:.2f}" for name in ("connect", "read", "load", "reconcile"))
        print(
            f"round {number}: floor {floors[-1]:.2f} s, copy {copied['seconds']:.2f} s ({stages}), "
            f"ratio {floors[-1] / copied['seconds']:.2f}, peak {copied['peak_mb']:.0f} MB",
            flush=True,
        )
    middle = statistics.median(floors) / statistics.median(copied["seconds"] for copied in copies)
    best = min(floors) / min(copied["seconds"] for copied in copies)
    rows, peak = copies[-1]["rows"], max(copied["peak_mb"] for copied in copies)
    here, there = source_digest(url), warehouse_digest(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*.parquet")) // 2**20
    print(
        f"rows {rows:,.0f}; ratio of medians {middle:.2f}, of the best {best:.2f} (promised 0.65); "
        f"peak {peak:.0f} MB (promised 700)"
    )
    print(f"on disk {size} MB; every value exact: {'yes' if here == there else 'NO'} ({there[1]})")
    if here != there:
        raise SystemExit(f"the values differ: {here} and {there}")


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--floor", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--copy", nargs=2, metavar=("URL", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.floor:
        print(json.dumps(floor(options.floor)))
    elif options.copy:
        print(json.dumps(copy(options.copy[0], Path(options.copy[1]))))
    else:
        with tempfile.TemporaryDirectory(prefix="b2b-recs-bench-") as name:
            folder = Path(name)
            folder.chmod(0o711)
            settings = {"fsync": "off", "max_wal_size": "8GB", "shared_buffers": "512MB"}
            server = EmbeddedPostgres(
                folder / "postgres", secrets.token_hex(16), settings=settings, store=folder / "store"
            )
            with server:
                load(server.url("postgres"), options.rows)
                compare(server.url("postgres"), folder, options.rounds)


if __name__ == "__main__":
    main()
