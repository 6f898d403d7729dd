"""What every source promises, run by each registered type against a server of its kind.

What a type declares it cannot do (its capabilities) is not asked of it; everything else is. The parts stand in modules
of their own, each named by what it is about.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from contract.bad_parameters import ANY_PARAMETERS, DATABASE_PARAMETERS, HOST_PARAMETERS
from contract.broken_lines_contract import BrokenLinesContract
from contract.changing_contract import ChangingContract
from contract.connection_contract import ConnectionContract
from contract.copying_contract import CopyingContract
from contract.discovery_contract import DiscoveryContract
from contract.lines import Arena, request_for
from contract.memory_contract import MemoryContract
from contract.reading_contract import ReadingContract
from contract.reads import eventually, ids, table_of
from contract.refusals_contract import RefusalsContract
from contract.sampled_contract import SampledContract
from contract.strategies_contract import StrategiesContract
from contract.values_contract import ValuesContract

from b2b_recs.engine import errors

__all__ = [
    "ANY_PARAMETERS", "DATABASE_PARAMETERS", "HOST_PARAMETERS", "ODD_NAMES", "SourceContract", "eventually", "ids",
    "request_for", "table_of",
]  # fmt: skip

ODD_NAMES = (
    'a"; DROP TABLE lines; --',
    "a`b]c'd",
    "🛒 emoji ünïcode",
    "back\\slash %s %(x)s {y} $1 ?",
    " spaces ",
    "select",
)


class SourceContract(
    ConnectionContract,
    DiscoveryContract,
    ReadingContract,
    ValuesContract,
    RefusalsContract,
    CopyingContract,
    StrategiesContract,
    SampledContract,
    ChangingContract,
    BrokenLinesContract,
    MemoryContract,
):
    """Subclasses set ``type`` and the cases, and provide the fixture ``arena``."""

    # (name, changes of good parameters, error, its field); a change may be made from the arena it is for
    bad_connections: ClassVar[tuple[tuple[str, dict[str, Any], type[errors.EngineError], str], ...]] = ()
    bad_parameters: ClassVar[tuple[tuple[dict[str, Any], str], ...]] = DATABASE_PARAMETERS
    odd_names: ClassVar[tuple[str, ...]] = ODD_NAMES

    @pytest.fixture(scope="class")
    @classmethod
    def heavy(cls, arena: Arena) -> Arena:
        cls.make_heavy(arena, "heavy", cls.heavy_rows, cls.heavy_text)
        return arena
