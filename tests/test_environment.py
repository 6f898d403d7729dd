"""What starts an installation elsewhere: the list of variables, the compose file, the image."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from b2b_recs.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
NAME = re.compile(r"B2B_RECS_[A-Z_]+|DATABASE_URL")
# A mark the supervisor leaves on its processes, not a setting.
MARKS = {"B2B_RECS_SUPERVISED_HOME"}
RUNNER = "deploy/container/runner.Dockerfile"


def variables_in_the_code() -> set[str]:
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.fullmatch(node.value):
                found.add(node.value)
    return found - MARKS


def variables_of(path: Path) -> list[str]:
    """Names that are set in a file of variables, commented out or not."""
    return re.findall(r"^#?([A-Z][A-Z0-9_]*)=", path.read_text("utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return YAML(typ="safe").load(ROOT / "deploy/compose/compose.yaml")


def test_the_example_names_every_variable_the_code_reads_once_and_no_other() -> None:
    assert sorted(variables_of(ROOT / ".env.example")) == sorted(variables_in_the_code())


def test_the_example_sets_nothing_and_holds_no_secret() -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []
    for line in (ROOT / "deploy/compose/.env.example").read_text("utf-8").splitlines():
        if line.startswith(("POSTGRES_PASSWORD", "B2B_RECS_SECRET_KEY")):
            assert line.endswith("=")


def test_compose_uses_only_variables_and_commands_there_are(compose: dict[str, Any]) -> None:
    known = variables_in_the_code()
    for name, service in compose["services"].items():
        if name == "postgres":
            continue
        assert set(service["environment"]) <= known, name
        assert service["command"][0] in COMMANDS, name
    asked = set(re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / "deploy/compose/compose.yaml").read_text("utf-8")))
    assert asked == set(variables_of(ROOT / "deploy/compose/.env.example"))


def test_the_image_has_no_default_secret_and_runs_as_nobody_special() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    final = text.rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in final
    assert "build-essential" not in text
    assert "--require-hashes --only-binary :all:" in text
    assert "HEALTHCHECK" in final
    assert set(NAME.findall(text)) == {"B2B_RECS_HOME"}


def test_the_runner_s_image_knows_nothing_of_the_platform_and_runs_as_nobody_special() -> None:
    text = (ROOT / RUNNER).read_text("utf-8")
    final = text.rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in final
    assert "--require-hashes --only-binary :all:" in text
    assert 'ENTRYPOINT ["b2b-recs", "job", "etl"]' in final
    assert "EXPOSE" not in final
    settings = {line for line in final.splitlines() if "=" in line and "B2B_RECS" in line}
    assert set(NAME.findall(" ".join(settings))) == {"B2B_RECS_HOME", "B2B_RECS_WAREHOUSE"}
    assert set(NAME.findall(text)) <= variables_in_the_code()


@pytest.mark.parametrize(("recipe", "drivers"), [("Dockerfile", "all"), (RUNNER, "none")])
def test_the_image_reads_with_the_pinned_drivers_it_is_asked_for(recipe: str, drivers: str) -> None:
    text = (ROOT / recipe).read_text("utf-8")
    build, _, final = text.rpartition("\nFROM ")
    named = re.findall(r'^ARG EXTRAS="(.*)"$', build, re.MULTILINE)
    every = sorted(path.stem for path in (ROOT / "requirements").glob("*.txt"))
    assert [sorted(names.split()) for names in named] == [every if drivers == "all" else []]
    installs = 'for extra in $EXTRAS; do pip install --require-hashes --only-binary :all: -r "requirements/$extra.txt"'
    assert installs in build and build.index(installs) < build.index("pip uninstall")
    assert "\nCOPY requirements ./requirements\n" in build
    assert {"libgssapi-krb5-2", "libltdl7"} <= set(final.split())


@pytest.mark.parametrize("recipe", ["Dockerfile", RUNNER])
def test_what_the_image_copies_is_let_through(recipe: str) -> None:
    let_through = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] == "!"]
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / recipe).read_text("utf-8"), re.MULTILINE)
    for copied in " ".join(copies).split():
        assert (ROOT / copied).exists(), copied
        assert any(Path(copied).is_relative_to(entry) for entry in let_through), copied
