"""Excel files in a folder against the contract."""

from __future__ import annotations

from contract.files_contract import FilesContract
from contract.folder_arena import ExcelArena


class TestExcel(FilesContract):
    type = "excel"
    Arena = ExcelArena
