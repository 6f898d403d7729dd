"""What a process has loaded when it starts: what it needs at once, and nothing that a later step may never need."""

from __future__ import annotations

import json
import subprocess
import sys

from b2b_recs.engine.sources.registry import SOURCE_TYPES

# Slow to load, or belonging to one source.
HEAVY = {
    "adbc_driver_manager", "cryptography", "deltalake", "duckdb", "httpcore", "httpx", "ibis", "implicit", "numpy",
    "pandas", "psycopg", "pyarrow", "scipy",
}  # fmt: skip
VENDORS = {declared.driver.partition(".")[0] for declared in SOURCE_TYPES.values() if declared.driver}


def loaded_by(statements: str) -> set[str]:
    """The top-level modules a new process has loaded once it ran the statements."""
    ending = "import json, sys; print(chr(10) + json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", f"{statements}\n{ending}"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_registry_loads_no_source_until_one_is_asked_for() -> None:
    loaded = loaded_by(
        "import sys, b2b_recs.engine.sources.registry as registry\n"
        "assert 'b2b_recs.engine.sources.postgresql' not in sys.modules\n"
        "assert registry.SOURCE_TYPES['postgresql'].name == 'PostgreSQL'\n"
        "assert 'b2b_recs.engine.sources.mysql' not in sys.modules"
    )
    assert loaded & (HEAVY | VENDORS) == set()


def test_the_declarations_of_all_sources_load_nothing_heavy() -> None:
    loaded = loaded_by(
        "from b2b_recs.engine.sources.registry import SOURCE_TYPES\n"
        "assert all(declared.type == name for name, declared in SOURCE_TYPES.items())"
    )
    assert loaded & (HEAVY | VENDORS) == set()


def test_the_list_of_commands_loads_nothing_heavy() -> None:
    loaded = loaded_by(
        "from b2b_recs.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as ended:\n    assert not ended.code"
    )
    assert loaded & (HEAVY | VENDORS | {"django"}) == set()


def test_a_run_of_a_copy_loads_no_source_and_no_http_client_before_it_needs_one() -> None:
    loaded = loaded_by("import b2b_recs.engine.etl.runner")
    assert (
        loaded & (VENDORS | {"adbc_driver_manager", "duckdb", "httpcore", "httpx", "ibis", "psycopg", "scipy"}) == set()
    )


def test_a_project_file_is_read_without_data_libraries() -> None:
    loaded = loaded_by("import b2b_recs.project_file.reading")
    assert loaded & (VENDORS | HEAVY - {"numpy", "psycopg", "cryptography"}) == set()
