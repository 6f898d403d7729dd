"""SQLite against the contract, and what only SQLite has: any value in any column."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contract.sources_contract import ANY_PARAMETERS, SourceContract, ids, request_for
from contract.sqlite_arena import SQLiteArena

from b2b_recs.engine import errors

PATHS: tuple[tuple[dict[str, Any], str], ...] = tuple(
    ({"file": text}, "file")
    for text in (
        None, "", " ", "\\\\server\\share.db", "../shop.db", "a/../../b.db", "~root/x.db", "file:shop.db",
        "FILE:///shop.db", "sqlite:///shop.db", ":memory:", "//server/share.db", "c:/x.db", "a\x00b", "x" * 1001,
        "https://example.com/shop.db", " shop.db", "shop.db ",
    )
    if text != ":memory:"
)  # fmt: skip


class TestSQLite(SourceContract):
    type = "sqlite"
    bad_parameters = (*PATHS, *ANY_PARAMETERS, ({"mode": "rw"}, "mode"), ({"database": "x"}, "database"))
    bad_connections = (
        ("no file", {"file": "nothing.db"}, errors.DatabaseMissing, "file"),
        ("a folder", {"file": "folder"}, errors.DatabaseMissing, "file"),
        ("no database", {"file": "notes.txt"}, errors.SourceRefused, "file"),
        ("a link out", {"file": "link.db"}, errors.DatabaseMissing, "file"),
        ("not allowed", {"file": "/etc/hosts"}, errors.AddressForbidden, "file"),
        ("memory", {"file": ":memory:"}, errors.DatabaseMissing, "file"),
    )

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls, tmp_path_factory: pytest.TempPathFactory) -> SQLiteArena:
        folder = tmp_path_factory.mktemp("sqlite") / "allowed"
        arena = SQLiteArena(folder)
        (folder / "folder").mkdir()
        (folder / "notes.txt").write_text("nothing but words " * 200)
        outside = folder.parent / "outside.db"
        outside.write_bytes(arena.path.read_bytes())
        (folder / "link.db").symlink_to(outside)
        return arena

    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.place = tmp_path

    def dialled(self, arena: Any) -> None:
        return None

    @contextlib.contextmanager
    def private_server(self) -> Iterator[SQLiteArena]:
        arena = SQLiteArena(self.place / "private")
        arena.make("large", {"id": "integer", "word": "text"}, [(at, "x" * 500) for at in range(60_000)])
        yield arena

    def test_a_table_dropped_before_reading_is_named(self, source: Any, lines: Any) -> None:
        """A snapshot still has the table; the next look says that it is gone."""
        lines.make("doomed", {"id": "integer"}, [(1,)])
        request = request_for(source, lines, "doomed")
        lines.drop("doomed")
        assert ids(source, request) == [1]
        with pytest.raises(errors.TableMissing) as caught:
            source.columns(lines.schema, "doomed")
        assert "doomed" in caught.value.message
        with pytest.raises(errors.TableMissing):
            list(source.read(request))
