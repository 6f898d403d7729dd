"""A writer that keeps a ledger of what it has committed, and copies that are killed while it writes."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from kill import copy_child, copy_forks

CREATE = """
    CREATE TABLE public.ledger (
        id bigint PRIMARY KEY, at timestamptz NOT NULL, amount numeric(12, 2), note text
    )"""
_INSERT = """
    INSERT INTO ledger SELECT id, clock_timestamp() - age * interval '1 second', amount::numeric, note
    FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[]) AS rows (id, age, amount, note)
    RETURNING id, at, amount, note"""
_UPDATE = """
    UPDATE ledger SET at = clock_timestamp(), note = left(note, 50) || '+'
    WHERE id = ANY(%s) AND amount <> 'NaN' RETURNING id, at, amount, note"""
_DELETE = "DELETE FROM ledger WHERE id = ANY(%s) RETURNING id"

# A run is killed at most so often less one; then it may end.
_ATTEMPTS = 5

Row = tuple[Any, ...]


class LedgerWriter:
    """Inserts, changes and (where ``deletes``) deletes rows at random, some committed late, some with a refused value.

    ``rows`` is what it has committed by id, ``ever`` every form a row has had.
    """

    def __init__(self, url: str, seed: int, *, deletes: bool) -> None:
        self._url = url
        self._random = random.Random(seed)
        self._deletes = deletes
        self._next = 0
        self._late: list[tuple[psycopg.Connection[Any], list[Row]]] = []
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute(CREATE)
        self.rows: dict[int, Row] = {}
        self.ever: set[Row] = set()

    def write(self) -> None:
        """One burst."""
        count = self._random.randint(1, 25)
        if self._random.random() < 0.2:
            late = psycopg.connect(self._url)
            self._late.append((late, self._insert(late, count)))
        else:
            self._note(self._insert(self._connection, count))
        if self.rows:
            some = self._random.sample(sorted(self.rows), min(3, len(self.rows)))
            self._note(self._connection.execute(_UPDATE, [some]).fetchall())
        if self._deletes and self.rows and self._random.random() < 0.5:
            gone = self._random.sample(sorted(self.rows), 1)
            for (number,) in self._connection.execute(_DELETE, [gone]).fetchall():
                del self.rows[number]
        if self._late and self._random.random() < 0.5:
            self.commit_late()

    def commit_late(self) -> None:
        """Commit what is still open."""
        for connection, rows in self._late:
            connection.commit()
            connection.close()
            self._note(rows)
        self._late.clear()

    def good(self) -> Counter[Row]:
        """The rows a warehouse can hold."""
        return Counter(row for row in self.rows.values() if not row[2].is_nan())

    def close(self) -> None:
        """End its sessions."""
        self.commit_late()
        self._connection.close()

    def _insert(self, connection: psycopg.Connection[Any], count: int) -> list[Row]:
        ids = list(range(self._next + 1, self._next + 1 + count))
        self._next += count
        ages = [self._random.choice([0, 0, 1, 240]) for _ in ids]
        amounts = ["NaN" if number % 97 == 0 else str(self._random.randint(0, 10**9) / 100) for number in ids]
        notes = ["x" * self._random.randint(0, 60) for _ in ids]
        return connection.execute(_INSERT, [ids, ages, amounts, notes]).fetchall()

    def _note(self, rows: list[Row]) -> None:
        for row in rows:
            self.rows[row[0]] = row
            self.ever.add(row)


@dataclass
class Tally:
    """How many copies were killed and finished, and how often the whole ledger was compared."""

    killed: int = 0
    finished: int = 0
    compared: int = 0
    rows: int = 0
    at_steps: int = 0
    kinds: Counter[str] = field(default_factory=Counter)


@contextmanager
def forks() -> Iterator[subprocess.Popen[str]]:
    """The process that forks copies."""
    path = os.pathsep.join(path for path in sys.path if path)
    process = subprocess.Popen(
        [sys.executable, copy_forks.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    with process:
        yield process
        if process.stdin is not None:
            process.stdin.close()


def kill_copies(url: str, folder: Path, kind: str, kills: int, seed: int, tally: Tally) -> None:
    """Kill copies of one kind of job until ``kills`` have died, writing all the while; raises when a row differs.

    After every death nothing may be doubled and no row may be there that was never written; whenever the writer rests
    and a copy ends, the warehouse must hold the ledger row by row.
    """
    chance = random.Random(seed)
    writer = LedgerWriter(url, seed, deletes=kind != "appended")
    number, goal = 0, tally.killed + kills
    with forks() as process:
        writer.write()
        seconds = _seconds(process, {"folder": str(folder), "url": url, "run_key": f"{kind}-{seed}-first"})
        while tally.killed < goal:
            number += 1
            run_key = f"{kind}-{seed}-{number}"
            for attempt in range(_ATTEMPTS):
                last = attempt == _ATTEMPTS - 1
                order = {"folder": str(folder), "url": url, "run_key": run_key, "large": chance.random() < 0.5}
                if not last:
                    order |= _death(chance, seconds)
                if _run(process, writer, order, chance, tally) == "done":
                    break
                _check_between(folder, kind, writer)
            tally.finished += 1
            if number % 4 == 0:
                writer.commit_late()
                seconds = _seconds(process, {"folder": str(folder), "url": url, "run_key": f"{run_key}-rest"})
                _check_at_rest(folder, kind, writer)
                tally.compared += 1
                tally.rows += len(writer.rows)
    tally.kinds[kind] += kills
    writer.close()


def _death(chance: random.Random, seconds: float) -> dict[str, Any]:
    """When to kill a copy that takes about so many seconds: at a step, or at any moment."""
    if chance.random() < 0.6:
        return {"at_step": chance.randint(1, 25)}
    return {"after": chance.uniform(0.0, seconds)}


def _run(
    process: subprocess.Popen[str],
    writer: LedgerWriter,
    order: dict[str, Any],
    chance: random.Random,
    tally: Tally,
) -> str:
    writer.write()
    burst = threading.Timer(chance.uniform(0, 0.1), writer.write)
    burst.start()
    try:
        answer = order_copy(process, order)
    finally:
        burst.join()
    tally.killed += answer == "killed"
    tally.at_steps += answer == "killed" and "at_step" in order
    return answer


def _seconds(process: subprocess.Popen[str], order: dict[str, Any]) -> float:
    """How long a copy takes that nobody kills; longer as the ledger grows."""
    started = time.monotonic()
    order_copy(process, order)
    return time.monotonic() - started


def order_copy(process: subprocess.Popen[str], order: dict[str, Any]) -> str:
    """Whether the copy was ``done`` or ``killed``; raises when it failed."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError("the process has no pipes")
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline().strip()
    if answer not in ("done", "killed"):
        raise AssertionError(f"a copy ended with {answer or 'nothing'}: {order}")
    return answer


def held(folder: Path, kind: str) -> Counter[Row]:
    """The rows of a job's table."""
    table = copy_child.table(folder, kind)
    if not table.exists():
        return Counter()
    found = table.read(columns=["id", "at", "amount", "note"])
    return Counter(tuple(row.values()) for row in found.to_pylist())


def _check_between(folder: Path, kind: str, writer: LedgerWriter) -> None:
    rows = held(folder, kind)
    ids = Counter(row[0] for row in rows.elements())
    if any(count > 1 for count in ids.values()):
        raise AssertionError(f"{kind}: rows are doubled: {[number for number, count in ids.items() if count > 1][:5]}")
    late = {row for _, committing in writer._late for row in committing}
    if unknown := set(rows) - writer.ever - late:
        raise AssertionError(f"{kind}: rows that were never written: {sorted(unknown)[:5]}")


def _check_at_rest(folder: Path, kind: str, writer: LedgerWriter) -> None:
    there, here = held(folder, kind), writer.good()
    if there != here:
        raise AssertionError(
            f"{kind}: the ledger differs: missing {sorted((here - there).elements())[:5]}, "
            f"too many {sorted((there - here).elements())[:5]}"
        )
    staging = list((folder / "staging").rglob("*.jsonl"))
    if staging:
        raise AssertionError(f"{kind}: left in staging: {staging}")
