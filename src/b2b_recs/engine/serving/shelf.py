"""The models that are served now, and the switch from one version to the next without a failed request."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.serving.answers import Problem
from b2b_recs.engine.serving.pointers import KeyRing, Pointer, Stamp, read_pointer, stamps
from b2b_recs.engine.serving.refusals import key_missing, key_of_another, key_opens_none, model_not_named, stopped
from b2b_recs.engine.serving.served import ServedModel

LOG = logging.getLogger(__name__)
RETRY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Serving:
    """A version that answers: the pointer it was loaded for, the model, and since when."""

    pointer: Pointer
    model: ServedModel
    since: datetime


@dataclass(slots=True)
class Entry:
    """One model: what its pointer asks for, what answers, and why the two differ when they do."""

    pointer: Pointer
    serving: Serving | None = None
    problem: Problem | None = None
    failed_at: float = field(default=-RETRY_SECONDS)


class Shelf:
    """Follows the pointer files of a folder.

    A version is opened, verified and tried in a thread while the one before keeps answering; the change is one
    assignment, and a request under way keeps the version it started with. A version that cannot be opened changes
    nothing but ``Entry.problem``. Keys follow the pointer at once, whatever the artifact does; ``note_key`` is told the
    prefix of each known key that asks.
    """

    def __init__(
        self,
        folder: Path,
        opener: Callable[[Pointer], ServedModel],
        clock: Callable[[], datetime],
        note_key: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._opener = opener
        self._clock = clock
        self._note_key = note_key
        self._seen: dict[Path, Stamp] = {}
        self._models: dict[Path, int] = {}
        self._loading: dict[int, asyncio.Task[None]] = {}
        self.entries: dict[int, Entry] = {}
        self._keys = KeyRing(())

    def answering(self, key: str | None, model_id: int | None) -> Entry:
        """The entry that key may ask; raises Refused as ``opened_by`` does, and 503 when its serving was stopped."""
        entry = self.opened_by(key, model_id)
        if entry.pointer.stopped:
            raise stopped()
        return entry

    def opened_by(self, key: str | None, model_id: int | None) -> Entry:
        """The entry that key may ask; raises Refused 401 or 403, the same for a model that is not there."""
        opened = self._keys.find(key) if key else None
        if opened is None:
            raise key_missing(bool(key))
        self._note_key(opened.prefix)
        models = opened.models
        if not models:
            raise key_opens_none()
        if model_id is None:
            models = tuple(one for one in models if not self.entries[one].pointer.stopped) or models
            if len(models) > 1:
                raise model_not_named(models)
            return self.entries[models[0]]
        if model_id not in models:
            raise key_of_another(model_id)
        return self.entries[model_id]

    async def refresh(self) -> None:
        """Look at the pointer files once; versions that are new start to load in the background."""
        found = await asyncio.to_thread(stamps, self._folder)
        if found != self._seen:
            self._read_changed(found)
        now = time.monotonic()
        for model_id, entry in self.entries.items():
            if _behind(entry) and model_id not in self._loading and now - entry.failed_at >= RETRY_SECONDS:
                self._loading[model_id] = asyncio.create_task(self._load(model_id, entry.pointer))

    async def settle(self) -> None:
        """Wait until nothing is loading."""
        while self._loading:
            await asyncio.gather(*self._loading.values())

    async def follow(self, seconds: float) -> None:
        """Refresh for ever."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.refresh()
            except OSError as error:
                LOG.warning("The deployment files cannot be read: %s", error)

    def _read_changed(self, found: dict[Path, Stamp]) -> None:
        entries = dict(self.entries)
        for path in self._seen.keys() - found.keys():
            entries.pop(self._models.pop(path, -1), None)
        for path, stamp in found.items():
            if self._seen.get(path) == stamp:
                continue
            try:
                pointer = read_pointer(path)
            except FileNotFoundError:
                continue
            except (EngineError, OSError) as error:
                LOG.error("%s", error)
                self._mark_unreadable(entries.get(self._models.get(path, -1)), error)
                continue
            self._models[path] = pointer.model_id
            _take(entries, pointer)
        self._keys = KeyRing(entry.pointer for entry in entries.values())
        self.entries = entries
        self._seen = found

    def _mark_unreadable(self, entry: Entry | None, error: Exception) -> None:
        if entry is not None:
            entry.problem = Problem(entry.pointer.version, "pointer_refused", str(error))

    async def _load(self, model_id: int, pointer: Pointer) -> None:
        try:
            model = await asyncio.to_thread(self._opener, pointer)
        except Exception as error:
            self._mark_failed(model_id, pointer, error)
        else:
            entry = self.entries.get(model_id)
            if entry is not None and not entry.pointer.stopped and entry.pointer.artifact_id == pointer.artifact_id:
                entry.serving = Serving(entry.pointer, model, self._clock())
                entry.problem = None
                LOG.info("Model %s answers with version %s", model_id, entry.pointer.version)
        finally:
            del self._loading[model_id]

    def _mark_failed(self, model_id: int, pointer: Pointer, error: Exception) -> None:
        LOG.error("Model %s version %s cannot be loaded: %s", model_id, pointer.version, error)
        entry = self.entries.get(model_id)
        if entry is None or entry.pointer.stopped or entry.pointer.artifact_id != pointer.artifact_id:
            return
        if isinstance(error, EngineError):
            entry.problem = Problem(pointer.version, error.code, str(error))
        else:
            entry.problem = Problem(pointer.version, "artifact_refused", "The model could not be loaded.")
        entry.failed_at = time.monotonic()


def _behind(entry: Entry) -> bool:
    if entry.pointer.stopped:
        return False
    return entry.serving is None or entry.serving.pointer.artifact_id != entry.pointer.artifact_id


def _take(entries: dict[int, Entry], pointer: Pointer) -> None:
    """Put what a pointer says into the table; the version that answers stays until the new one is ready."""
    if pointer.stopped:
        problem = Problem(pointer.version, "serving_stopped", stopped().message)
        entries[pointer.model_id] = Entry(pointer, problem=problem)
        return
    if pointer.status != "active":
        entries.pop(pointer.model_id, None)
        return
    before = entries.get(pointer.model_id)
    if before is None:
        entries[pointer.model_id] = Entry(pointer)
        return
    entry = Entry(pointer, before.serving)
    if entry.serving is not None and not _behind(entry):
        entry.serving = replace(entry.serving, pointer=pointer)
    entries[pointer.model_id] = entry
