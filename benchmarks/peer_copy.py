"""One copy of a PostgreSQL table by another tool, run by copy_peers.py in an environment of that tool's own.

    python peer_copy.py dlt-arrow|dlt-connectorx|sling URL TABLE FOLDER

Imports nothing of b2b-recs. Prints one line of JSON: seconds, or what is not installed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

DLT = ("dlt", "duckdb", "sqlalchemy", "psycopg2", "pandas")
SLING = ("sling_linux_amd64",)
_EXTENSIONS = ("json", "icu", "httpfs")


def with_dlt(backend: str) -> Callable[[str, str, Path], None]:
    """A copy by dlt into a DuckDB file, read with that backend."""

    def run(url: str, table: str, folder: Path) -> None:
        os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
        import dlt
        from dlt.sources.sql_database import sql_table

        more = {"backend_kwargs": {"return_type": "arrow", "conn": url}} if backend == "connectorx" else {}
        rows = sql_table(
            credentials=url.replace("postgresql://", "postgresql+psycopg2://"),
            table=table,
            schema="public",
            backend=backend,
            chunk_size=50_000,
            reflection_level="full_with_precision",
            **more,
        )
        target = dlt.destinations.duckdb(str(folder / "peer.duckdb"))
        pipeline = dlt.pipeline("peer", destination=target, dataset_name="copy", pipelines_dir=str(folder / "state"))
        pipeline.run(rows, write_disposition="replace", loader_file_format="parquet")

    return run


def with_sling(url: str, table: str, folder: Path) -> None:
    """A copy by sling into a DuckDB file."""
    extensions = folder / "home" / ".duckdb" / "extensions" / "v1.5.5" / "linux_amd64"
    extensions.mkdir(parents=True)
    for name in _EXTENSIONS:
        for found in _package(f"duckdb_extension_{name}").rglob("*.duckdb_extension"):
            shutil.copy(found, extensions)
    found = sorted(_package("sling_linux_amd64").rglob("sling*"))
    program = next(path for path in found if path.is_file() and os.access(path, os.X_OK))
    own = {
        "HOME": str(folder / "home"),
        "SLING_HOME_DIR": str(folder / "home"),
        "SLING_DISABLE_TELEMETRY": "true",
        "DUCKDB_PATH": str(Path(sys.executable).parent / "duckdb"),
    }
    command = [str(program), "run", "--src-conn", f"{url}?sslmode=disable", "--src-stream", f"public.{table}"]
    command += ["--tgt-conn", f"duckdb://{folder / 'peer.duckdb'}", "--tgt-object", f"main.{table}"]
    subprocess.run([*command, "--mode", "full-refresh"], env=os.environ | own, stdout=subprocess.DEVNULL, check=True)


PEERS: dict[str, tuple[tuple[str, ...], Callable[[str, str, Path], None]]] = {
    "dlt-arrow": (DLT, with_dlt("pyarrow")),
    "dlt-connectorx": ((*DLT, "connectorx"), with_dlt("connectorx")),
    "sling": (SLING, with_sling),
}


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise SystemExit(f"{name} is not installed")
    return Path(found.origin).parent


def main() -> None:
    """Copy once."""
    name, url, table, folder = sys.argv[1:]
    needed, run = PEERS[name]
    missing = [module for module in needed if importlib.util.find_spec(module) is None]
    if missing:
        print(json.dumps({"missing": missing}))
        return
    started = time.perf_counter()
    run(url, table, Path(folder))
    print(json.dumps({"seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
