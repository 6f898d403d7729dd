"""A copy killed at every named step: nothing is lost, nothing is doubled, the table answers all the time."""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from kill import copy_child
from kill.ledger import forks, order_copy

from b2b_recs.engine import faults
from b2b_recs.engine.errors import ConnectionLost, SourceRefused, TableMissing, TooManyRejected
from b2b_recs.runtime.postgres import EmbeddedPostgres

STEPS = (
    ("copy.before_read", 1),
    ("copy.read", 1),
    ("copy.read", 3),
    ("copy.before_stage", 1),
    ("copy.before_stage", 2),
    ("copy.before_journal", 1),
    ("copy.before_journal", 3),
    ("copy.after_stage", 1),
    ("copy.after_stage", 2),
    ("copy.after_stage", 4),
    ("copy.after_read", 1),
    ("copy.settled", 1),
    ("copy.before_rejected", 1),
    ("copy.before_commit", 1),
    ("copy.after_commit", 1),
    ("copy.before_forget", 1),
)
CREATE = """
    CREATE TABLE public.ledger (
        id bigint PRIMARY KEY, at timestamptz NOT NULL, amount numeric(12, 2), note text
    )"""


class Writer:
    """Writes rows at random: new ones, late ones, changed ones, and now and then one that must be rejected."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.random = random.Random(7)
        self.next = 0
        with psycopg.connect(url) as connection:
            connection.execute(CREATE)

    def write(self, rows: int = 60) -> None:
        with psycopg.connect(self.url) as connection:
            values = []
            for _ in range(rows):
                self.next += 1
                age = self.random.choice([0, 0, 1, 240])
                amount = "NaN" if self.next % 97 == 0 else str(self.random.randint(0, 10**9) / 100)
                values.append((self.next, age, amount, "x" * self.random.randint(0, 300)))
            connection.cursor().executemany(
                "INSERT INTO ledger VALUES (%s, now() - %s * interval '1 second', %s, %s)", values
            )
            changed = [(self.random.randint(1, self.next),) for _ in range(3)]
            connection.cursor().executemany(
                "UPDATE ledger SET at = now(), note = note || '+' WHERE id = %s AND amount <> 'NaN'", changed
            )

    def rows(self, *, rejected: bool = False) -> Counter[tuple[Any, ...]]:
        sign = "=" if rejected else "<>"
        query = f"SELECT id, at, amount, note FROM ledger WHERE amount {sign} 'NaN'"
        with psycopg.connect(self.url) as connection:
            return Counter(connection.execute(query.encode()).fetchall())


def warehouse_rows(folder: Path, kind: str) -> Counter[tuple[Any, ...]]:
    table = copy_child.table(folder, kind)
    if not table.exists():
        return Counter()
    found = table.read(columns=["id", "at", "amount", "note"])
    return Counter(tuple(row.values()) for row in found.to_pylist())


def strays(folder: Path, kind: str) -> list[Path]:
    table = copy_child.table(folder, kind)
    known = {path for commit in table.history() for path in table.files(commit.version)}
    return [path for path in table.folder.resolve().rglob("*.parquet") if path not in known]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_child.stage, "PART_BYTES", 1)
    monkeypatch.setattr(copy_child.plan, "BATCH_BYTES", 8 * 1024)


@pytest.fixture
def forked() -> Iterator[subprocess.Popen[str]]:
    with forks() as process:
        yield process


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["appended", "replaced"])
def test_a_copy_killed_at_any_step_loses_nothing_and_doubles_nothing(
    postgres_server: Any, forked: subprocess.Popen[str], tmp_path: Path, kind: str, small_batches: None
) -> None:
    url = postgres_server.create_database(f"kill_{kind}")
    writer = Writer(url)
    deaths = 0
    for number, (step, count) in enumerate([*STEPS, *STEPS[4::3]]):
        # Every third round is the first load of a new table; the others find one that is there.
        folder = tmp_path / str(number // 3)
        run_key = f"{kind}-{number}"
        writer.write(120 if number % 3 == 0 else 60)
        before = warehouse_rows(folder, kind)
        order = {"folder": str(folder), "url": url, "run_key": run_key, "step": step, "count": count}
        died = order_copy(forked, order) == "killed"
        deaths += died
        now = writer.rows()
        between = warehouse_rows(folder, kind)
        assert between == (now if not died or "after_commit" in step or "forget" in step else before), step
        if number % 2:
            writer.write(10)
        copy_child.copy(folder, url, run_key)
        copy_child.copy(folder, url, f"{run_key}-next")
        assert warehouse_rows(folder, kind) == writer.rows(), step
        rejected = copy_child.table(folder, kind).rejected
        kept = rejected.row_count() if rejected.exists() else 0
        assert kept == writer.rows(rejected=True).total(), step
        assert not strays(folder, kind), step
        assert not list((folder / "staging").rglob("*.jsonl")), step
    assert deaths >= 18
    postgres_server.drop_database(f"kill_{kind}")


@pytest.mark.parametrize("step", ["copy.before_stopped", "copy.after_stopped"])
def test_a_run_killed_while_it_keeps_the_rows_that_stop_it_keeps_them_once(
    postgres_server: Any, forked: subprocess.Popen[str], tmp_path: Path, small_batches: None, step: str
) -> None:
    name = f"kill_{step.partition('_')[0][5:]}_stopped"
    url = postgres_server.create_database(name)
    writer = Writer(url)
    writer.write(60)
    copy_child.copy(tmp_path, url, "strict-1")
    before = warehouse_rows(tmp_path, "strict")
    writer.write(60)  # one of them must be rejected
    order = {"folder": str(tmp_path), "url": url, "run_key": "strict-2", "step": step, "count": 1}
    assert order_copy(forked, order) == "killed"
    assert warehouse_rows(tmp_path, "strict") == before
    with pytest.raises(TooManyRejected):
        copy_child.copy(tmp_path, url, "strict-2")
    table = copy_child.table(tmp_path, "strict")
    assert table.stopped.read(columns=["column", "run"]).to_pylist() == [{"column": "amount", "run": "strict-2"}]
    assert warehouse_rows(tmp_path, "strict") == before and not strays(tmp_path, "strict")
    assert not list((tmp_path / "staging").rglob("*.jsonl"))
    postgres_server.drop_database(name)


@pytest.fixture
def own_server(reachable_folder: Path) -> Iterator[EmbeddedPostgres]:
    folder = reachable_folder / secrets.token_hex(4)
    server = EmbeddedPostgres(folder, secrets.token_hex(16), store=reachable_folder / "store")
    server.start()
    yield server
    server.stop()


def once_at(name: str, action: Any) -> None:
    """Do ``action`` the first time the copy comes to the step."""
    left = [action]

    def hook(step: str) -> None:
        if step == name and left:
            left.pop()()

    faults.install(hook)


@pytest.fixture(autouse=True)
def no_faults() -> Iterator[None]:
    yield
    faults.install(None)


@pytest.mark.parametrize("kind", ["appended", "replaced"])
def test_a_server_killed_in_mid_copy_leaves_the_old_table_and_the_run_goes_on(
    own_server: EmbeddedPostgres, tmp_path: Path, kind: str, small_batches: None
) -> None:
    writer = Writer(own_server.url("postgres"))
    writer.write()
    copy_child.copy(tmp_path, own_server.url("postgres"), f"{kind}-1")
    before = warehouse_rows(tmp_path, kind)
    writer.write(400)

    def kill() -> None:
        pid = own_server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    once_at("copy.after_stage", kill)
    try:
        copy_child.copy(tmp_path, own_server.url("postgres"), f"{kind}-2")
    except SourceRefused as refused:
        assert refused.transient
        assert warehouse_rows(tmp_path, kind) == before
    faults.install(None)
    own_server.stop()
    own_server.start()
    copy_child.copy(tmp_path, own_server.url("postgres"), f"{kind}-2")
    assert warehouse_rows(tmp_path, kind) == Writer.rows(_at(writer, own_server.url("postgres")))


def _at(writer: Writer, url: str) -> Writer:
    writer.url = url
    return writer


@pytest.mark.parametrize("kind", ["appended", "replaced"])
def test_a_table_dropped_in_mid_copy_leaves_the_old_table(
    postgres_server: Any, tmp_path: Path, kind: str, small_batches: None
) -> None:
    url = postgres_server.create_database(f"drop_{kind}")
    writer = Writer(url)
    writer.write()
    copy_child.copy(tmp_path, url, f"{kind}-1")
    before = warehouse_rows(tmp_path, kind)
    writer.write(3000)

    def drop() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("DROP TABLE ledger")

    once_at("copy.before_read", drop)
    with pytest.raises((ConnectionLost, TableMissing)):
        copy_child.copy(tmp_path, url, f"{kind}-2")
    faults.install(None)
    with pytest.raises(TableMissing):
        copy_child.copy(tmp_path, url, f"{kind}-2")
    assert warehouse_rows(tmp_path, kind) == before
    assert not strays(tmp_path, kind)
    postgres_server.drop_database(f"drop_{kind}")
