"""Runs in copies of a waiting process: how they end, are stopped, and never outlive who asked for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from b2b_recs.runtime.prepared_runs import NotPrepared, PreparedRuns
from b2b_recs.runtime.process import ProcessIdentity

HERE = Path(__file__).parent
WAITING = (sys.executable, str(HERE / "waiting_process.py"))


@pytest.fixture(scope="module")
def prepared() -> Iterator[PreparedRuns]:
    runs = PreparedRuns(WAITING)
    yield runs
    runs.close()


def pids(note: Path) -> list[ProcessIdentity | None]:
    """The processes a run wrote down, once it has."""
    until = time.monotonic() + 30
    while not note.exists():
        assert time.monotonic() < until, "the run never began"
        time.sleep(0.01)
    return [ProcessIdentity.of(int(word)) for word in note.read_text().split()]


def gone(found: list[ProcessIdentity | None]) -> bool:
    return all(one is None or one.wait_gone(10) for one in found)


def test_each_run_is_a_copy_with_a_group_of_its_own(prepared: PreparedRuns, tmp_path: Path) -> None:
    ends = [prepared.run(["code", str(tmp_path / str(code)), code]) for code in (0, 75)]
    assert [(end.code, end.stopped) for end in ends] == [(0, False), (75, False)]
    first, second = ((tmp_path / name).read_text().split() for name in ("0", "75"))
    loaded, parent, leads = first
    assert first == second and loaded == parent and leads == "True"


def test_what_a_run_raises_is_the_exit_code_of_a_process_that_raised(prepared: PreparedRuns, tmp_path: Path) -> None:
    assert prepared.run(["raises", str(tmp_path / "note")]).code == 1
    assert prepared.run(["code", str(tmp_path / "next"), 0]).code == 0


def test_what_a_run_leaves_behind_ends_with_it(prepared: PreparedRuns, tmp_path: Path) -> None:
    assert prepared.run(["leaves", str(tmp_path / "note")]).code == 0
    assert gone(pids(tmp_path / "note"))


@pytest.mark.parametrize(("kind", "signalled"), [("waits", "SIGTERM"), ("deaf", "SIGKILL")])
def test_a_run_is_asked_to_stop_and_then_killed(
    prepared: PreparedRuns, tmp_path: Path, kind: str, signalled: str
) -> None:
    note = tmp_path / "note"
    end = prepared.run([kind, str(note)], should_stop=note.exists, stop_seconds=lambda: 0.2)
    assert (end.stopped, end.killed_by) == (True, signalled)
    assert gone(pids(note))


def test_a_killed_run_says_so_and_others_go_on(prepared: PreparedRuns, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as threads:
        killed = threads.submit(prepared.run, ["waits", str(tmp_path / "killed")])
        other = threads.submit(prepared.run, ["waits", str(tmp_path / "other")], should_stop=lambda: killed.done())
        found = pids(tmp_path / "killed") + pids(tmp_path / "other")
        assert found[0] is not None
        os.kill(found[0].pid, signal.SIGKILL)
        assert (killed.result(30).killed_by, killed.result().stopped) == ("SIGKILL", False)
        assert other.result(30).stopped
    assert gone(found)


def test_with_the_waiting_process_its_runs_end_and_the_next_run_has_a_new_one(
    prepared: PreparedRuns, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(prepared.run, ["waits", str(tmp_path / "note")])
        run, _ = found = pids(tmp_path / "note")
        assert run is not None
        psutil.Process(run.pid).parent().kill()
        assert running.result(30).killed_by == "SIGKILL"
    assert run.wait_gone(10) and found
    assert prepared.run(["code", str(tmp_path / "next"), 0]).code == 0


def test_a_run_for_which_there_is_no_room_ends_alone(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as threads, closing(PreparedRuns([*WAITING, "--room-for-one"])) as prepared:
        running = threads.submit(prepared.run, ["waits", str(tmp_path / "note")])
        run, _ = pids(tmp_path / "note")
        assert prepared.run(["code", str(tmp_path / "other"), 0]).killed_by == "SIGKILL"
        assert run is not None and not running.done()


def test_one_that_does_not_come_up_is_told_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(NotPrepared):
        PreparedRuns([sys.executable, "-c", "raise SystemExit(3)"]).run(["code", str(tmp_path / "note"), 0])


def test_runs_end_with_a_killed_worker(tmp_path: Path) -> None:
    note = tmp_path / "note"
    script = (
        "from b2b_recs.runtime.prepared_runs import PreparedRuns\n"
        f"PreparedRuns({list(WAITING)!r}).run(['deaf', {str(note)!r}])"
    )
    worker = subprocess.Popen([sys.executable, "-c", script])
    run, started = pids(note)
    worker.kill()
    worker.wait()
    assert run is not None and run.wait_gone(10)
    if started is not None:  # nobody is left to end what a killed run had started
        started.signal_group(signal.SIGKILL)
