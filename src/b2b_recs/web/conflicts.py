"""What cannot be done as things are now: the request was fine, and what it meets is not."""

from __future__ import annotations

from typing import ClassVar

from b2b_recs.engine.errors import BadInput


class Conflict(BadInput):
    """The request meets something it cannot change; ``field`` names what to give differently, when that helps."""

    code: ClassVar[str] = "conflict"


class NameTaken(Conflict):
    """Something else of the same kind has the name already."""

    code: ClassVar[str] = "name_taken"


class InUse(Conflict):
    """Others depend on it, so it cannot be deleted."""

    code: ClassVar[str] = "in_use"


class Unfinished(Conflict):
    """It is a draft and has to be finished first."""

    code: ClassVar[str] = "draft"


class ModelArchived(Conflict):
    """The model is archived, so nothing of it runs or goes into service."""

    code: ClassVar[str] = "model_archived"

    def __init__(self, name: str) -> None:
        super().__init__(f"The model “{name}” is archived.", field="model", advice="Restore it on its page first.")


class ConnectionOff(Conflict):
    """The job's connection is switched off."""

    code: ClassVar[str] = "connection_off"

    def __init__(self, name: str) -> None:
        super().__init__(f"The connection “{name}” is switched off.", field="connection", advice="Switch it on first.")


class NothingToRun(Conflict):
    """No job is ready to run."""

    code: ClassVar[str] = "nothing_to_run"
