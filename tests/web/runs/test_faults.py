"""Every failure has a title, a general advice and somebody whose it is to mend."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import b2b_recs.engine
import b2b_recs.runtime
from b2b_recs.engine.errors import EngineError
from b2b_recs.web.runs.faults import FAULTS, WHOSE, fault_of


def every_error() -> Iterator[type[EngineError]]:
    for package in (b2b_recs.engine, b2b_recs.runtime):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    waiting: list[type[EngineError]] = [EngineError]
    while waiting:
        found = waiting.pop()
        waiting += found.__subclasses__()
        if found.__module__.startswith(("b2b_recs.engine.", "b2b_recs.runtime.")):
            yield found


def test_every_error_of_the_engine_and_the_runtime_has_an_entry() -> None:
    codes = {error.__name__: error.code for error in every_error()}
    assert len(codes) > 20
    assert {name for name, code in codes.items() if code not in FAULTS} == set()
    assert set(FAULTS) == {*codes.values(), "died", "handed_back", "unexpected"}


def test_every_entry_is_a_title_an_advice_and_an_owner() -> None:
    for code, fault in FAULTS.items():
        assert fault.title and not fault.title.endswith("."), code
        assert fault.advice.endswith("."), code
        assert fault.whose in WHOSE and fault.whose_words, code
        assert "!" not in fault.title + fault.advice, code


def test_what_nobody_knows_is_a_plain_failure_and_no_code_is_none() -> None:
    assert fault_of("never heard of") is FAULTS["failed"]
    assert fault_of("") is None
