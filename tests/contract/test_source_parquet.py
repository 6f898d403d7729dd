"""Parquet files in a folder against the contract."""

from __future__ import annotations

from contract.files_contract import FilesContract
from contract.folder_arena import ParquetArena


class TestParquet(FilesContract):
    type = "parquet"
    # Arrow's allocator keeps what a row group needed: 55 MB of a file of 40 MB of text that does not repeat, 76 MB of
    # 120 and of 240 MB, of which 12 MB are in use. A file that is large beside that takes too long to make and to read.
    measures_memory = False
    Arena = ParquetArena
