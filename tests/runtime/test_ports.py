"""A port is held from the moment its server is being prepared, and a second start is refused at once."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from b2b_recs.runtime.children import web_child
from b2b_recs.runtime.errors import PortTaken
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.ports import free_port, held_by, held_elsewhere, hold, hold_next, let_go, port_is_free
from b2b_recs.runtime.supervisor import Supervisor

HOLDER = """
import sys
from b2b_recs.runtime.ports import hold
print(hold(int(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other() -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A port that another start holds while nobody listens on it yet, and that start."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "True\n"
    yield port, process
    process.kill()
    process.wait()


def test_a_port_somebody_prepares_is_taken_until_that_process_ends(other: tuple[int, subprocess.Popen[str]]) -> None:
    port, process = other
    assert (port_is_free(port), hold(port), held_elsewhere(port)) == (False, False, True)
    assert f"(process {process.pid})" in held_by(port)
    process.kill()
    process.wait()
    assert (held_elsewhere(port), port_is_free(port), hold(port)) == (False, True, True)
    let_go(port)


def test_a_start_on_a_port_that_another_start_prepares_is_refused_before_anything_is_made(
    other: tuple[int, subprocess.Popen[str]], tmp_path: Path
) -> None:
    port, process = other
    home = Home(tmp_path / "home").create()
    supervisor = Supervisor(home, [web_child(home, "127.0.0.1", port)], say=lambda line: None)
    with supervisor, pytest.raises(PortTaken) as refused:
        supervisor.start()
    assert f"Port {port} for web is taken by" in str(refused.value) and str(process.pid) in str(refused.value)
    assert "B2B_RECS_PORT" in refused.value.advice and "--port" in refused.value.advice
    assert not any(home.logs.iterdir())


def test_a_supervisor_lets_its_ports_go_when_it_stops(tmp_path: Path) -> None:
    home, taken, port = Home(tmp_path / "home").create(), socket.socket(), free_port()
    with taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        children = [web_child(home, "127.0.0.1", number) for number in (port, taken.getsockname()[1])]
        with Supervisor(home, children, say=lambda line: None) as supervisor, pytest.raises(PortTaken):
            supervisor.start()
    asked = subprocess.run(
        [sys.executable, "-c", HOLDER, str(port)], input="", capture_output=True, text=True, check=True
    )
    assert asked.stdout == "True\n"


def test_the_next_free_port_passes_over_those_that_are_taken_prepared_or_meant_for_something_else(
    other: tuple[int, subprocess.Popen[str]],
) -> None:
    port, _ = other
    with socket.socket() as listening:
        try:
            listening.bind(("127.0.0.1", port + 1))
        except OSError:
            pytest.skip("the neighbouring port is in use")
        listening.listen()
        found = hold_next(port, besides=(port + 2,))
    assert found > port + 2
    let_go(found)
