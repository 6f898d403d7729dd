"""Requests, predictions, errors and latency of every model by the hour, and when each key last asked.

Every serving process has one file.

Counts are cumulative within a process and an hour, so a collector sets its row of (process, model, deployment, hour) to
what the file says: reading a file twice, or after a crash, counts nothing twice.
"""

from __future__ import annotations

import os
import secrets
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

# upper edges in milliseconds, about 15 % apart from 0.05 ms to one minute; a last bin holds what took longer
EDGES_MS = tuple(0.05 * 1.15**step for step in range(101))
KEPT = timedelta(days=3)
LIVE_SECONDS = 60


class Window(msgspec.Struct):
    """One model's hour in one process. ``latencies`` counts requests per bin of EDGES_MS; ``refused`` are 4xx,
    ``errors`` 5xx, ``predictions`` products returned, ``unknown_customers`` customers without history."""

    process: str
    model_id: int
    deployment_id: int | None
    version: str
    start: datetime
    end: datetime
    requests: int = 0
    predictions: int = 0
    customers: int = 0
    unknown_customers: int = 0
    refused: int = 0
    errors: int = 0
    latency_ms_sum: float = 0.0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    latencies: list[int] = msgspec.field(default_factory=lambda: [0] * (len(EDGES_MS) + 1))

    def summarise(self) -> None:
        """Set the percentiles from the histogram."""
        self.p50_ms, self.p95_ms, self.p99_ms = (percentile(self.latencies, share) for share in (0.5, 0.95, 0.99))


class Live(msgspec.Struct):
    """The last minute of one model: requests a second and latency in milliseconds."""

    model_id: int
    requests_per_second: float
    errors: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class TrafficFile(msgspec.Struct):
    """What one serving process has answered; ``closed`` once it has ended in order. ``keys`` has the time at which
    the key of each prefix last asked."""

    process: str
    pid: int
    started_at: datetime
    updated_at: datetime
    closed: bool
    windows: list[Window]
    live: list[Live]
    keys: dict[str, datetime] = {}


def percentile(latencies: list[int], share: float) -> float | None:
    """Milliseconds below which that share of the requests stayed (upper edge of the bin); None without requests."""
    total = sum(latencies)
    if not total:
        return None
    wanted, seen = share * total, 0
    for bin_number, count in enumerate(latencies):
        seen += count
        if seen >= wanted:
            return round(EDGES_MS[min(bin_number, len(EDGES_MS) - 1)], 3)
    return None


class Traffic:
    """The counters of this process."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.started_at = clock()
        self.process = f"{self.started_at:%Y%m%dT%H%M%S}-{os.getpid()}-{secrets.token_hex(4)}"
        self._windows: dict[tuple[int, int | None, str, int], Window] = {}
        self._recent: dict[int, deque[tuple[float, int, bool]]] = {}
        self._keys: dict[str, datetime] = {}

    def note_key(self, prefix: str) -> None:
        """A key asks now."""
        self._keys[prefix] = self._clock()

    def count(
        self,
        model_id: int,
        deployment_id: int | None,
        version: str,
        *,
        status: int,
        seconds: float,
        customers: int = 0,
        unknown: int = 0,
        predictions: int = 0,
    ) -> None:
        """One request was answered."""
        now = self._clock().timestamp()
        hour = int(now // 3600)
        key = (model_id, deployment_id, version, hour)
        window = self._windows.get(key)
        if window is None:
            start = datetime.fromtimestamp(hour * 3600, UTC)
            end = start + timedelta(hours=1)
            window = Window(self.process, model_id, deployment_id, version, start, end)
            self._windows[key] = window
        milliseconds = seconds * 1000
        bin_number = bisect_left(EDGES_MS, milliseconds)
        window.requests += 1
        window.predictions += predictions
        window.customers += customers
        window.unknown_customers += unknown
        window.refused += 400 <= status < 500
        window.errors += status >= 500
        window.latency_ms_sum += milliseconds
        window.latencies[bin_number] += 1
        recent = self._recent.setdefault(model_id, deque(maxlen=50_000))
        recent.append((now, bin_number, status >= 500))

    def snapshot(self, closed: bool = False) -> TrafficFile:
        """Everything counted so far; hours and keys older than three days are let go."""
        now = self._clock()
        for key in [key for key, window in self._windows.items() if window.end < now - KEPT]:
            del self._windows[key]
        self._keys = {prefix: at for prefix, at in self._keys.items() if at >= now - KEPT}
        for window in self._windows.values():
            window.summarise()
        live = [self._live(model_id, now.timestamp()) for model_id in self._recent]
        windows = list(self._windows.values())
        return TrafficFile(self.process, os.getpid(), self.started_at, now, closed, windows, live, self._keys)

    def write(self, folder: Path, closed: bool = False) -> Path:
        """Replace this process's file in one step; returns its path."""
        path = folder / f"{self.process}.json"
        fresh = path.with_suffix(".tmp")
        fresh.write_bytes(msgspec.json.encode(self.snapshot(closed)))
        fresh.replace(path)
        return path

    def _live(self, model_id: int, now: float) -> Live:
        recent = self._recent[model_id]
        while recent and recent[0][0] < now - LIVE_SECONDS:
            recent.popleft()
        latencies = [0] * (len(EDGES_MS) + 1)
        for _, bin_number, _ in recent:
            latencies[bin_number] += 1
        span = min(LIVE_SECONDS, max(1.0, now - self.started_at.timestamp()))
        errors = sum(failed for _, _, failed in recent)
        p50, p95, p99 = (percentile(latencies, share) for share in (0.5, 0.95, 0.99))
        return Live(model_id, round(len(recent) / span, 2), errors, p50, p95, p99)


def read_traffic(folder: Path) -> Iterator[TrafficFile]:
    """Every process's file that can be read, oldest process first; half-written ones do not exist."""
    decoder = msgspec.json.Decoder(type=TrafficFile)
    for path in sorted(folder.glob("*.json")):
        try:
            yield decoder.decode(path.read_bytes())
        except (FileNotFoundError, msgspec.MsgspecError):
            continue


def forget_traffic(folder: Path, process: str) -> None:
    """Remove the file of a process that has ended and was collected."""
    if process and Path(process).name == process:
        (folder / f"{process}.json").unlink(missing_ok=True)
