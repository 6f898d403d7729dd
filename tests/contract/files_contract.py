"""What the suites of files in a folder share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from contract.folder_arena import FolderArena
from contract.loaded_files_contract import LoadedFilesContract
from contract.sources_contract import ANY_PARAMETERS, SourceContract

from b2b_recs.engine import errors

PATHS: tuple[tuple[dict[str, Any], str], ...] = tuple(
    ({"location": text}, "location")
    for text in (
        None, "", " ", "\\\\server\\share", "..", "a/../../b", "~root", "file:///etc", "FILE:/etc", " file:/etc",
        "jar:file:/x!/y", "http://files.example.com/a.csv", "ftp://files.example.com/a.csv", "//server/share",
        "c:/x", "a\x00b", "x" * 21_000, "https://", "https:///a.csv", "https://user:canary@files.example.com/a.csv",
        "https://files.example.com", "https://files.example.com/", "https://files.example.com:0/a.csv",
        "https://files.example.com:99999/a.csv", "https://files.example.com\\a.csv", "https://[::1/a.csv",
        "https://files.example.com/a.csv file:///etc/passwd", "HTTPS://files.example.com/a.csv", "https:/x/a.csv",
        " https://files.example.com/a.csv",
    )
)  # fmt: skip


class FilesContract(LoadedFilesContract, SourceContract):
    keyed = False
    dials = False
    bad_parameters = (*PATHS, *ANY_PARAMETERS, ({"ca_certificate": "canary"}, "ca_certificate"))
    bad_connections = (
        ("no such folder", {"location": "no-such-folder"}, errors.SourceRefused, "location"),
        ("not allowed", {"location": "/etc"}, errors.AddressForbidden, "location"),
        ("a file", {"location": lambda arena: arena.file_of("lines")}, errors.SourceRefused, "location"),
        ("no address", {"location": "https://no-such-host.invalid/a.csv"}, errors.HostUnknown, "location"),
        ("nothing listens", {"location": "https://127.0.0.1:1/a.csv"}, errors.ConnectionRefused, "location"),
        ("a way out", {"location": lambda arena: arena.leading_out()}, errors.AddressForbidden, "location"),
    )
    Arena: ClassVar[type[FolderArena]]

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls, tmp_path_factory: pytest.TempPathFactory) -> FolderArena:
        return cls.Arena(tmp_path_factory.mktemp(cls.type) / "folder")

    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.place = tmp_path

    @contextlib.contextmanager
    def private_server(self) -> Iterator[FolderArena]:
        arena = self.Arena(self.place / "private")
        arena.make("large", {"id": "integer", "word": "text"}, [(at, "x" * 500) for at in range(self.large_rows)])
        yield arena

    large_rows: ClassVar[int] = 60_000
