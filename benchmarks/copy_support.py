"""What the benchmarks of copies share: a server of their own, a process per measurement, CPU seconds of both sides."""

from __future__ import annotations

import json
import os
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg

from b2b_recs.engine.etl.copy import copy_table
from b2b_recs.engine.etl.spec import CopyResult, CopySpec
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.sources.postgresql import source as _loaded  # noqa: F401 - what a process loads once is not timed
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.postgres import EmbeddedPostgres
from b2b_recs.runtime.postgres_binaries import packaged

MIXED = "mixed_rows"
PSQL = packaged() / "bin" / "psql"
_TICK = os.sysconf("SC_CLK_TCK")


@contextmanager
def own_server(**settings: str) -> Iterator[tuple[EmbeddedPostgres, Path]]:
    """A PostgreSQL server that is gone afterwards, and a folder for what is measured."""
    with tempfile.TemporaryDirectory(prefix="b2b-recs-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        fast = {"fsync": "off", "max_wal_size": "8GB", "shared_buffers": "512MB", **settings}
        server = EmbeddedPostgres(folder / "postgres", secrets.token_hex(16), settings=fast, store=folder / "store")
        with server:
            yield server, folder


def load_mixed_rows(url: str, rows: int) -> None:
    """Create and fill ``mixed_rows``."""
    script = (Path(__file__).parent / f"{MIXED}.sql").read_text(encoding="utf-8").replace(":rows", str(rows))
    statements = "\n".join(line for line in script.splitlines() if not line.startswith("--")).split(";\n")
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            if statement.strip():
                connection.execute(statement.encode())


def drain(url: str, table: str) -> dict[str, float]:
    """Seconds for the server's own client to read a table as binary rows and throw them away: the floor."""
    command = f"COPY (SELECT * FROM public.{table}) TO STDOUT (FORMAT binary)"
    started = time.perf_counter()
    subprocess.run([str(PSQL), url, "-qc", command], stdout=subprocess.DEVNULL, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"seconds": time.perf_counter() - started, "client_cpu": used.ru_utime + used.ru_stime}


def copy(url: str, folder: Path, spec: CopySpec, run_key: str | None = None) -> tuple[CopyResult, dict[str, Any]]:
    """What a whole copy did; its seconds, this process's CPU seconds in them, and its peak memory in MB."""
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
    warehouse, staging = LocalWarehouse(folder / "warehouse"), folder / "staging"
    run_key = run_key or secrets.token_hex(8)
    before = time.process_time()
    started = time.perf_counter()
    with postgresql.open(parameters, lambda host, port: host) as source:
        result = copy_table(postgresql, source, spec, warehouse, staging, run_key, Silent(), lambda: datetime.now(UTC))
    seconds, cpu = time.perf_counter() - started, time.process_time() - before
    if not result.reconciled:
        raise SystemExit(f"not reconciled: {result.warnings}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return result, {"seconds": seconds, "client_cpu": cpu, "peak_mb": peak}


def child(script: str, *arguments: str, python: str = sys.executable) -> dict[str, Any]:
    """What one measurement prints, in a process of its own."""
    run = subprocess.run([python, script, *arguments], capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(run.stderr)
    return dict(json.loads(run.stdout.splitlines()[-1]))


def with_server_cpu(server: EmbeddedPostgres, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``measure`` gives, and ``server_cpu``: CPU seconds of all the server's processes meanwhile."""
    before = _server_cpu(server)
    found = measure()
    time.sleep(0.3)  # sessions that have just ended are counted once the server has noticed
    return {**found, "server_cpu": _server_cpu(server) - before}


def _server_cpu(server: EmbeddedPostgres) -> float:
    pid = server.pid
    if pid is None:
        raise SystemExit("the server has ended")
    ticks = sum(_ticks(pid, ended=True))
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _parent(int(entry.name)) == pid:
            ticks += sum(_ticks(int(entry.name), ended=False))
    return ticks / _TICK


def _fields(pid: int) -> list[str]:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _parent(pid: int) -> int | None:
    fields = _fields(pid)
    return int(fields[1]) if fields else None


def _ticks(pid: int, *, ended: bool) -> list[int]:
    """User and system ticks of a process; with ``ended`` also those of its children that have ended."""
    fields = _fields(pid)
    return [int(value) for value in fields[11 : 15 if ended else 13]]
