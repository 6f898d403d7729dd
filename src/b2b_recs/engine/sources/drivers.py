"""Vendors' drivers, which are extras: imported when a source is opened, and missed with the command to install them."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

from b2b_recs.engine.errors import DriverMissing

# The lists of extras lie beside the source code; an installed package has none and names them as its download does.
_LISTS = Path(__file__).parents[4] / "requirements"


def install_command(extra: str) -> str:
    """What to run, in any folder, so that an extra is installed for the Python that runs here."""
    listed = _LISTS / f"{extra}.txt"
    path = str(listed) if listed.is_file() else f"requirements/{extra}.txt"
    return subprocess.list2cmdline([sys.executable, "-m", "pip", "install", "-r", path])


def load_driver(module: str, *, extra: str, name: str) -> Any:
    """The driver's module. Raises DriverMissing naming the command when the extra is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        why = "" if error.name and module.startswith(error.name) else f" ({error})"
        raise DriverMissing(
            f"What reads {name} is not installed{why}.",
            advice=f"Run: {install_command(extra)}",
            field="type",
        ) from None


def has_driver(module: str) -> bool:
    """Whether the module can be imported, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
