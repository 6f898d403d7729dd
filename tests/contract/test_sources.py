"""Every source type is registered, runs the contract, and is opened by its exact name only."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from contract.sources_contract import SourceContract

from b2b_recs.engine import errors
from b2b_recs.engine.sources.registry import SOURCE_TYPES, open_source, parse_parameters


def suites(suite: type[SourceContract]) -> set[type[SourceContract]]:
    """The suite's subclasses, theirs included."""
    return {found for child in suite.__subclasses__() for found in {child, *suites(child)}}


def test_every_registered_source_runs_the_contract() -> None:
    for path in Path(__file__).parent.glob("test_source_*.py"):
        importlib.import_module(f"contract.{path.stem}")
    covered = {suite.type for suite in suites(SourceContract) if hasattr(suite, "type")}
    assert covered == set(SOURCE_TYPES)


def test_every_source_is_tried_with_six_bad_connections_or_more() -> None:
    for path in Path(__file__).parent.glob("test_source_*.py"):
        importlib.import_module(f"contract.{path.stem}")
    for suite in suites(SourceContract):
        if hasattr(suite, "type"):
            names = [name for name, *_ in suite.bad_connections]
            assert len(set(names)) == len(names) >= 6, (suite.__name__, names)


@pytest.mark.parametrize(
    "name", ["", "h2", "duckdb", "PostgreSQL", "postgresql ", "sqlite:///", "postgresql+psycopg", None]
)
def test_an_engine_that_is_not_registered_cannot_be_chosen(name: Any) -> None:
    with pytest.raises(errors.BadInput) as caught:
        parse_parameters(name, {})
    assert caught.value.field == "type"
    with pytest.raises(errors.BadInput):
        open_source(name, {}, lambda host, port: host)
