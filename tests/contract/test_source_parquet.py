"""Parquet files in a folder against the contract."""

from __future__ import annotations

import secrets

from contract.files_contract import FilesContract
from contract.folder_arena import ParquetArena


class TestParquet(FilesContract):
    type = "parquet"
    # Arrow's allocator keeps what a row group needed (76 MB of a file of 240 MB, of which 12 MB are in use), beside
    # which a file that is made and read in a moment is small. So what is in use is measured: 7 MB of 20.
    memory_of = "arrow"
    measured = (20_000, 1_000)
    Arena = ParquetArena

    @staticmethod
    def make_heavy(arena: ParquetArena, table: str, rows: int, text: int) -> None:
        """Text that does not repeat, of which the file holds every byte."""
        words = [secrets.token_hex(text // 2) for _ in range(rows)]
        arena.make(table, {"id": "integer", "word": "text"}, list(enumerate(words)))
