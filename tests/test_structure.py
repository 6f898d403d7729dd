"""The shape of the code: layers, sizes, and single doors for whatever is dangerous."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "b2b_recs"
MODULE_LINES, FUNCTION_LINES, TEMPLATE_LINES = 400, 50, 250
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "base2"}
# Loaders that run code found in data.
CODE_IN_DATA = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "torch", "jsonpickle",
}  # fmt: skip

# Each dangerous thing and the only places that may do it.
LEAVES_THE_SCOPE = {
    "web/tenancy",
    "web/accounts/choice.py",  # a person's own memberships, before an organization is chosen
    "web/accounts/bootstrap.py",  # the first account
    "web/operations",  # the operator's admin and the dispatcher of schedules
    "web/monitoring/services.py",  # whose traffic a line of the serving log is
    "cli/context.py",  # the organization named on the command line
}
READS_MODEL_FILES = {"engine/artifacts"}
QUOTES_NAMES = {"engine/sources/quoting.py", "engine/warehouse/names.py", "project_file/names.py"}
RESOLVES_HOSTS = {"runtime/guard.py", "runtime/ports.py", "engine/sources/postgresql/connection.py", "cli/serve.py"}
DIALS_SOURCES = {
    "engine/sources/mongodb/connection.py",
    "engine/sources/mysql/connection.py",
    "engine/sources/postgresql/connection.py",
    "engine/sources/redshift/connection.py",
}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def modules() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if "migrations" not in path.parts)


def place(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def within(path: Path, places: set[str]) -> bool:
    return any(place(path) == one or place(path).startswith(f"{one}/") for one in places)


def calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    """Every call with the dotted name of what is called."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def imports(path: Path) -> set[str]:
    """The modules imported, fully named."""
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_knowledge_goes_one_way() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and " 0 broken" in done.stdout, done.stdout[-3000:] + done.stderr[-1000:]


def test_modules_functions_and_templates_stay_small() -> None:
    long = []
    for path in modules():
        lines = len(path.read_text("utf-8").splitlines())
        if lines > MODULE_LINES:
            long.append(f"{place(path)}: {lines} lines")
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                size = node.end_lineno - node.lineno + 1
                if size > FUNCTION_LINES:
                    long.append(f"{place(path)}: {node.name} has {size} lines")
    for path in SOURCE.rglob("*.html"):
        lines = len(path.read_text("utf-8").splitlines())
        if lines > TEMPLATE_LINES:
            long.append(f"{place(path)}: {lines} lines")
    assert long == []


def test_every_module_is_named_for_what_it_answers() -> None:
    assert [place(path) for path in modules() if path.stem in VAGUE or path.parent.name in VAGUE] == []


def test_no_module_is_left_half_done() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    assert [place(path) for path in modules() if words.search(path.read_text("utf-8"))] == []


def test_no_code_hides_in_data() -> None:
    found = []
    for path in modules():
        banned = {name for name in imports(path) if name.split(".")[0] in CODE_IN_DATA}
        found += [f"{place(path)} imports {name}" for name in banned]
        for call, name in calls(path):
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            if keywords.get("allow_pickle", "False") != "False":
                found.append(f"{place(path)}:{call.lineno} allows pickles")
            if name in ("np.load", "numpy.load") and keywords.get("allow_pickle") != "False":
                found.append(f"{place(path)}:{call.lineno} does not refuse pickles")
            if name in ("eval", "exec", "compile") or name.endswith("yaml.unsafe_load"):
                found.append(f"{place(path)}:{call.lineno} calls {name}")
    assert found == []


def through_other_doors(names: set[str], doors: set[str]) -> list[str]:
    """Calls of these functions (by the end of their dotted name) outside the doors."""
    return [
        f"{place(path)}:{call.lineno} calls {name}"
        for path in modules()
        if not within(path, doors)
        for call, name in calls(path)
        if name in names or any(name.endswith(f".{one}") for one in names)
    ]


def test_only_tenancy_leaves_the_scope() -> None:
    assert through_other_doors({"unscoped", "operating"}, LEAVES_THE_SCOPE) == []
    found = [
        f"{place(path)}:{call.lineno}"
        for path in modules()
        if not within(path, LEAVES_THE_SCOPE)
        for call, name in calls(path)
        if name.endswith(("_base_manager.using", "_base_manager.all", "_base_manager.filter"))
        or (name.endswith((".using", ".db_manager")) and call.args and "operator" in ast.unparse(call.args[0]))
    ]
    assert found == []


def test_only_artifacts_read_model_files() -> None:
    readers = {"np.load", "np.fromfile", "np.memmap", "safe_open", "mmap.mmap", "safetensors.numpy.load_file"}
    assert through_other_doors(readers, READS_MODEL_FILES) == []
    found = [
        place(path)
        for path in modules()
        if any(name.split(".")[0] == "safetensors" for name in imports(path)) and not within(path, READS_MODEL_FILES)
    ]
    assert found == []


def test_only_the_quoting_doors_quote_names() -> None:
    found = []
    for path in modules():
        if within(path, QUOTES_NAMES):
            continue
        for call, name in calls(path):
            doubled = [ast.unparse(argument) for argument in call.args] in (["'\"'", "'\"\"'"], ["'`'", "'``'"])
            if name.endswith(".replace") and doubled:
                found.append(f"{place(path)}:{call.lineno}")
    assert found == []


def test_only_the_guard_resolves_hosts_and_only_connections_dial_sources() -> None:
    assert through_other_doors({"socket.getaddrinfo", "socket.gethostbyname", "gethostbyname"}, RESOLVES_HOSTS) == []
    assert through_other_doors({"create_connection"}, DIALS_SOURCES) == []
    dialled = [
        place(path)
        for path in modules()
        if place(path).startswith("engine/")
        and not within(path, DIALS_SOURCES)
        and any(name.endswith((".dbapi.connect", "psycopg.connect", "asyncpg.connect")) for _, name in calls(path))
    ]
    assert dialled == []


def test_views_go_through_the_door_of_access() -> None:
    """A view that takes an id asks the door for the row, so that missing and foreign answer the same."""
    found = []
    for path in modules():
        if not (place(path).startswith("web/") and path.name.endswith("views.py")):
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef) and any(argument.arg == "model_id" for argument in node.args.args):
                text = ast.unparse(node)
                if "request" in [argument.arg for argument in node.args.args] and not re.search(
                    r"\b(model_or_404|row_or_404|_\w+)\(request", text
                ):
                    found.append(f"{place(path)}: {node.name}")
    assert found == []


@pytest.mark.parametrize("text", ["/work/", "/root/", "pypi.org", "index-url"])
def test_nothing_of_the_machine_it_was_written_on_is_in_the_source(text: str) -> None:
    found = [
        place(path)
        for path in SOURCE.rglob("*")
        if path.suffix in (".py", ".html", ".css") and text in path.read_text("utf-8")
    ]
    assert found == []


def test_migrations_say_what_the_models_say(
    migrated_database: object, django_db_blocker: pytest.FixtureRequest
) -> None:
    from django.core.management import call_command

    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)
