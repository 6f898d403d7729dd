"""Vendors' drivers, which are extras: imported when a source is opened, and missed with the command to install them."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from b2b_recs.engine.errors import DriverMissing


def load_driver(module: str, *, extra: str, name: str) -> Any:
    """The driver's module. Raises DriverMissing naming the command when the extra is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        why = "" if error.name and module.startswith(error.name) else f" ({error})"
        raise DriverMissing(
            f"What reads {name} is not installed{why}.",
            advice=f"Run: .venv/bin/python -m pip install -r requirements/{extra}.txt",
            field="type",
        ) from None


def has_driver(module: str) -> bool:
    """Whether the module can be imported, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
