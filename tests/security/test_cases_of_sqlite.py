"""Known failures of other systems that concern databases that are files: views, statements, names, damage."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from contract.sqlite_arena import SQLiteArena
from security.files_of_a_folder import ID, laid_out

from b2b_recs.engine.errors import EngineError, SourceRefused
from b2b_recs.engine.sources.contract import ReadRequest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return laid_out(tmp_path)


@pytest.fixture
def arena(folder: Path) -> SQLiteArena:
    """A file whose owner is malicious: views and triggers that try to do more than read."""
    made = SQLiteArena(folder / "shop")
    made.execute("CREATE TABLE ledger (id INTEGER PRIMARY KEY)", "CREATE INDEX again ON ledger (id)")
    made.execute("INSERT INTO ledger VALUES (1)")
    return made


VIEWS = {
    "loads": "SELECT load_extension('/tmp/evil.so') AS id",
    "reads": "SELECT readfile('/etc/passwd') AS id",
    "writes": "SELECT writefile('/tmp/canary', 'x') AS id",
    "edits": "SELECT edit('x', 'vi') AS id",
    "fills": "SELECT length(randomblob(1000000000)) AS id",
    "asks": "SELECT name AS id FROM pragma_database_list",
    "tokens": "SELECT fts3_tokenizer('simple') AS id",
    "journals": "SELECT journal_mode AS id FROM pragma_journal_mode('delete')",
}


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_a_view_can_do_nothing_but_select(arena: SQLiteArena, view: str) -> None:
    try:
        arena.execute(f"CREATE VIEW {view} AS {VIEWS[view]}")
    except sqlite3.OperationalError as error:
        pytest.skip(f"this SQLite cannot even hold it: {error}")
    with arena.open() as source:
        with pytest.raises(EngineError):
            source.samples("main", view, ["id"])
        assert source.samples("main", "ledger", ["id"]) == {"id": ["1"]}


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM ledger", "INSERT INTO ledger VALUES (2)", "DROP TABLE ledger", "ATTACH '/etc/passwd' AS x",
     "ATTACH 'file:other.db?mode=rwc' AS x", "DETACH main", "VACUUM", "VACUUM INTO '/tmp/canary.db'",
     "PRAGMA query_only = OFF", "PRAGMA writable_schema = ON", "PRAGMA journal_mode = DELETE",
     "PRAGMA temp_store_directory = '/tmp'",
     "CREATE TEMP TABLE x (id)", "CREATE TEMP TRIGGER x AFTER INSERT ON ledger BEGIN SELECT 1; END", "REINDEX",
     "ANALYZE", "CREATE VIRTUAL TABLE x USING fts5(a)", "SELECT load_extension('x')", "PRAGMA trusted_schema = ON",
     "ALTER TABLE ledger ADD x", "SELECT 1; DELETE FROM ledger"],
)  # fmt: skip
def test_the_session_can_do_nothing_but_select(arena: SQLiteArena, statement: str) -> None:
    with arena.open() as source:
        session = source._session  # type: ignore[attr-defined]
        if statement.startswith(("PRAGMA query_only", "PRAGMA trusted")):
            session.query(statement)  # may be said: the file itself is opened for reading, views are still held back
            for write in ("DELETE FROM ledger", "CREATE TABLE x (id)"):
                with pytest.raises(EngineError):
                    session.query(write)
        else:
            with pytest.raises(EngineError):
                session.query(statement)
    assert arena.rows("SELECT id FROM ledger") == [(1,)]
    assert not Path("/tmp/canary.db").exists()


def test_a_view_without_end_is_stopped(arena: SQLiteArena, monkeypatch: pytest.MonkeyPatch) -> None:
    from b2b_recs.engine.sources.sqlite import session

    monkeypatch.setattr(session, "QUESTION_SECONDS", 0.3)
    monkeypatch.setattr(session, "READ_SECONDS", 0.3)
    arena.execute(
        "CREATE VIEW endless AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) "
        "SELECT id FROM n WHERE id < 0"
    )
    with arena.open() as source:
        for ask in (
            lambda: source.samples("main", "endless", ["id"]),
            lambda: source.count(ReadRequest("main", "endless", ())),
            lambda: list(source.read(ReadRequest("main", "endless", ID))),
        ):
            with pytest.raises(EngineError) as caught:
                ask()
            assert "too long" in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["ledger`; DELETE FROM ledger; --", 'ledger"; DELETE FROM ledger; --', "ledger]", "ledger' --", "main.ledger",
     "sqlite_schema", "sqlite_master", "sqlite_temp_schema", "pragma_database_list", "(SELECT 1)",
     "ledger\x00", "json_each", "generate_series(1,9)"],
)  # fmt: skip
def test_no_name_is_ever_carried_out(arena: SQLiteArena, name: str) -> None:
    with arena.open() as source:
        for schema, table, column in (("main", name, "id"), (name, "ledger", "id"), ("main", "ledger", name)):
            with pytest.raises(EngineError):
                source.samples(schema, table, [column])
            with pytest.raises(EngineError):
                source.max_cursor(schema, table, column)
    assert arena.rows("SELECT id FROM ledger") == [(1,)]


@pytest.mark.parametrize("name", ["shop.db?mode=rwc", "shop.db?vfs=memdb", "shop.db#x", "shop.db%00", "%73hop.db"])
def test_a_file_name_is_no_address_with_options(arena: SQLiteArena, name: str) -> None:
    with pytest.raises(SourceRefused) as caught:
        arena.open(file=str(arena.path.parent / name))
    assert caught.value.field == "file"
    assert sorted(path.name for path in arena.path.parent.iterdir() if "-" not in path.name) == ["shop.db"]


def test_a_damaged_file_is_told(arena: SQLiteArena) -> None:
    arena.make("large", {"id": "integer", "word": "text"}, [(at, "x" * 500) for at in range(5_000)])
    arena.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(arena.path.read_bytes())
    content[8192:200_000] = os.urandom(200_000 - 8192)
    arena.path.write_bytes(bytes(content))
    with pytest.raises(SourceRefused), arena.open() as source:
        source.columns("main", "large")
        list(source.read(ReadRequest("main", "large", ID)))
