"""Commands typed while nothing runs: each starts what it needs, says so on standard error, leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Installation
from wholesale_shop import PASSWORD, Shop

from b2b_recs.runtime.state import running


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
    file = idle.write("projekt.yaml", shop.project())
    said = idle("apply", file, "--json", "-", DATABASE_URL="postgresql://owner:pw@127.0.0.1:1/none").refused()
    assert said.json["error"]["code"] == "database_unreachable"
