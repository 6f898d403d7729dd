"""``b2b-recs sources`` answers on a machine where nothing runs and nothing was set up."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from cli.command_line import COMMAND

from b2b_recs.engine.sources.registry import SOURCE_TYPES


def typed(home: Path, *words: str) -> str:
    environment = {**os.environ, "B2B_RECS_HOME": str(home / "none")}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, env=environment, check=True)
    assert not (home / "none").exists() and done.stderr == ""
    return done.stdout


def test_every_type_is_told_with_its_form_and_its_abilities(tmp_path: Path) -> None:
    listed = json.loads(typed(tmp_path, "sources", "--json"))
    assert {one["type"] for one in listed} == set(SOURCE_TYPES)
    for one in listed:
        assert one["category"] in ("relational", "files", "nosql", "warehouses")
        assert one["parameters"]["type"] == "object" and one["parameters"]["properties"]
        assert one["capabilities"] and one["verified_against"] and isinstance(one["installed"], bool)
        assert set(one["secret_fields"]) <= set(one["parameters"]["properties"])


def test_without_json_it_is_a_table_for_people(tmp_path: Path) -> None:
    lines = typed(tmp_path, "sources").splitlines()
    assert lines[0].split()[:4] == ["type", "name", "category", "installed"]
    assert len(lines) == 1 + len(SOURCE_TYPES)
