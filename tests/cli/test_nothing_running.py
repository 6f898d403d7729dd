"""Commands typed while nothing runs: each starts what it needs, says so on standard error, leaves nothing behind."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from command_line import Installation
from wholesale_shop import PASSWORD, Shop

from b2b_recs.runtime.keys import load_keys
from b2b_recs.runtime.state import running

pytestmark = pytest.mark.xdist_group("cli")  # one stack, one process


@pytest.fixture(scope="module")
def idle(reachable_folder: Path) -> Installation:
    return Installation(reachable_folder / "idle", {"LESER_PASSWORT": PASSWORD})


def test_the_whole_path_works_without_up(idle: Installation, shop: Shop) -> None:
    text = shop.project(auto="[popular]")
    applied = idle("apply", idle.write("projekt.yaml", text), "--json", "-").well()
    assert "starting what this command needs" in applied.err and applied.json["model"]["name"] == "Großhandel"
    assert running(idle.home) is None
    early = idle("recommend", "1", "00003", "--json").refused()
    assert "no deployed model" in early.json["error"]["message"]
    ran = idle("run", "großhandel", "--wait", "--json", "-").well().json
    assert ran["deployment"]["serving"]["version"] == "v1"
    answer = idle("recommend", "1", "00003", "-k", "3", "--json").well().json
    assert answer["known"] and len(answer["recommendations"]) == 3
    assert running(idle.home) is None


def test_two_commands_at_once_share_the_home(idle: Installation, shop: Shop) -> None:
    file = idle.write("projekt.yaml", shop.project(auto="[popular]"))
    both = [idle.start("apply", file), idle.start("export", "1")]
    said = [idle.end(process).well() for process in both]
    assert "nothing to change" in said[0].out and "version: 1" in said[1].out


def test_a_control_database_that_does_not_answer_is_told(idle: Installation, shop: Shop) -> None:
    load_keys(idle.home.create(), create=True, environ={})
    file = idle.write("projekt.yaml", shop.project())
    said = idle("apply", file, "--json", "-", DATABASE_URL="postgresql://owner:pw@127.0.0.1:1/none").refused()
    assert said.json["error"]["code"] == "database_unreachable"


def test_a_demo_that_is_stopped_before_its_end_says_so_and_does_not_count_as_done(reachable_folder: Path) -> None:
    fresh = Installation(reachable_folder / "demo")
    process = fresh.start("demo", "--exit", "--json", "out.json", PYTHONUNBUFFERED="1")
    assert process.stdout is not None and "database" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    said = fresh.end(process)
    assert (said.code, said.err.strip().splitlines()[-1:]) == (
        130, ["Stopped before it was done; the next start goes on where it was."],
    )  # fmt: skip
    assert not (fresh.folder / "out.json").exists() and running(fresh.home) is None
