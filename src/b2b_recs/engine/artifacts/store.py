"""The folder of model artifacts: the only writer and the only reader.

An artifact is a folder named by the SHA-256 of its manifest, which holds the SHA-256 of its arrays. It appears whole
or not at all (written aside, flushed, renamed), and it is verified byte by byte each time it is opened.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy.typing as npt

from b2b_recs.engine.artifacts.manifest import (
    MANIFEST_FILE,
    MANIFEST_LIMIT,
    TENSOR_FILE,
    Manifest,
    TensorFact,
    check_artifact_id,
    damaged,
    parse_manifest,
)
from b2b_recs.engine.artifacts.tensors import TensorsRefused, file_sha256, map_tensors, write_tensors
from b2b_recs.engine.errors import ArtifactRefused, StorageFull

_ASIDE = ".writing-"
_STALE_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Artifact:
    """One verified artifact; ``arrays`` are read-only and backed by the file."""

    artifact_id: str
    manifest: Manifest
    arrays: dict[str, npt.NDArray[Any]]


class ArtifactStore:
    """Artifacts under one folder, each in a folder named by its id."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, artifact_id: str) -> Path:
        """The folder of an artifact, whether or not it exists. ArtifactRefused when the id is not an id."""
        return self.root / check_artifact_id(artifact_id)

    def exists(self, artifact_id: str) -> bool:
        """Whether the artifact has been written (not whether it is intact)."""
        return (self.path(artifact_id) / MANIFEST_FILE).is_file()

    def write(
        self,
        kind: Literal["bundle", "evaluation"],
        facts: Mapping[str, Any],
        arrays: Mapping[str, npt.NDArray[Any]],
    ) -> str:
        """Write an artifact and return its id; the same content again is the same id and changes nothing.

        Raises ArtifactRefused when ``facts`` is not JSON (NaN included) or an array is not plain numbers, and
        StorageFull when the disk has no room; nothing is left behind then.
        """
        aside = self.root / f"{_ASIDE}{os.getpid()}-{secrets.token_hex(8)}"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._sweep()
            aside.mkdir()
            manifest = _write_files(aside, kind, facts, arrays)
            artifact_id = manifest.artifact_id()
            self._publish(aside, artifact_id)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull(
                    "The disk is full: the trained model could not be written.",
                    advice="Free some space and start the training again.",
                ) from error
            raise
        except (TensorsRefused, ValueError, TypeError) as error:
            raise ArtifactRefused(
                f"A trained model could not be stored: {error}.",
                advice="Report this: an algorithm gave something other than numbers.",
            ) from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return artifact_id

    def open(self, artifact_id: str) -> Artifact:
        """The artifact, after verifying every byte. ArtifactRefused when missing, damaged or not what it says."""
        folder = self.path(artifact_id)
        try:
            with (folder / MANIFEST_FILE).open("rb") as stream:
                data = stream.read(MANIFEST_LIMIT + 1)
            manifest = parse_manifest(data, artifact_id)
            tensors = folder / TENSOR_FILE
            if tensors.stat().st_size != manifest.tensors_bytes:
                raise damaged(artifact_id, "its array file does not have the size it was written with")
            if file_sha256(tensors) != manifest.tensors_sha256:
                raise damaged(artifact_id, "its array file has been changed since it was written")
            arrays = map_tensors(tensors)
        except FileNotFoundError as error:
            raise ArtifactRefused(
                f"Model artifact {artifact_id[:12]} is not in the artifact folder.",
                advice="Restore the folder from a backup, deploy another version, or train again.",
            ) from error
        except TensorsRefused as error:
            raise damaged(artifact_id, str(error)) from error
        except OSError as error:
            raise damaged(artifact_id, f"it could not be read ({error.strerror})") from error
        if _tensor_facts(arrays) != manifest.tensors:
            raise damaged(artifact_id, "its arrays are not the ones its manifest lists")
        return Artifact(artifact_id, manifest, arrays)

    def remove(self, artifact_id: str) -> None:
        """Take an artifact off the disk; nothing happens when it is not there. Who has it open goes on reading it."""
        aside = self.root / f"{_ASIDE}removed-{secrets.token_hex(8)}"
        with suppress(FileNotFoundError):
            self.path(artifact_id).rename(aside)
        shutil.rmtree(aside, ignore_errors=True)

    def _publish(self, aside: Path, artifact_id: str) -> None:
        """Move the finished folder into place; an intact one that is already there stays."""
        target = self.path(artifact_id)
        if target.exists():
            try:
                self.open(artifact_id)
                return
            except ArtifactRefused:
                target.rename(self.root / f"{_ASIDE}damaged-{secrets.token_hex(8)}")
        try:
            aside.rename(target)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # another process was first: same bytes
                raise
        _sync_folder(self.root)

    def _sweep(self) -> None:
        """Remove what writers killed more than a day ago have left."""
        limit = time.time() - _STALE_SECONDS
        for left in self.root.glob(f"{_ASIDE}*"):
            try:
                stale = left.stat().st_mtime < limit
            except FileNotFoundError:
                continue
            if stale:
                shutil.rmtree(left, ignore_errors=True)


def _write_files(
    folder: Path,
    kind: Literal["bundle", "evaluation"],
    facts: Mapping[str, Any],
    arrays: Mapping[str, npt.NDArray[Any]],
) -> Manifest:
    json.dumps(dict(facts), allow_nan=False)  # refuses what is not JSON, before it could turn into null
    tensors = folder / TENSOR_FILE
    write_tensors(tensors, arrays)
    _sync_file(tensors)
    manifest = Manifest(
        kind=kind,
        tensors_sha256=file_sha256(tensors),
        tensors_bytes=tensors.stat().st_size,
        tensors=_tensor_facts(arrays),
        facts=dict(facts),
    )
    path = folder / MANIFEST_FILE
    path.write_bytes(manifest.canonical())
    _sync_file(path)
    _sync_folder(folder)
    return manifest


def _tensor_facts(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, TensorFact]:
    return {name: TensorFact(dtype=array.dtype.name, shape=array.shape) for name, array in arrays.items()}


def _sync_file(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
