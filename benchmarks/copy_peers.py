"""A copy of PostgreSQL beside other tools that copy tables, on the same server in the same minutes.

    python benchmarks/copy_peers.py --python /path/to/peers/bin/python
    python benchmarks/copy_peers.py --python … --rows 200000 --rounds 1

The peers live in an environment of their own:

    pip install 'dlt[duckdb,sql_database]==1.31.*' sqlalchemy pyarrow numpy pandas psycopg2-binary connectorx \\
        sling-linux-amd64==1.4.11 duckdb==1.5.5 duckdb-cli==1.5.5 duckdb-extension-json==1.5.5 \\
        duckdb-extension-icu==1.5.5 duckdb-extension-httpfs==1.5.5

Each round drains the table (the floor), copies it into the local warehouse, and lets every peer that is installed copy
it into a DuckDB file; those that are not are named. Promised: at least 3.5 times as fast as dlt with connectorx, the
fastest peer, which damages JSON numbers, and 8 times as fast as sling, the fastest that keeps every value of this
table. Ends with an error when a promise is not kept or could not be measured.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from copy_support import MIXED, child, copy, drain, load_mixed_rows, own_server

from b2b_recs.engine.etl.spec import Catalog, CopySpec

PEERS = ("dlt-connectorx", "dlt-arrow", "sling")
PROMISED = {"dlt-connectorx": 3.5, "sling": 8.0}
SPEC = CopySpec(source_schema="public", source_table=MIXED, destination_table=f"bq_{MIXED}", load=Catalog())
SCRIPT = Path(__file__).parent / "peer_copy.py"


def peer(python: str, name: str, url: str) -> tuple[float | None, str]:
    """Seconds of a peer's copy, or None and why there are none."""
    with tempfile.TemporaryDirectory(prefix="b2b-recs-peer-") as folder:
        command = [python, str(SCRIPT), name, url, MIXED, folder]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        return None, (run.stderr.strip().splitlines() or ["it failed"])[-1]
    found = json.loads(run.stdout.splitlines()[-1])
    if "missing" in found:
        return None, f"not installed: {', '.join(found['missing'])}"
    return float(found["seconds"]), ""


def compare(url: str, python: str, rounds: int) -> None:
    """Measure by turns and print the ratios."""
    spent: dict[str, list[float]] = {}
    skipped: dict[str, str] = {}
    for _ in range(rounds):
        spent.setdefault("floor", []).append(child(__file__, "--floor", url)["seconds"])
        with tempfile.TemporaryDirectory(prefix="b2b-recs-bench-") as folder:
            spent.setdefault("b2b-recs", []).append(child(__file__, "--copy", url, folder)["seconds"])
        for name in PEERS:
            if name not in skipped:
                seconds, why = peer(python, name, url)
                if seconds is None:
                    skipped[name] = why
                else:
                    spent.setdefault(name, []).append(seconds)
    ours = statistics.median(spent["b2b-recs"])
    for name, seconds in spent.items():
        middle = statistics.median(seconds)
        print(f"{name}: {middle:.2f} s, {middle / ours:.2f} times b2b-recs")
    for name, why in skipped.items():
        print(f"{name}: skipped, {why}")
    broken = []
    for name, promised in PROMISED.items():
        if name not in spent:
            broken.append(f"{name} was not measured")
            continue
        ratio = statistics.median(spent[name]) / ours
        print(f"{name} takes {ratio:.1f} times as long (promised {promised:g})")
        if ratio < promised:
            broken.append(f"{name} takes less than {promised:g} times as long")
    if broken:
        raise SystemExit("; ".join(broken))


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", default=sys.executable, help="the interpreter of the peers' environment")
    parser.add_argument("--floor", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--copy", nargs=2, metavar=("URL", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.floor:
        print(json.dumps(drain(options.floor, MIXED)))
    elif options.copy:
        print(json.dumps(copy(options.copy[0], Path(options.copy[1]), SPEC)[1]))
    else:
        with own_server() as (server, _):
            load_mixed_rows(server.url("postgres"), options.rows)
            compare(server.url("postgres"), options.python, options.rounds)


if __name__ == "__main__":
    main()
