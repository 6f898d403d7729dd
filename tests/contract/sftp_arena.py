"""A folder on an SFTP server as the source contract's suite needs it."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any, ClassVar

from contract.stored_files_arena import StoredFilesArena
from sftp_server import PASSWORD, USER, SftpServer


class SftpArena(StoredFilesArena):
    """A folder of the server, one subfolder for each arena."""

    type: ClassVar[str] = "sftp"

    def __init__(self, server: SftpServer, form: str, folder: str) -> None:
        super().__init__(server.port, form)
        self.server = server
        self.folder = folder
        self.root = Path(server.folder) / folder
        self.root.mkdir(parents=True, exist_ok=True)
        self._seconds = itertools.count(1_700_000_000)

    def put(self, name: str, content: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        # The protocol tells times in seconds, and a test writes several times within one.
        seconds = next(self._seconds)
        os.utime(path, (seconds, seconds))

    def remove(self, name: str) -> None:
        (self.root / name).unlink()

    def listed(self) -> dict[str, int]:
        found = (path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink())
        return {str(path.relative_to(self.root)): path.stat().st_size for path in found}

    def parameters(self, **changes: Any) -> dict[str, Any]:
        if "folder" in changes and changes["folder"] is not None:
            changes["folder"] = f"{self.folder}/{changes['folder']}"
        good = {
            "host": "sftp.store.test",
            "port": self.relay.port,
            "username": USER,
            "password": PASSWORD,
            "host_key": self.server.fingerprint,
            "folder": self.folder,
            "format": self.form,
        }
        return good | changes
