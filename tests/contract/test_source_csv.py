"""Csv files in a folder against the contract."""

from __future__ import annotations

from contract.files_contract import FilesContract
from contract.folder_arena import CsvArena


class TestCsv(FilesContract):
    type = "csv"
    measured = (100_000, 1_000)
    Arena = CsvArena
