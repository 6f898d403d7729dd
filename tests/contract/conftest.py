"""What the contract suites share: cases that each source type brings itself."""

from __future__ import annotations

from typing import Any

import pytest
from contract.asking import is_asked


def pytest_pycollect_makeitem(collector: pytest.Module | pytest.Class, name: str, obj: object) -> list[Any] | None:
    """Nothing in the place of a test that does not apply to the suite; None leaves the rest to pytest."""
    return [] if isinstance(collector, pytest.Class) and not is_asked(obj, collector.obj) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each bad connection, bad parameter and odd name a source's suite declares."""
    for fixture, attribute in (
        ("bad_connection", "bad_connections"),
        ("bad_parameter", "bad_parameters"),
        ("odd_name", "odd_names"),
    ):
        if fixture in metafunc.fixturenames:
            cases = getattr(metafunc.cls, attribute)
            metafunc.parametrize(fixture, cases, ids=[_named(case) for case in cases])


def _named(case: object) -> str:
    return ascii(case[0] if isinstance(case, tuple) else case)[:60]
