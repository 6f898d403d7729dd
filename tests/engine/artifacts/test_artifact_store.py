"""Artifacts appear whole, keep their bytes, and anything else is refused with advice."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from b2b_recs.engine.artifacts import store as store_module
from b2b_recs.engine.artifacts.manifest import MANIFEST_FILE, TENSOR_FILE, Manifest
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.artifacts.tensors import TensorsRefused, map_tensors
from b2b_recs.engine.errors import ArtifactRefused, StorageFull

ARRAYS = {
    "scores": np.arange(12, dtype=np.float32).reshape(3, 4),
    "marks": np.array([True, False, True]),
    "none": np.zeros((0, 5), dtype=np.int64),
    "one": np.array(7.5),
    "small": np.array([1, 2, 3], dtype=np.uint8),
}


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


def test_what_is_written_comes_back_read_only(store: ArtifactStore) -> None:
    artifact = store.open(store.write("bundle", {"algorithm": "popular", "größe": 1.5}, ARRAYS))
    assert artifact.manifest.facts == {"algorithm": "popular", "größe": 1.5}
    assert set(artifact.arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert np.array_equal(artifact.arrays[name], array)
        assert artifact.arrays[name].dtype == array.dtype
        assert artifact.arrays[name].shape == array.shape
        assert not artifact.arrays[name].flags.writeable


def test_the_id_is_the_hash_of_the_manifest_and_binds_the_arrays(store: ArtifactStore) -> None:
    artifact_id = store.write("bundle", {}, ARRAYS)
    folder = store.path(artifact_id)
    manifest = (folder / MANIFEST_FILE).read_bytes()
    assert hashlib.sha256(manifest).hexdigest() == artifact_id
    tensors = hashlib.sha256((folder / TENSOR_FILE).read_bytes()).hexdigest()
    assert json.loads(manifest)["tensors_sha256"] == tensors


def test_the_same_content_is_the_same_artifact_and_changes_nothing(store: ArtifactStore) -> None:
    first = store.write("bundle", {"a": 1}, ARRAYS)
    before = (store.path(first) / TENSOR_FILE).stat()
    assert store.write("bundle", {"a": 1}, dict(reversed(ARRAYS.items()))) == first
    after = (store.path(first) / TENSOR_FILE).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert store.write("bundle", {"a": 2}, ARRAYS) != first
    assert len(list(store.root.iterdir())) == 2


def test_every_flipped_byte_is_noticed(store: ArtifactStore) -> None:
    artifact_id = store.write("bundle", {"a": 1}, ARRAYS)
    for name in (MANIFEST_FILE, TENSOR_FILE):
        path = store.path(artifact_id) / name
        intact = path.read_bytes()
        for position in range(len(intact)):
            damaged = bytearray(intact)
            damaged[position] ^= 0x10
            path.write_bytes(damaged)
            with pytest.raises(ArtifactRefused) as refused:
                store.open(artifact_id)
            assert refused.value.advice
        path.write_bytes(intact)
    assert store.open(artifact_id).manifest.facts == {"a": 1}


def test_a_damaged_artifact_is_replaced_when_written_again(store: ArtifactStore) -> None:
    artifact_id = store.write("bundle", {}, ARRAYS)
    (store.path(artifact_id) / TENSOR_FILE).write_bytes(b"nothing of the kind")
    assert store.write("bundle", {}, ARRAYS) == artifact_id
    assert np.array_equal(store.open(artifact_id).arrays["scores"], ARRAYS["scores"])


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 100, -1])
def test_a_file_cut_short_is_refused(store: ArtifactStore, keep: int) -> None:
    artifact_id = store.write("bundle", {}, ARRAYS)
    path = store.path(artifact_id) / TENSOR_FILE
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ArtifactRefused, match="size"):
        store.open(artifact_id)


@pytest.mark.parametrize(
    "artifact_id", ["../../etc/passwd", "", "a" * 63, "A" * 64, "a" * 64 + "\n", "/" + "a" * 63, "..", "a" * 65]
)
def test_an_id_that_is_not_a_hash_is_refused_before_the_disk_is_touched(store: ArtifactStore, artifact_id: str) -> None:
    with pytest.raises(ArtifactRefused, match="not the id"):
        store.open(artifact_id)


def test_a_missing_artifact_is_refused_with_advice(store: ArtifactStore) -> None:
    with pytest.raises(ArtifactRefused, match="not in the artifact folder") as refused:
        store.open("a" * 64)
    assert "backup" in refused.value.advice
    artifact_id = store.write("bundle", {}, ARRAYS)
    (store.path(artifact_id) / TENSOR_FILE).unlink()
    with pytest.raises(ArtifactRefused):
        store.open(artifact_id)


class Bomb:
    """Ends the test run when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[int], None], tuple[int]]:
        return os._exit, (1,)


def _zip_with_pickle(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("scores.npy", pickle.dumps(Bomb()))


def _npy_of_objects(path: Path) -> None:
    with path.open("wb") as stream:
        np.save(stream, np.array([Bomb()], dtype=object), allow_pickle=True)


@pytest.mark.parametrize(
    "disguise", [lambda path: path.write_bytes(pickle.dumps(Bomb())), _zip_with_pickle, _npy_of_objects]
)
def test_a_pickle_in_disguise_is_refused_even_with_a_matching_manifest(
    store: ArtifactStore, disguise: Callable[[Path], object], tmp_path: Path
) -> None:
    path = tmp_path / "disguised"
    disguise(path)
    with pytest.raises(ArtifactRefused):
        store.open(_forge(store, path.read_bytes()))


def _forge(store: ArtifactStore, tensors: bytes) -> str:
    """An artifact whose hashes are all right and whose array file is ``tensors``."""
    manifest = Manifest(
        kind="bundle",
        tensors_sha256=hashlib.sha256(tensors).hexdigest(),
        tensors_bytes=max(len(tensors), 8),
        tensors={},
        facts={},
    )
    folder = store.path(manifest.artifact_id())
    folder.mkdir(parents=True)
    (folder / MANIFEST_FILE).write_bytes(manifest.canonical())
    (folder / TENSOR_FILE).write_bytes(tensors)
    return manifest.artifact_id()


def _file(header: object, data: bytes, *, raw: bytes | None = None) -> bytes:
    text = raw if raw is not None else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def _entry(**changes: object) -> dict[str, object]:
    return {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (_file({"a": _entry(dtype="O")}, b"\0" * 8), "not allowed"),
        (_file({"a": _entry(dtype=["F32"])}, b"\0" * 8), "not allowed"),
        (_file({"a": _entry(dtype="F16")}, b"\0" * 8), "not allowed"),
        (_file({"a": _entry(shape=[3])}, b"\0" * 8), "outside"),
        (_file({"a": _entry(data_offsets=[0, 800], shape=[200])}, b"\0" * 8), "outside"),
        (_file({"a": _entry(data_offsets=[-8, 0])}, b"\0" * 8), "malformed"),
        (_file({"a": _entry(shape=[2**62, 4])}, b"\0" * 8), "outside"),
        (_file({"a": _entry(shape=[True, 2])}, b"\0" * 8), "malformed"),
        (_file({"a": _entry(shape="2")}, b"\0" * 8), "malformed"),
        (_file({"a": _entry(more=1)}, b"\0" * 8), "malformed"),
        (_file({"a": _entry(), "b": _entry()}, b"\0" * 8), "overlap"),
        (_file({"a": _entry()}, b"\0" * 9), "bytes after"),
        (_file({"a": _entry(data_offsets=[4, 12])}, b"\0" * 12), "gap"),
        (_file(None, b"", raw=b'{"a":' + json.dumps(_entry()).encode() + b',"a":1}'), "cannot be read"),
        (_file([1], b""), "not a table"),
        (_file(None, b"", raw=b"\xff\xfe"), "cannot be read"),
        ((2**63).to_bytes(8, "little") + b"{}", "array header"),
        (b"\x02\0\0", "shorter"),
    ],
)
def test_a_malformed_array_file_is_refused_for_its_fault(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "tensors"
    path.write_bytes(content)
    with pytest.raises(TensorsRefused, match=why):
        map_tensors(path)


def test_objects_texts_and_nan_facts_are_not_written(store: ArtifactStore) -> None:
    for arrays in ({"a": np.array([Bomb()], dtype=object)}, {"a": np.array(["text"])}):
        with pytest.raises(ArtifactRefused, match="cannot be stored"):
            store.write("bundle", {}, arrays)
    with pytest.raises(ArtifactRefused):
        store.write("bundle", {"ndcg": float("nan")}, ARRAYS)
    assert list(store.root.iterdir()) == []


def test_a_full_disk_is_said_and_leaves_nothing_behind(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, arrays: object) -> None:
        path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_module, "write_tensors", full)
    with pytest.raises(StorageFull, match="disk is full"):
        store.write("bundle", {}, ARRAYS)
    assert list(store.root.iterdir()) == []


KILLED = """
import os, sys
from pathlib import Path
import numpy as np
from b2b_recs.engine.artifacts import store
store._sync_folder = lambda path: os._exit(9) if path.name.startswith(".writing-") else None
store.ArtifactStore(Path(sys.argv[1])).write("bundle", {}, {"a": np.zeros(3)})
"""


def test_a_writer_killed_before_the_rename_leaves_no_artifact_and_is_swept_up(store: ArtifactStore) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(store.root)], check=False)
    assert killed.returncode == 9
    (left,) = store.root.iterdir()
    assert left.name.startswith(".writing-")
    old = left.stat().st_mtime - 2 * 24 * 3600
    os.utime(left, (old, old))
    artifact_id = store.write("bundle", {}, {"a": np.zeros(3)})
    assert [path.name for path in store.root.iterdir()] == [artifact_id]
