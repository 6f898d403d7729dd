"""A machine without the OpenMP library trains all the same, without iALS."""

from __future__ import annotations

import sys

import pytest
from wholesale_orders import habitual_orders

from b2b_recs.engine.algorithms.ials import Ials
from b2b_recs.engine.errors import EngineError


def test_a_missing_system_library_is_a_refusal_that_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "implicit.cpu.als", None)
    orders = habitual_orders()
    with pytest.raises(EngineError) as refusal:
        Ials().fit(orders, int(orders.time.max()) + 1)
    assert "libgomp1" in refusal.value.advice
