"""The supervisor keeps an installation running and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from b2b_recs.runtime.children import web_child
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.logs import tail, turn_over
from b2b_recs.runtime.ports import free_port, holders
from b2b_recs.runtime.process import ProcessIdentity
from b2b_recs.runtime.state import running
from b2b_recs.runtime.supervisor import Supervisor

SCRIPT = Path(__file__).with_name("supervised.py")


class Installation:
    def __init__(self, folder, kind=""):
        self.folder, self.kind = folder, kind
        self.ports = [free_port(), free_port()]
        self.home, self.lines, self.started = Home(folder), [], []

    def up(self):
        command = [sys.executable, str(SCRIPT), str(self.folder), *map(str, self.ports), self.kind]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=lambda: self.lines.extend(process.stdout), daemon=True).start()
        self.started.append(process)
        return process

    def wait_for(self, condition, seconds=20):
        until = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < until, "".join(self.lines)
            time.sleep(0.03)
        return found

    def ready(self, times=1):
        self.wait_for(lambda: self.lines.count("READY\n") >= times)

    def identity(self, name):
        value = json.loads(self.home.state.read_text())["processes"][name]
        return ProcessIdentity.from_json(value) or ProcessIdentity.of(value["pid"])

    def restarted(self, name, old):
        def fresh():
            try:
                found = self.identity(name)
            except (OSError, TypeError):
                return None
            return found if found and found != old else None

        return self.wait_for(fresh)

    def answers(self, number=0):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.ports[number]}/", timeout=2).close()
        except OSError:
            return False
        return True

    def close(self):
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(12)
                except subprocess.TimeoutExpired:
                    process.kill()


@pytest.fixture
def install(reachable_folder, request):
    made = []

    def make(kind=""):
        made.append(Installation(reachable_folder / f"home-{os.getpid()}-{time.monotonic_ns()}", kind))
        return made[-1]

    yield make
    for installation in made:
        installation.close()


def test_everything_starts_and_stops_without_a_rest(install):
    here = install("database")
    process = here.up()
    here.ready()
    assert here.answers(0)
    assert here.answers(1)
    children = [here.identity(name) for name in ("database", "one", "two")]
    found = running(here.home)
    assert found is not None
    assert (found.supervisor.pid, found.address) == (process.pid, f"http://127.0.0.1:{here.ports[0]}")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert [child.alive() for child in children] == [False, False, False]
    assert running(here.home) is None
    assert not here.home.state.exists()


def test_child_that_ignores_the_signal_is_stopped_within_ten_seconds(install):
    here = install("stubborn")
    process = here.up()
    here.ready()
    child = here.identity("two")
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert not child.alive()


def test_killed_child_and_killed_database_come_back(install):
    here = install("database")
    here.up()
    here.ready()
    one, database = here.identity("one"), here.identity("database")
    os.kill(one.pid, signal.SIGKILL)
    here.restarted("one", one)
    here.wait_for(lambda: here.answers(0))
    os.kill(database.pid, signal.SIGKILL)
    here.restarted("database", database)
    assert any("killed by SIGKILL" in line for line in here.lines)


def test_killed_supervisor_is_recovered_by_the_next_start(install):
    here = install("database")
    first = here.up()
    here.ready()
    orphans = [here.identity(name) for name in ("one", "two")]
    first.kill()
    first.wait()
    second = here.up()
    here.ready(times=2)
    assert all(orphan.wait_gone(5) for orphan in orphans)
    found = running(here.home)
    assert found is not None
    assert found.supervisor.pid == second.pid
    assert here.answers(0)


def test_web_server_killed_with_its_workers_left_comes_back_and_stops_whole(reachable_folder, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    monkeypatch.setenv("PYTHONPATH", str(SCRIPT.parent))
    home, port = Home(reachable_folder / "granian").create(), free_port()
    spec = web_child(home, "127.0.0.1", port)
    spec = replace(spec, argv=(*spec.argv[:-1], "one_page:application"))
    supervisor = Supervisor(home, [spec], say=lambda line: None)
    with supervisor:
        supervisor.start()
        page = f"http://127.0.0.1:{port}/"
        first = urllib.request.urlopen(page, timeout=5).read()
        os.kill(supervisor.children[0].process.pid, signal.SIGKILL)
        until = time.monotonic() + 20

        def another_answers():
            try:
                return urllib.request.urlopen(page, timeout=2).read() != first
            except OSError:
                return time.monotonic() > until

        supervisor.watch(until=another_answers)
        second = urllib.request.urlopen(page, timeout=5).read()
        assert second != first
    assert holders(port) == []
    assert not psutil.pid_exists(int(second))


def test_second_start_says_who_runs_it_since_when_and_where(install):
    here = install()
    first = here.up()
    here.ready()
    second = here.up()
    assert second.wait(10) == 1
    here.wait_for(lambda: any("already runs" in line for line in here.lines))
    line = next(line for line in here.lines if "already runs" in line)
    assert f"process {first.pid}" in line
    assert f"http://127.0.0.1:{here.ports[0]}" in line
    assert f"kill {first.pid}" in line
    assert first.poll() is None
    assert here.answers(0)


def test_taken_port_names_its_holder_and_the_variable(install):
    here = install()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", here.ports[1]))
        taken.listen()
        assert here.up().wait(10) == 1
    here.wait_for(lambda: any("is taken by" in line for line in here.lines))
    line = next(line for line in here.lines if "is taken by" in line)
    assert f"process {os.getpid()}" in line
    assert "TWO_PORT" in line
    assert not here.answers(0)


def test_child_that_will_not_start_shows_the_end_of_its_log_and_stops_all(install):
    here = install("broken")
    assert here.up().wait(15) == 1
    here.wait_for(lambda: any("exit code 3" in line for line in here.lines))
    assert any("no module named shop" in line for line in here.lines)
    assert not here.answers(0)


def test_stop_while_starting_leaves_nothing(install):
    here = install("database")
    process = here.up()
    here.wait_for(lambda: here.home.state.exists())
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert running(here.home) is None
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{here.ports[0]}/", timeout=2)


def test_grown_log_is_turned_over_under_its_writer(tmp_path):
    path = tmp_path / "web.log"
    with path.open("ab", buffering=0) as writer:
        for round_number in range(6):
            writer.write(b"x" * 100 + b"\n" + str(round_number).encode() + b"\n")
            turn_over([path], max_bytes=50)
        writer.write(b"after\n")
    assert path.read_bytes() == b"after\n"
    assert sorted(other.name for other in tmp_path.iterdir()) == ["web.log", "web.log.1", "web.log.2", "web.log.3"]
    assert tail(tmp_path / "web.log.1", 1) == ["5"]
    assert tail(tmp_path / "missing.log") == []
