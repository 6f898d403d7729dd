"""The lines an empty model shows work as they are."""

from __future__ import annotations

import shlex

import pytest

from b2b_recs.project_file.reading import parse_project
from b2b_recs.web.deployments.samples import samples
from b2b_recs.web.projects.starter import starter


@pytest.mark.parametrize("name", ["Giftware wholesale", 'Bolts: "8 mm" & #1', "Ö – {x}", "yes", "12"])
def test_the_project_file_shown_is_accepted_and_keeps_the_name(name: str) -> None:
    project = parse_project(starter(name, "GBP", "Europe/London").file).project
    assert project.model.name == name
    assert project.model.currency == "GBP"


def test_the_run_command_survives_a_shell() -> None:
    assert shlex.split(starter('Bob\'s "bolts"; ls', "EUR", "UTC").run)[2] == 'Bob\'s "bolts"; ls'


def test_the_python_sample_is_a_program_and_carries_no_key() -> None:
    shown = samples("http://127.0.0.1:8001/", 3, "O'Brien \\ Co", 10)
    compile(shown.python, "sample", "exec")
    assert "http://127.0.0.1:8001/models/3/recommend" in shown.curl
    assert "$B2B_RECS_API_KEY" in shown.curl
    assert "O'Brien" in shlex.split(shown.curl.replace("\\\n", " "))[-1]
