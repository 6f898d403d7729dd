"""Json files in a folder against the contract."""

from __future__ import annotations

from contract.files_contract import FilesContract
from contract.folder_arena import JsonArena


class TestJson(FilesContract):
    type = "json"
    tells_json = False
    Arena = JsonArena
