"""The command that people are told to type is one that works as they type it."""

from __future__ import annotations

from pathlib import Path

import pytest

from b2b_recs.runtime import program as told


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment named .venv with the command in it, which is the running one."""
    command = tmp_path / ".venv/bin/b2b-recs"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    monkeypatch.setattr("sys.prefix", str(tmp_path / ".venv"))
    return command


def test_what_the_shell_finds_is_told_by_its_name(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(installed.parent))
    assert told.program() == "b2b-recs"


def test_what_the_shell_does_not_find_is_told_with_its_place(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    assert told.program() == ".venv/bin/b2b-recs"


def test_another_kind_of_installation_is_not_spoken_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sys.prefix", "/opt/platform")
    assert told.program() == "b2b-recs"
