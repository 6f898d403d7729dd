"""The files that say which artifact answers for which model, and with which keys it may be asked."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from b2b_recs.engine.errors import BadInput

PATTERN = "model-*.json"
STOPPED = "stopped"
Stamp = tuple[int, int, int]


class Key(msgspec.Struct, frozen=True):
    """A key that opens a model: the SHA-256 of its whole text in hex, never the text itself."""

    prefix: str
    sha256: str


class Pointer(msgspec.Struct, frozen=True):
    """What one pointer file says. ``data_until`` is ISO time of the last order the model has seen.

    ``keys`` may ask the model; ``other_keys`` are known and may not. ``status`` is active, or stopped: nothing answers
    then, and the holders of ``keys`` are told so.
    """

    model_id: int
    artifact_id: str
    version: str
    model_name: str = ""
    deployment_id: int | None = None
    data_until: str | None = None
    keys: tuple[Key, ...] = ()
    other_keys: tuple[Key, ...] = ()
    status: str = "active"

    @property
    def stopped(self) -> bool:
        """Whether the model was stopped by hand."""
        return self.status == STOPPED


_DECODER = msgspec.json.Decoder(type=Pointer)


def read_pointer(path: Path) -> Pointer:
    """The pointer in that file; raises BadInput naming the file when it cannot be understood."""
    try:
        pointer = _DECODER.decode(path.read_bytes())
    except msgspec.MsgspecError as error:
        raise BadInput(
            f"The deployment file {path.name} cannot be read: {error}.",
            advice="Deploy the model again; that writes the file anew.",
        ) from error
    if path.name != f"model-{pointer.model_id}.json":
        raise BadInput(
            f"The deployment file {path.name} speaks of model {pointer.model_id}.",
            advice="Deploy the model again; that writes the file anew.",
        )
    return pointer


def stamps(folder: Path) -> dict[Path, Stamp]:
    """Every pointer file with its inode, time of change in nanoseconds and size; a replaced file differs."""
    found = {}
    for path in folder.glob(PATTERN):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        found[path] = (status.st_ino, status.st_mtime_ns, status.st_size)
    return found


class Opened(NamedTuple):
    """A key that was issued, by its prefix, and the ids of the models it opens, maybe none."""

    prefix: str
    models: tuple[int, ...]


class KeyRing:
    """Which models a key opens, and which keys are known and open none."""

    def __init__(self, pointers: Iterable[Pointer]) -> None:
        self._opened: dict[str, tuple[str, Opened]] = {}
        for pointer in pointers:
            for key in pointer.other_keys:
                self._opened.setdefault(key.sha256.lower(), (key.sha256.lower(), Opened(key.prefix, ())))
            for key in pointer.keys:
                digest = key.sha256.lower()
                _, before = self._opened.get(digest, (digest, Opened(key.prefix, ())))
                self._opened[digest] = (digest, Opened(key.prefix, (*before.models, pointer.model_id)))

    def find(self, text: str) -> Opened | None:
        """What that key opens; None for a key nobody issued.

        The table is searched by the digest, which a caller cannot steer; the hit is compared in constant time.
        """
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        stored, opened = self._opened.get(digest, (_NO_DIGEST, Opened("", ())))
        return opened if hmac.compare_digest(stored, digest) else None


_NO_DIGEST = "0" * 64
