"""What to type to start this program here."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

NAME = "b2b-recs"
_USUAL = ".venv"


def program() -> str:
    """``b2b-recs`` where a shell finds it, else its place below the project's folder."""
    prefix = Path(sys.prefix)
    found = shutil.which(NAME)
    if prefix.name != _USUAL or (found and Path(found).resolve().parent == (prefix / "bin").resolve()):
        return NAME
    return f"{_USUAL}/bin/{NAME}"
