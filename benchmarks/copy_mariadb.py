"""Copying a table of MariaDB into the local warehouse, against the server's own client printing it to nothing.

    python benchmarks/copy_mariadb.py                        300,000 rows of 15 columns, three rounds
    python benchmarks/copy_mariadb.py --rows 2000000 --rounds 1
    python benchmarks/copy_mariadb.py --promise 0            whatever comes out is good enough
    python benchmarks/copy_mariadb.py --candidates           also connectorx and the driver's own cursor, once

Starts a MariaDB server of its own, then runs by turns the floor (`mariadb --batch --quick`, thrown away), the reading
alone and the whole copy (columns, count, read, commit, reconcile), each in a fresh process. Prints seconds, ratios,
peak memory, and whether every value arrived. Promised: the copy reaches 0.8 or more of the floor, else this fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pymysql

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from mariadb_support import MariaDBServer

from b2b_recs.engine.etl.copy import copy_table
from b2b_recs.engine.etl.spec import Catalog, CopySpec
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.sources.contract import ReadRequest
from b2b_recs.engine.sources.mysql import source as _loaded  # noqa: F401 - what a process loads once is not timed
from b2b_recs.engine.sources.registry import SOURCE_TYPES, open_source
from b2b_recs.engine.warehouse.local import LocalWarehouse

PROMISED = 0.8
DATABASE, TABLE, READER, PASSWORD = "bench", "mixed_rows", "reader", "bench"
SPEC = CopySpec(
    source_schema=DATABASE, source_table=TABLE, destination_table=f"bq_{TABLE}", load=Catalog(), time_zone="UTC"
)
CREATE = f"""
CREATE TABLE {TABLE} (
    id bigint PRIMARY KEY, created_at datetime(6) NOT NULL, changed_at timestamp NULL, amount decimal(12, 2),
    price decimal(20, 6), note text, code varchar(32), active tinyint(1), payload json, reference char(36) NOT NULL,
    quantity int, big bigint unsigned, ratio double, day date, opening time)"""
FILL = f"""
INSERT INTO {TABLE} SELECT seq, '2020-01-01' + INTERVAL seq * 37 SECOND + INTERVAL (seq % 1000) MICROSECOND,
    '2021-01-01' + INTERVAL (seq % 100000) MINUTE, IF(seq % 50 = 0, NULL, (seq * 7919 % 1000000000) / 100),
    seq * 1.000001, concat('note ', seq, ' ', md5(seq), repeat('x', seq % 40)), concat('c', lpad(seq, 8, '0')), seq % 2,
    IF(seq % 20 = 0, NULL, json_object('k', seq, 'tags', json_array('a', 'b', seq % 10))), md5(seq),
    IF(seq % 7 = 0, NULL, seq % 1000), 18446744073709551615 - seq, seq / 7e0, '2020-01-01' + INTERVAL (seq % 3000) DAY,
    sec_to_time(seq % 86400)
FROM seq_1_to_{{rows}}"""
COLUMNS = (
    "id", "created_at", "changed_at", "amount", "price", "note", "code", "active", "payload", "reference", "quantity",
    "big", "ratio", "day", "opening",
)  # fmt: skip


def parameters(port: int) -> dict[str, Any]:
    """The reading login, on the wire as it is, so that both sides do the same work."""
    return {
        "host": "127.0.0.1", "port": port, "database": DATABASE, "username": READER, "password": PASSWORD,
        "ssl_mode": "disable",
    }  # fmt: skip


def floor(port: int) -> dict[str, float]:
    """Seconds until the server's own client has printed every row to nothing."""
    command = [
        "mariadb", "--no-defaults", "--skip-ssl", "--batch", "--quick", "-h127.0.0.1", f"-P{port}", f"-u{READER}",
        f"-p{PASSWORD}", "-e", f"SELECT {', '.join(COLUMNS)} FROM {DATABASE}.{TABLE}",
    ]  # fmt: skip
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return {"seconds": time.perf_counter() - started}


def read(port: int) -> dict[str, float]:
    """Seconds until every row is there in the warehouse's types."""
    started = time.perf_counter()
    with open_source("mariadb", parameters(port), lambda host, port: host) as source:
        columns = SOURCE_TYPES["mariadb"].propose(source.columns(DATABASE, TABLE), {}, "UTC")
        rows = sum(batch.rows.num_rows for batch in source.read(ReadRequest(DATABASE, TABLE, tuple(columns))))
    return {"seconds": time.perf_counter() - started, "rows": rows, **used()}


def copy(port: int, folder: Path) -> dict[str, float]:
    """Seconds of a whole copy."""
    started = time.perf_counter()
    with open_source("mariadb", parameters(port), lambda host, port: host) as source:
        result = copy_table(
            SOURCE_TYPES["mariadb"], source, SPEC, LocalWarehouse(folder / "warehouse"), folder / "staging",
            secrets.token_hex(8), Silent(), lambda: datetime.now(UTC),
        )  # fmt: skip
    if not result.reconciled:
        raise SystemExit(f"not reconciled: {result.warnings}")
    return {"seconds": time.perf_counter() - started, "rows": result.rows_loaded, **used()}


def cursor(port: int) -> dict[str, float]:
    """Seconds of the driver's own streaming cursor, which makes a Python object of every value."""
    started = time.perf_counter()
    connection: Any = pymysql.connect(
        host="127.0.0.1", port=port, user=READER, password=PASSWORD, ssl_disabled=True,
        cursorclass=pymysql.cursors.SSCursor,
    )  # fmt: skip
    rows = 0
    with connection, connection.cursor() as streaming:
        streaming.execute(f"SELECT {', '.join(COLUMNS)} FROM {DATABASE}.{TABLE}")
        while found := streaming.fetchmany(10_000):
            rows += len(found)
    return {"seconds": time.perf_counter() - started, "rows": rows, **used()}


def connectorx(port: int) -> dict[str, float]:
    """Seconds of connectorx with what it would damage sent as text and cast in Arrow."""
    import connectorx as cx  # not an extra of the product: installed by hand to compare

    damaged = {"amount": pa.decimal128(12, 2), "price": pa.decimal128(20, 6), "big": pa.decimal128(20, 0)}
    texts = {*damaged, "payload", "opening"}
    chosen = ", ".join(f"CAST({name} AS CHAR) AS {name}" if name in texts else name for name in COLUMNS)
    url = f"mysql://{READER}:{PASSWORD}@127.0.0.1:{port}/{DATABASE}"
    started = time.perf_counter()
    rows = 0
    for batch in cx.read_sql(url, f"SELECT {chosen} FROM {TABLE}", return_type="arrow_stream", batch_size=65_536):
        rows += batch.num_rows
        for name, target in damaged.items():
            batch.column(name).cast(pa.string()).cast(target)
    return {"seconds": time.perf_counter() - started, "rows": rows, **used()}


def used() -> dict[str, float]:
    """Processor seconds and peak memory in MB of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss // 1024}


def digest(rows: Any) -> str:
    """A digest of rows in order of id, every value by its text."""
    whole = hashlib.sha256()
    for row in rows:
        whole.update("|".join("~" if value is None else _text(value) for value in row).encode() + b"\n")
    return whole.hexdigest()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="microseconds")
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def source_digest(server: MariaDBServer) -> str:
    """The digest of the source's values, by the driver's own cursor."""
    with server.connect(DATABASE) as connection, connection.cursor() as streaming:
        streaming.execute(
            f"SELECT {', '.join(COLUMNS[:-1])}, time_format(opening, '%H:%i:%s.%f') FROM {TABLE} ORDER BY id"
        )
        return digest(streaming.fetchall())


def warehouse_digest(folder: Path) -> str:
    """The same of the warehouse's values."""
    table = LocalWarehouse(folder / "warehouse").table("raw_data", f"bq_{TABLE}").arrow_dataset().to_table()
    return digest(zip(*(table.sort_by("id")[name].to_pylist() for name in COLUMNS), strict=True))


def child(*arguments: str) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    run = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(run.stderr)
    return dict(json.loads(run.stdout))


def compare(server: MariaDBServer, folder: Path, rounds: int, candidates: bool, promise: float) -> None:
    """Measure by turns, print what came out, and fail when it is less than promised."""
    port = str(server.port)
    figures: dict[str, list[dict[str, float]]] = {"floor": [], "read": [], "copy": []}
    for number in range(1, rounds + 1):
        figures["floor"].append(child("--one", "floor", port))
        figures["read"].append(child("--one", "read", port))
        place = folder / f"round{number}"
        figures["copy"].append(child("--one", "copy", port, str(place)))
        shown = ", ".join(f"{name} {found[-1]['seconds']:.2f} s" for name, found in figures.items())
        print(f"round {number}: {shown}, load {os.getloadavg()[0]:.1f}", flush=True)
    middle = {name: statistics.median(one["seconds"] for one in found) for name, found in figures.items()}
    print(
        f"floor / read {middle['floor'] / middle['read']:.2f}, floor / copy {middle['floor'] / middle['copy']:.2f}; "
        f"processor seconds of the read {figures['read'][-1]['cpu']:.2f}, of the copy "
        f"{figures['copy'][-1]['cpu']:.2f}; peak {max(one['peak_mb'] for one in figures['copy']):.0f} MB"
    )
    for name in ("connectorx", "cursor") if candidates else ():
        one = child("--one", name, port)
        print(f"{name}: {one['seconds']:.2f} s, processor {one['cpu']:.2f} s, peak {one['peak_mb']:.0f} MB")
    exact = source_digest(server) == warehouse_digest(folder / f"round{rounds}")
    print(f"rows {figures['copy'][-1]['rows']:,.0f}; every value exact: {'yes' if exact else 'NO'}")
    if not exact:
        raise SystemExit("the values differ")
    if middle["floor"] / middle["copy"] < promise:
        raise SystemExit(f"slower than promised ({promise:g})")


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--promise", type=float, default=PROMISED, help="ratio of medians below which this fails")
    parser.add_argument("--candidates", action="store_true")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, port, *folder = options.one
        measures = {"floor": floor, "read": read, "cursor": cursor, "connectorx": connectorx}
        print(json.dumps(copy(int(port), Path(folder[0])) if name == "copy" else measures[name](int(port))))
        return
    with tempfile.TemporaryDirectory(prefix="b2b-recs-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with MariaDBServer(folder / "mariadb") as server:
            with server.connect() as connection, connection.cursor() as administrator:
                for statement in (
                    f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4", f"USE {DATABASE}", "SET time_zone = '+00:00'",
                    CREATE, FILL.format(rows=options.rows), f"ANALYZE TABLE {TABLE}",
                    f"GRANT SELECT ON {DATABASE}.* TO {READER}@'%' IDENTIFIED BY '{PASSWORD}'",
                ):  # fmt: skip
                    administrator.execute(statement)
            compare(server, folder, options.rounds, options.candidates, options.promise)


if __name__ == "__main__":
    main()
