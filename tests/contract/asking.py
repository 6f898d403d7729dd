"""Which test is asked of which source: what a type declares it cannot do is not collected for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from b2b_recs.engine.sources.registry import SOURCE_TYPES

_Test = TypeVar("_Test", bound=Callable[..., Any])
_MARK = "asked_of"


def holds_files(suite: Any) -> bool:
    """Whether the type of a suite has files for tables."""
    return SOURCE_TYPES[suite.type].capabilities.files


def shows_a_sample(suite: Any) -> bool:
    """Whether the columns of a table are only those of some of its rows."""
    return SOURCE_TYPES[suite.type].capabilities.sampled


def asked_of(applies: Callable[[Any], bool]) -> Callable[[_Test], _Test]:
    """Ask the test only of suites (classes) to which this applies."""

    def mark(test: _Test) -> _Test:
        setattr(test, _MARK, (*getattr(test, _MARK, ()), applies))
        return test

    return mark


def needs(*capabilities: str) -> Callable[[_Test], _Test]:
    """Ask the test only of types that declare these capabilities."""

    def able(suite: Any) -> bool:
        declared = SOURCE_TYPES[suite.type].capabilities
        return all(getattr(declared, name) for name in capabilities)

    return asked_of(able)


def is_asked(test: object, suite: Any) -> bool:
    """Whether the test is asked of this suite."""
    return all(applies(suite) for applies in getattr(test, _MARK, ()))
