"""What every store of files promises of each format and packing: a few small files, copied whole from the store."""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from contract.asking import asked_of
from contract.copying_contract import Copying
from contract.folder_arena import CsvArena, ExcelArena, FolderArena, JsonArena, ParquetArena
from contract.lines import COLUMNS, lines_with
from contract.suite import Suite


def _zipped(content: bytes) -> bytes:
    """An archive of that one file."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", content)
    return sink.getvalue()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes, ".gz": gzip.compress, ".zip": _zipped, ".bz2": bz2.compress,
}  # fmt: skip
# Format, its arena of a folder, and how its files are packed; Parquet and Excel files are packed inside.
FORMS: tuple[tuple[str, type[FolderArena], str], ...] = (
    ("csv", CsvArena, ".zip"),
    ("csv", CsvArena, ".bz2"),
    ("json", JsonArena, ""),
    ("json", JsonArena, ".gz"),
    ("json", JsonArena, ".zip"),
    ("parquet", ParquetArena, ""),
    ("excel", ExcelArena, ""),
)


class StoredFormatsContract(Suite):
    """Part of the contract of stores of files."""

    @asked_of(lambda suite: suite.form == "csv")  # one suite for each store; the format is the test's own
    @pytest.mark.parametrize(("form", "kind", "packing"), FORMS, ids=[f"{form}{packing}" for form, _, packing in FORMS])
    def test_files_of_every_format_and_packing_are_copied_from_the_store(
        self,
        arena: Any,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        form: str,
        kind: type[FolderArena],
        packing: str,
    ) -> None:
        given, content = arena.parameters, kind(tmp_path / "folder").content
        monkeypatch.setattr(arena, "parameters", lambda **changes: given(**{"format": form, **changes}))
        # Excel keeps days as binary fractions, so no smaller step.
        written = lines_with(timedelta(milliseconds=1))
        ending = f"{kind.ending}{packing}"
        files = {f"forms/{at}{ending}": rows for at, rows in (("a", written[:4]), ("b", written[4:]))}
        for path, rows in files.items():
            arena.put(path, PACKINGS[packing](content(COLUMNS, rows)))
        table = f"forms/*{ending}{'#Sheet' if form == 'excel' else ''}"
        try:
            job = Copying(arena, table, tmp_path, {"strategy": "files"})
            result = job.run()
            assert (result.files_loaded, result.rows_loaded, result.rows_rejected) == (2, len(written), 0)
            assert result.reconciled and job.rows() == written
            assert not job.run().changed
        finally:
            for path in files:
                arena.remove(path)
