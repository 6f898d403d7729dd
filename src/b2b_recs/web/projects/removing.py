"""The files of what was deleted: the database forgets first, then the files go. Doing it twice changes nothing.

A kill between the two leaves files that nothing shows; the worker's sweep removes them.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from django.db import transaction

from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.errors import BadInput, EngineError
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.engine.warehouse.removal import folders_of, identity_of, move_aside
from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.models import User
from b2b_recs.web.projects.models import ModelEndpoint, Removal

log = logging.getLogger(__name__)


def note_table(model: ModelEndpoint, table: LocalTable, name: str, user: User | None) -> Removal:
    """Note that a table goes with what is kept beside it; it leaves the warehouse when the transaction commits."""
    warehouse = Home.current().warehouse
    found = [(path, identity_of(path)) for path in folders_of(table)]
    folders = [
        {"path": path.relative_to(warehouse).as_posix(), "identity": identity} for path, identity in found if identity
    ]
    return _note(model, Removal.Kind.TABLE, name, {"folders": folders}, user)


def note_model(model: ModelEndpoint, artifacts: list[str], jobs: list[int], user: User | None) -> Removal:
    """Note that a model's tables, artifacts and staging go; its tables leave when the transaction commits."""
    home = Home.current()
    path = home.model_warehouse(model.id).relative_to(home.warehouse).as_posix()
    parts = {"folders": [{"path": path, "identity": ""}], "artifacts": artifacts, "jobs": jobs}
    return _note(model, Removal.Kind.MODEL, model.name, parts, user)


def set_aside(removal: Removal) -> bool:
    """Move the folders out of the warehouse, in no time however large; False when a run still writes to one."""
    home = Home.current()
    target = home.removed / str(removal.id)
    folders = removal.parts.get("folders", ())
    moved = [move_aside(_inside(home.warehouse, one["path"]), target, one["identity"]) for one in folders]
    return all(moved)


def clear(removal: Removal, is_used: Callable[[str], bool]) -> bool:
    """Take everything of a removal off the disk; returns whether it is gone. ``is_used`` keeps an artifact."""
    home = Home.current()
    try:
        if not set_aside(removal):
            return False
        folders = [
            home.removed / str(removal.id),
            *(home.staging / f"etl-{job}" for job in removal.parts.get("jobs", ())),
        ]
        for folder in folders:
            if folder.is_dir():
                shutil.rmtree(folder)
        store = ArtifactStore(home.artifacts)
        for artifact in removal.parts.get("artifacts", ()):
            if not is_used(artifact):
                store.remove(artifact)
    except (OSError, EngineError):
        log.warning("the files of removal %s could not be removed, which is tried again", removal.id, exc_info=True)
        return False
    return True


def _inside(root: Path, path: str) -> Path:
    """A folder below the root, never the root itself, a hidden one, or one elsewhere. Raises BadInput."""
    parts = PurePosixPath(path).parts
    if not parts or any(part.startswith((".", "/")) for part in parts):
        raise BadInput(f"{path!r} names no folder of the warehouse.", field="path")
    return root.joinpath(*parts)


def _note(model: ModelEndpoint, kind: str, name: str, parts: dict[str, Any], user: User | None) -> Removal:
    removal: Removal = Removal.objects.create(
        organization_id=model.organization_id, kind=kind, model_id=model.id, name=name, parts=parts, removed_by=user
    )
    transaction.on_commit(lambda: set_aside(removal), robust=True)
    return removal
