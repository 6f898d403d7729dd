"""Parquet files in a folder against the contract."""

from __future__ import annotations

from contract.files_contract import FilesContract
from contract.folder_arena import ParquetArena


class TestParquet(FilesContract):
    type = "parquet"
    # Text that repeats is so small in a Parquet file that its batches come out larger: 54 MB, however long the file.
    measures_memory = False
    Arena = ParquetArena
