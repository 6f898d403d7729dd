"""Which warehouse a folder is: a mark in it, so that a runner elsewhere never writes into another one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from b2b_recs.engine.errors import BadInput
from b2b_recs.runtime.environment import envtext

VARIABLE = "B2B_RECS_WAREHOUSE"
MARK = ".warehouse"
_ADVICE = f"Mount the platform's warehouse folder where the runner works and set {VARIABLE} to that path."


def mark_of(folder: Path) -> str:
    """The mark of a warehouse; a folder without one gets it. Safe when several processes ask at once."""
    path = folder / MARK
    if not path.exists():
        fresh = folder / f"{MARK}-{secrets.token_hex(8)}"
        fresh.write_text(secrets.token_hex(16), "utf-8")
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text("utf-8").strip()


def mounted_warehouse(mark: str) -> Path:
    """The folder ``B2B_RECS_WAREHOUSE`` names, when it is the warehouse with that mark. Raises BadInput otherwise."""
    named = envtext(VARIABLE)
    if not named:
        raise BadInput(f"The runner does not know where the warehouse is: {VARIABLE} is not set.", advice=_ADVICE)
    if "://" in named:
        raise BadInput(
            f"{VARIABLE} is {named.split('://')[0]}://…, and a runner writes into a shared folder only.", advice=_ADVICE
        )
    folder = Path(named)
    try:
        found = (folder / MARK).read_text("utf-8").strip()
    except OSError:
        raise BadInput(f"The folder {folder} is not the platform's warehouse.", advice=_ADVICE) from None
    if found != mark:
        raise BadInput(f"The folder {folder} is the warehouse of another installation.", advice=_ADVICE)
    if not os.access(folder, os.W_OK):
        raise BadInput(f"The warehouse folder {folder} cannot be written to from here.", advice=_ADVICE)
    return folder
