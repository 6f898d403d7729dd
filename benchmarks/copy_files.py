"""Copying files into the local warehouse, against reading the same files with Arrow alone and writing Parquet.

    python benchmarks/copy_files.py                     2 million rows, three rounds
    python benchmarks/copy_files.py --rows 200000 --rounds 1
    python benchmarks/copy_files.py --json out.json
    python benchmarks/copy_files.py --promise 0         whatever comes out is good enough

Writes the same mixed rows as CSV and as Parquet, then runs by turns the floor (Arrow reads the file and writes Parquet
with ZSTD) and the copy (columns, count, read, commit, reconcile), each in a fresh process. Prints seconds, their ratio,
the copy's peak memory, and whether every value arrived. The floor of CSV lets Arrow guess the types of the columns; the
copy reads every value as text and casts it exactly. Promised: a ratio of 0.8 or more for both, else this fails.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from b2b_recs.engine.etl.copy import copy_table
from b2b_recs.engine.etl.spec import Catalog, CopySpec
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.files import source as _loaded  # noqa: F401 - what a process loads once is not timed
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.guard import OutgoingGuard

PROMISED = 0.8
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("created_at", pa.timestamp("us")),
        ("amount", pa.decimal128(12, 2)),
        ("note", pa.string()),
        ("active", pa.bool_()),
        ("reference", pa.string()),
        ("quantity", pa.int64()),
        ("weight", pa.float64()),
    ]
)
# CSV says nothing about types, so a job has chosen them.
CHOSEN = (
    ColumnMapping("id", "text", WarehouseType.INT64),
    ColumnMapping("created_at", "text", WarehouseType.DATETIME),
    ColumnMapping("amount", "text", WarehouseType.NUMERIC, precision=12, scale=2),
    ColumnMapping("active", "text", WarehouseType.BOOL),
    ColumnMapping("quantity", "text", WarehouseType.INT64),
    ColumnMapping("weight", "text", WarehouseType.FLOAT64),
)
_CHUNK = 100_000


def rows(count: int) -> pa.Table:
    """Mixed rows, the same every time."""
    chance = random.Random(7)
    chunks = []
    start = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall clock
    for first in range(0, count, _CHUNK):
        numbers = range(first, min(first + _CHUNK, count))
        chunks.append(
            pa.RecordBatch.from_arrays(
                [
                    pa.array(numbers, pa.int64()),
                    pa.array([start + timedelta(seconds=at * 7, microseconds=at % 1_000_000) for at in numbers]),
                    pa.array([Decimal(chance.randrange(1, 10_000_000)).scaleb(-2) for _ in numbers], SCHEMA.types[2]),
                    pa.array([None if at % 11 == 0 else f"note {at % 977}" for at in numbers]),
                    pa.array([at % 3 == 0 for at in numbers]),
                    pa.array([f"{chance.getrandbits(96):x}" for _ in numbers]),
                    pa.array([None if at % 7 == 0 else at % 50 for at in numbers], pa.int64()),
                    pa.array([chance.random() for _ in numbers]),
                ],
                schema=SCHEMA,
            )
        )
    return pa.Table.from_batches(chunks, SCHEMA)


def floor(path: Path, target: Path) -> dict[str, float]:
    """Seconds for Arrow to read the file and write it as Parquet, and CPU seconds."""
    started, before = time.perf_counter(), time.process_time()
    if path.suffix == ".csv":
        reader = pyarrow.csv.open_csv(path, read_options=pyarrow.csv.ReadOptions(block_size=16 << 20))
        batches, schema = iter(reader), reader.schema
    else:
        parquet = pq.ParquetFile(path)
        batches, schema = parquet.iter_batches(batch_size=131_072), parquet.schema_arrow
    with pq.ParquetWriter(target, schema, compression="zstd", compression_level=1) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return {"seconds": time.perf_counter() - started, "cpu": time.process_time() - before}


def copy(path: Path, folder: Path) -> dict[str, float]:
    """Seconds of a whole copy, its stages, and the peak memory of this process in MB."""
    kind = SOURCE_TYPES[path.suffix[1:]]
    spec = CopySpec(
        source_schema="",
        source_table=path.name,
        destination_table="bq_mixed_rows",
        load=Catalog(),
        types=CHOSEN if kind.type == "csv" else (),
    )
    guard = OutgoingGuard(enabled=True, folders=[path.parent])
    started, before = time.perf_counter(), time.process_time()
    with kind.open(kind.Parameters(location="."), guard) as source:
        result = copy_table(
            kind,
            source,
            spec,
            LocalWarehouse(folder / "warehouse"),
            folder / "staging",
            secrets.token_hex(8),
            Silent(),
            lambda: datetime.now(UTC),
        )
    seconds, cpu = time.perf_counter() - started, time.process_time() - before
    if not result.reconciled or result.rows_rejected:
        raise SystemExit(f"not every row arrived: {result.warnings}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"seconds": seconds, "cpu": cpu, "rows": result.rows_loaded, "peak_mb": peak, **result.stage_seconds}


def same(path: Path, folder: Path) -> bool:
    """Whether the warehouse holds the values that were written."""
    written = pq.read_table(path.with_suffix(".parquet"))
    dataset = LocalWarehouse(folder / "warehouse").table("raw_data", "bq_mixed_rows").arrow_dataset()
    held = dataset.to_table(columns=SCHEMA.names).sort_by("id").cast(SCHEMA)
    return bool(held.equals(written.replace_schema_metadata(None)))


def child(*arguments: str) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    run = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(run.stderr)
    return dict(json.loads(run.stdout))


def compare(path: Path, folder: Path, rounds: int) -> dict[str, float]:
    """Measure floor and copy of one file by turns, print each round; the figures of all."""
    floors, copies = [], []
    for number in range(1, rounds + 1):
        least = child("--floor", str(path), str(folder / "floor.parquet"))
        floors.append(least["seconds"])
        shutil.rmtree(folder / "warehouse", ignore_errors=True)
        copied = child("--copy", str(path), str(folder))
        copies.append(copied)
        stages = ", ".join(f"{name} {copied[name]:.2f}" for name in ("connect", "read", "load", "reconcile"))
        print(
            f"{path.suffix[1:]} round {number}: floor {floors[-1]:.2f} s, copy {copied['seconds']:.2f} s ({stages}), "
            f"CPU {least['cpu']:.1f} against {copied['cpu']:.1f} s, ratio {floors[-1] / copied['seconds']:.2f}, "
            f"peak {copied['peak_mb']:.0f} MB",
            flush=True,
        )
    exact = same(path, folder)
    print(f"{path.suffix[1:]}: every value exact: {'yes' if exact else 'NO'}")
    if not exact:
        raise SystemExit(f"the values of {path.name} differ")
    return {
        "file_mb": round(path.stat().st_size / 2**20, 1),
        "rows": copies[-1]["rows"],
        "floor_seconds": statistics.median(floors),
        "copy_seconds": statistics.median(copied["seconds"] for copied in copies),
        "ratio_of_medians": statistics.median(floors) / statistics.median(copied["seconds"] for copied in copies),
        "ratio_of_best": min(floors) / min(copied["seconds"] for copied in copies),
        "peak_mb": max(copied["peak_mb"] for copied in copies),
    }


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="also write the figures into this file")
    parser.add_argument("--promise", type=float, default=PROMISED, help="ratio of medians below which this fails")
    parser.add_argument("--floor", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--copy", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.floor:
        print(json.dumps(floor(*map(Path, options.floor))))
    elif options.copy:
        print(json.dumps(copy(*map(Path, options.copy))))
    else:
        with tempfile.TemporaryDirectory(prefix="b2b-recs-bench-") as name:
            folder = Path(name)
            (folder / "files").mkdir()
            table = rows(options.rows)
            pq.write_table(table, folder / "files" / "rows.parquet", compression="zstd")
            pyarrow.csv.write_csv(table, folder / "files" / "rows.csv")
            del table
            figures = {
                kind: compare(folder / "files" / f"rows.{kind}", folder, options.rounds) for kind in ("csv", "parquet")
            }
            print(json.dumps(figures, indent=1))
            if options.json:
                options.json.write_text(json.dumps(figures, indent=1))
            slow = [kind for kind, found in figures.items() if found["ratio_of_medians"] < options.promise]
            if slow:
                raise SystemExit(f"slower than promised ({options.promise:g}): {' and '.join(slow)}")


if __name__ == "__main__":
    main()
