"""Copying a table of PostgreSQL into the local warehouse, against draining the same table to nothing.

    python benchmarks/copy_postgresql.py                     2 million rows, three rounds
    python benchmarks/copy_postgresql.py --rows 10000000 --rounds 1
    python benchmarks/copy_postgresql.py --promise 0         whatever comes out is good enough

Starts a PostgreSQL server of its own, loads mixed_rows.sql, then runs by turns the floor (a binary COPY, drained by
the server's own client) and the copy (columns, count, read, commit, reconcile), each in a fresh process. Prints
seconds, their ratio, CPU seconds of server and client, the copy's peak memory, and whether every value arrived.
Promised: a ratio of 0.8 or more, in 350 MB of memory and 55 bytes a row on the disk; less fails. CPU seconds say how
much of a ratio is the machine being busy.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import statistics
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from copy_support import MIXED, child, copy, drain, load_mixed_rows, own_server, with_server_cpu

from b2b_recs.engine.etl.spec import Catalog, CopySpec
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.postgres import EmbeddedPostgres

PROMISED, PROMISED_MB, PROMISED_ROW_BYTES = 0.8, 350, 55
TABLE = MIXED
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


def source_digest(url: str) -> tuple[int, str]:
    """Count and digest of the source's values."""
    with psycopg.connect(url) as connection:
        row = connection.execute(DIGEST.encode()).fetchone()
    if row is None:
        raise SystemExit("the source gave no digest")
    return int(row[0]), str(row[1])


def warehouse_digest(folder: Path) -> tuple[int, str]:
    """The same of the warehouse's values, from the Parquet files, in order of id and 10,000 at a time."""
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


def _chunk_lines(rows: pa.Table) -> str:
    columns = {name: rows[name] for name in rows.column_names}
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


def compare(server: EmbeddedPostgres, folder: Path, rounds: int, parallel: int, promise: float) -> None:
    """Measure floor and copy by turns, print what came out, and fail when it is less than promised."""
    url = server.url("postgres")
    floors, copies = [], []
    for number in range(1, rounds + 1):
        floors.append(with_server_cpu(server, lambda: child(__file__, "--floor", url)))
        shutil.rmtree(folder / "warehouse", ignore_errors=True)
        copies.append(with_server_cpu(server, lambda: child(__file__, "--copy", url, str(folder), str(parallel))))
        floor, copied = floors[-1], copies[-1]
        stages = ", ".join(f"{name} {copied[name]:.2f}" for name in ("connect", "read", "load", "reconcile"))
        print(
            f"round {number}: floor {floor['seconds']:.2f} s, copy {copied['seconds']:.2f} s ({stages}), "
            f"CPU of server and client {_cpu(floor)} against {_cpu(copied)}, "
            f"ratio {floor['seconds'] / copied['seconds']:.2f}, peak {copied['peak_mb']:.0f} MB",
            flush=True,
        )
    here, there = source_digest(url), warehouse_digest(folder)
    print(f"every value exact: {'yes' if here == there else 'NO'} ({there[1]})")
    if here != there:
        raise SystemExit(f"the values differ: {here} and {there}")
    judge(floors, copies, sum(path.stat().st_size for path in folder.rglob("*.parquet")), promise)


def judge(floors: list[dict[str, float]], copies: list[dict[str, float]], size: int, promise: float) -> None:
    """Print ratios, memory and bytes on the disk; fail when they are not as promised."""
    each = [[measured["seconds"] for measured in measures] for measures in (floors, copies)]
    middle = statistics.median(each[0]) / statistics.median(each[1])
    rows, peak = copies[-1]["rows"], max(copied["peak_mb"] for copied in copies)
    print(
        f"rows {rows:,.0f}; ratio of medians {middle:.2f}, of the best {min(each[0]) / min(each[1]):.2f} "
        f"(promised {promise:g}); peak {peak:.0f} MB (promised {PROMISED_MB}); on disk {size // 2**20} MB"
    )
    if middle < promise:
        raise SystemExit("slower than promised")
    if peak > PROMISED_MB or size > PROMISED_ROW_BYTES * max(rows, 1):
        raise SystemExit("more memory or disk than promised")


def _cpu(measures: dict[str, float]) -> str:
    return f"{measures['server_cpu']:.1f} + {measures['client_cpu']:.1f} s"


def measured_copy(url: str, folder: Path, parallel: int) -> dict[str, float]:
    """One copy in this process: rows, stages, seconds, CPU seconds, peak memory."""
    result, measures = copy(url, folder, SPEC.model_copy(update={"parallel": parallel}))
    return {"rows": result.rows_loaded, **result.stage_seconds, **measures}


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parallel", type=int, default=SPEC.parallel)
    parser.add_argument("--promise", type=float, default=PROMISED, help="ratio of medians below which this fails")
    parser.add_argument("--floor", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--copy", nargs=3, metavar=("URL", "FOLDER", "PARALLEL"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.floor:
        print(json.dumps(drain(options.floor, TABLE)))
    elif options.copy:
        url, folder, parallel = options.copy
        print(json.dumps(measured_copy(url, Path(folder), int(parallel))))
    else:
        with own_server() as (server, folder):
            load_mixed_rows(server.url("postgres"), options.rows)
            compare(server, folder, options.rounds, options.parallel, options.promise)


if __name__ == "__main__":
    main()
