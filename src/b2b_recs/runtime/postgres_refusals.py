"""What a PostgreSQL that cannot start said, in words a person can act on."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from b2b_recs.engine.errors import StorageFull
from b2b_recs.runtime.errors import PostgresFailed

MIN_FREE_BYTES = 256 * 1024 * 1024
_FULL_BYTES = 1024 * 1024


def disk_full(folder: Path, free: int) -> StorageFull:
    """The refusal to create a cluster with ``free`` bytes left."""
    return StorageFull(
        f"The disk of {folder} has {free // 1_000_000} MB left, too little for the database.",
        advice=f"Make at least {MIN_FREE_BYTES // 1_000_000} MB free, then start again.",
    )


def explained(error: OSError, folder: Path) -> Exception:
    """The refusal for a file the system would not give us."""
    if error.errno in (28, 122):
        return StorageFull(f"The disk of {folder} is full.", advice="Make room, then start again.")
    where = error.filename or folder
    return PostgresFailed(
        f"The embedded PostgreSQL cannot use {where}: {error.strerror or error}.",
        advice="Check the owner and the permissions of the home folder, or set B2B_RECS_HOME to another one.",
    )


def from_words(words: str, folder: Path, deed: str) -> Exception:
    """The error for what initdb or the server said."""
    full = "No space left on device" in words or "Disk quota exceeded" in words
    # On a full disk the server's last words are lost too.
    if full or shutil.disk_usage(folder).free < _FULL_BYTES:
        return StorageFull(f"The disk of {folder} is full.", advice="Make room, then start again.")
    told = [line for line in words.splitlines() if "FATAL" in line or "error:" in line or "ERROR" in line]
    last = (told or words.strip().splitlines() or ["it gave no reason"])[-1]
    last = re.split(r"FATAL:|ERROR:|error:", last)[-1].strip().rstrip(".") + "."
    advice = "Check the permissions of the home folder." if "Permission denied" in words else ""
    return PostgresFailed(
        f"The embedded PostgreSQL could not be {deed}: {last}",
        advice=advice or "`b2b-recs doctor` tells what is wrong with this machine.",
    )
