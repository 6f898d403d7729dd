"""How fast /recommend is, as a ratio to a bare ASGI application doing the same scoring and ranking.

Both run under the same server with the same settings, are asked the same questions by the same client over kept-open
connections, in alternating rounds, so that a busy machine slows both alike. Prints requests per second and latency of
each and the ratio of the medians; the target is 0.6.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import numpy as np

from b2b_recs.engine.algorithms.registry import ALGORITHMS, make_algorithm
from b2b_recs.engine.artifacts.bundle import Recommender, open_bundle, write_bundle
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.datasets.interactions import Interactions
from b2b_recs.engine.serving.app import create_app

FOLDER = "B2B_RECS_BENCHMARK_FOLDER"
KEY = "b2br_1_bench_key"
CREDENTIAL = f"Authorization: Bearer {KEY}"
DAY = 86_400_000_000
TARGET = 0.6


def orders(customers: int, products: int, lines: int) -> Interactions:
    """Order lines with a long tail of products, repeated purchases, one year."""
    draw = np.random.default_rng(1)
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    customer = draw.integers(0, customers, lines)
    own = (customer * 7919 + draw.integers(0, 40, lines) * 104_729) % products
    common = (draw.beta(0.6, 3, lines) * products).astype(np.int64)
    product = np.where(draw.random(lines) < 0.6, own, common)
    time_of = np.sort(now - draw.integers(1, 365, lines) * DAY)
    _, order = np.unique(customer * 1_000_000 + (time_of // DAY) % 1_000_000, return_inverse=True)
    quantity = draw.integers(1, 50, lines).astype(np.float64)
    return Interactions(
        customer=customer.astype(np.int32),
        product=product.astype(np.int32),
        order=order.astype(np.int32),
        time=time_of,
        revenue=quantity * 3,
        quantity=quantity,
        customer_ids=np.array([f"C{number:06d}" for number in range(customers)]),
        product_ids=np.array([f"P{number:06d}" for number in range(products)]),
        product_names=np.array([f"Product number {number}" for number in range(products)]),
        product_categories=np.array([f"Category {number % 40}" for number in range(products)]),
        customer_names=np.array([f"Customer {number}" for number in range(customers)]),
    )


def prepare(folder: Path, algorithm: str, size: tuple[int, int, int]) -> None:
    """Train one model and deploy it into ``folder``."""
    interactions = orders(*size)
    now = int(interactions.time.max())
    model = make_algorithm(algorithm).fit(interactions, now)
    artifact = write_bundle(
        ArtifactStore(folder / "artifacts"), model, interactions, now=now, trained_at=datetime.now(UTC)
    )
    pointer = {
        "model_id": 1,
        "model_name": "Benchmark",
        "version": "v1",
        "artifact_id": artifact,
        "keys": [{"prefix": "bench", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}],
    }
    (folder / "serving").mkdir()
    (folder / "serving" / "model-1.json").write_text(json.dumps(pointer))


def product() -> Any:
    """The application as it is served."""
    folder = Path(os.environ[FOLDER])
    return create_app(folder / "serving", folder / "artifacts")


def bare() -> Callable[..., Awaitable[None]]:
    """Scoring and ranking behind nothing: no routes, keys, limits, checks, reasons, names or counting."""
    folder = Path(os.environ[FOLDER])
    pointer = json.loads((folder / "serving" / "model-1.json").read_text())
    recommender = Recommender(open_bundle(ArtifactStore(folder / "artifacts"), pointer["artifact_id"]))
    product_ids = recommender.bundle.product_ids

    async def application(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] == "lifespan":
            for stage in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{stage}.complete"})
            return
        question = msgspec.json.decode((await receive())["body"])
        found = recommender.recommend(question["customer_id"], question["k"])
        pairs = zip(found.products.tolist(), found.scores.tolist(), strict=True)
        body = msgspec.json.encode({"recommendations": [[product_ids[index], score] for index, score in pairs]})
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    return application


class Server:
    """One of the two applications in a process of its own."""

    def __init__(self, name: str, port: int) -> None:
        self.port = port
        code = (
            "from granian import Granian; from granian.constants import Interfaces; from granian.log import LogLevels;"
            f"Granian('serving:{name}', port={port}, interface=Interfaces.ASGI, factory=True, websockets=False,"
            " workers_kill_timeout=5, log_level=LogLevels.warning).serve()"
        )
        threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=Path(__file__).parent, env=os.environ | threads, start_new_session=True
        )

    async def ready(self) -> None:
        """Wait until it answers."""
        for _ in range(600):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return
        raise SystemExit("The server did not start within a minute.")

    def stop(self) -> None:
        """End the process group."""
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()


async def ask(port: int, customers: list[str], requests: int, connections: int) -> tuple[float, list[float]]:
    """Requests per second and every latency in milliseconds; each reply must be a 200."""
    left = iter(range(requests))
    latencies: list[float] = []

    async def keep_asking() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in left:
            body = b'{"customer_id":"%s","k":10}' % customers[number % len(customers)].encode()
            head = f"POST /recommend HTTP/1.1\r\nHost: x\r\n{CREDENTIAL}\r\nContent-Length: {len(body)}\r\n\r\n"
            started = time.perf_counter()
            writer.write(head.encode() + body)
            header = await reader.readuntil(b"\r\n\r\n")
            if not header.startswith(b"HTTP/1.1 200"):
                raise SystemExit(header.decode())
            lowered = header.lower()
            at = lowered.find(b"content-length: ")
            if at >= 0:
                await reader.readexactly(int(lowered[at + 16 : lowered.index(b"\r\n", at)]))
            else:
                await reader.readuntil(b"\r\n0\r\n\r\n")
            latencies.append((time.perf_counter() - started) * 1000)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(keep_asking() for _ in range(connections)))
    return requests / (time.perf_counter() - started), latencies


async def measure(requests: int, rounds: int, connections: int, customers: list[str]) -> dict[str, Any]:
    """Alternate between the two servers; the figures of each."""
    servers = {"bare": Server("bare", 18701), "product": Server("product", 18702)}
    rates: dict[str, list[float]] = {name: [] for name in servers}
    latencies: dict[str, list[float]] = {name: [] for name in servers}
    try:
        for server in servers.values():
            await server.ready()
            await ask(server.port, customers, 200, connections)
        for _ in range(rounds):
            for name, server in servers.items():
                rate, took = await ask(server.port, customers, requests, connections)
                rates[name].append(rate)
                latencies[name] += took
    finally:
        for server in servers.values():
            server.stop()
    figures: dict[str, Any] = {}
    for name in servers:
        p50, p95, p99 = np.percentile(latencies[name], [50, 95, 99])
        figures[name] = {"requests_per_second": median(rates[name]), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}
    figures["ratio"] = median(ours / floor for ours, floor in zip(rates["product"], rates["bare"], strict=True))
    return figures


def main() -> None:
    """Prepare, measure, print; exit code 1 below the target."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--algorithm", choices=sorted(ALGORITHMS), default="ials" if "ials" in ALGORITHMS else "buy_again"
    )
    options.add_argument("--customers", type=int, default=5000)
    options.add_argument("--products", type=int, default=20_000)
    options.add_argument("--lines", type=int, default=300_000)
    options.add_argument("--requests", type=int, default=2000, help="per round")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--connections", type=int, default=16)
    options.add_argument("--json", type=Path, help="also write the figures to this file")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER] = folder
        prepare(Path(folder), chosen.algorithm, (chosen.customers, chosen.products, chosen.lines))
        asked = [f"C{random.Random(number).randrange(chosen.customers):06d}" for number in range(997)]
        figures = asyncio.run(measure(chosen.requests, chosen.rounds, chosen.connections, asked))
    print(f"/recommend, {chosen.algorithm}, {chosen.products} products, {chosen.connections} connections")
    for name, words in (("bare", "bare ASGI, same scoring"), ("product", "/recommend")):
        row = figures[name]
        print(
            f"  {words:<24} {row['requests_per_second']:7.0f} requests/s   "
            f"p50 {row['p50_ms']:.2f}  p95 {row['p95_ms']:.2f}  p99 {row['p99_ms']:.2f} ms"
        )
    print(f"  ratio {figures['ratio']:.2f} (target {TARGET})")
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2))
    sys.exit(0 if figures["ratio"] >= TARGET else 1)


if __name__ == "__main__":
    main()
