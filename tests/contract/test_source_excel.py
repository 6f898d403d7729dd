"""Excel files in a folder against the contract."""

from __future__ import annotations

from datetime import timedelta

from contract.files_contract import FilesContract
from contract.folder_arena import ExcelArena


class TestExcel(FilesContract):
    type = "excel"
    heavy_text = 8_000
    Arena = ExcelArena
    # Excel keeps days as binary fractions.
    tick = timedelta(milliseconds=1)
    heavy_rows = 3_000
    large_rows = 12_000
