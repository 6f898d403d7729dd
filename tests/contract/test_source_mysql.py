"""MySQL and MariaDB against the contract, and what only their family has."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from contract.mysql_arena import MySQLArena
from contract.mysql_matrix import MATRIX, NOT_ON_THIS_SERVER, SETUP, Refused
from contract.sources_contract import ODD_NAMES, SourceContract, eventually, request_for, table_of
from mariadb_support import SERVER_NAME, MariaDBServer, certificates

from b2b_recs.engine import errors
from b2b_recs.engine.sources.contract import Window
from b2b_recs.engine.sources.mysql.types import RULES

# The server's names have no characters beyond the basic plane and do not end with a blank.
OWN_ODD_NAMES = (
    *(name for name in ODD_NAMES if name not in ("🛒 emoji ünïcode", " spaces ")),
    "ünïcode 漢字",
    " space",
    "x" * 64,
)


class OfTheFamily(SourceContract):
    """What both types promise; each is a class of its own below."""

    revokes = True
    odd_names = OWN_ODD_NAMES
    impossible_names = (*SourceContract.impossible_names, "🛒", "ends with a blank ")
    bad_connections = (
        ("password", {"password": "wrong-canary"}, errors.AuthenticationRefused, "password"),
        ("user", {"username": "nobody-here"}, errors.AuthenticationRefused, "password"),
        ("host", {"host": "no-such-host.invalid"}, errors.HostUnknown, "host"),
        ("port", {"port": 1}, errors.ConnectionRefused, "host"),
        ("database", {"database": "no_such_database"}, errors.DatabaseMissing, "database"),
        ("certificate", {"ssl_mode": "verify-full"}, errors.SourceRefused, "ssl_mode"),
    )

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls, mariadb_server: MariaDBServer) -> MySQLArena:
        return MySQLArena(mariadb_server, cls.type)

    @staticmethod
    def make_heavy(arena: MySQLArena, table: str, rows: int, text: int) -> None:
        made = f"SELECT seq - 1 AS id, repeat('x', {text}) AS word FROM seq_1_to_{rows}"
        arena.execute(f"CREATE OR REPLACE TABLE {table} AS {made}")

    @pytest.fixture(autouse=True)
    def _servers(self, mariadb_server: MariaDBServer) -> None:
        self.server = mariadb_server

    @contextlib.contextmanager
    def private_server(self) -> Iterator[MySQLArena]:
        arena = MySQLArena(self.server, self.type, "private")
        arena.execute("CREATE TABLE large AS SELECT seq AS id, repeat('x', 500) AS word FROM seq_1_to_60000")
        yield arena


class TestMySQL(OfTheFamily):
    type = "mysql"


class TestMariaDB(OfTheFamily):
    type = "mariadb"

    def test_a_missing_permission_says_what_to_ask_for(self, lines: MySQLArena) -> None:
        name = f"{lines.database}_other"
        lines.execute(
            f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}", f"CREATE TABLE {name}.hidden (id integer)",
            f"INSERT INTO {name}.hidden VALUES (1)", f"GRANT SELECT ON {name}.hidden TO {lines.reader}",
        )  # fmt: skip
        with lines.open() as source:
            columns = source.columns(name, "hidden")
            request = request_for(source, lines, "lines")
            lines.execute(f"REVOKE SELECT ON {name}.hidden FROM {lines.reader}")
            with pytest.raises((errors.PermissionMissing, errors.TableMissing)):
                source.columns(name, "hidden")
            assert columns and table_of(source, request).num_rows == 10
        with pytest.raises(errors.DatabaseMissing) as caught:
            lines.open(database=name)
        assert f"GRANT SELECT ON {name}.*" in caught.value.advice

    def test_only_columns_the_login_may_read_are_shown(self, lines: MySQLArena) -> None:
        name = f"{lines.database}_partly"
        lines.execute(
            f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}",
            f"CREATE TABLE {name}.partly (id integer, secret text)", f"INSERT INTO {name}.partly VALUES (1, 'canary')",
            f"CREATE TABLE {name}.written (id integer)", f"GRANT INSERT ON {name}.written TO {lines.reader}",
            f"GRANT SELECT (id) ON {name}.partly TO {lines.reader}",
        )  # fmt: skip
        with lines.open(database=name) as source:
            assert [table.name for table in source.tables()] == ["partly"]
            assert [column.name for column in source.columns(name, "partly")] == ["id"]
            with pytest.raises(errors.PermissionMissing) as caught:
                source.columns(name, "written")
            assert f"GRANT SELECT ON {name}.written" in caught.value.advice

    def test_discovery_equals_the_information_schema(self, lines: MySQLArena) -> None:
        lines.execute(
            "DROP VIEW IF EXISTS seen", "CREATE VIEW seen AS SELECT id, word FROM `lines`", "DROP TABLE IF EXISTS kept",
            "CREATE TABLE kept (a integer, b integer, c varchar(9), PRIMARY KEY (c, a))",
            "INSERT INTO kept VALUES (1, 1, 'x')", "ANALYZE TABLE `lines`, kept",
        )  # fmt: skip
        with lines.open() as source:
            found = {table.name: table for table in source.tables()}
            truth = lines.rows(
                "SELECT table_name, IF(table_type = 'VIEW', 'view', 'table') FROM information_schema.tables "
                f"WHERE table_schema = '{lines.database}'"
            )
            assert {(table.name, table.kind) for table in found.values()} == set(truth)
            assert found["lines"].row_estimate == 10
            assert found["seen"].row_estimate is None
            changed = found["kept"].last_change
            assert changed is not None and abs((datetime.now(UTC) - changed).total_seconds()) < 600
            assert [column.key_position for column in source.columns(lines.schema, "kept")] == [2, None, 1]
            for name in ("lines", "seen", "kept"):
                listed = lines.rows(
                    "SELECT column_name FROM information_schema.columns "
                    f"WHERE table_schema = '{lines.database}' AND table_name = '{name}' ORDER BY ordinal_position"
                )
                assert [column.name for column in source.columns(lines.schema, name)] == [name for (name,) in listed]

    def test_the_session_cannot_write(self, lines: MySQLArena) -> None:
        lines.execute("DROP TABLE IF EXISTS open_to_all", "CREATE TABLE open_to_all (id integer)")
        lines.execute(f"GRANT ALL ON {lines.database}.open_to_all TO {lines.reader}")
        with lines.open() as source:
            session = source._session  # type: ignore[attr-defined]
            for attempt in (
                "INSERT INTO open_to_all VALUES (1)", "DELETE FROM open_to_all", "DROP TABLE open_to_all",
                "SELECT 1; DROP TABLE open_to_all", "SELECT 1 INTO OUTFILE '/tmp/b2b-recs-written'",
            ):  # fmt: skip
                with pytest.raises(errors.SourceRefused):
                    session.query(attempt)
        assert lines.rows("SELECT count(*) FROM open_to_all") == [(0,)]

    def test_the_certificate_must_be_of_the_authority_and_of_the_host(self, lines: MySQLArena, tmp_path: Any) -> None:
        verified = {"ssl_mode": "verify-full", "ca_certificate": lines.server.authority}

        def local(host: str, port: int) -> str:
            return "127.0.0.1"

        from b2b_recs.engine.sources.registry import open_source

        good = lines.parameters(**verified, host=SERVER_NAME)
        with open_source("mariadb", good, local) as source:
            assert source.tables()
        for changes in ({"host": "other.example.com"}, {"ca_certificate": certificates(tmp_path)}):
            with pytest.raises(errors.SourceRefused) as caught:
                open_source("mariadb", {**good, **changes}, local)
            assert caught.value.field == "ssl_mode"
        with lines.open(ssl_mode="require") as source:
            assert source._session._client.encrypted  # type: ignore[attr-defined]
        with lines.open(ssl_mode="disable") as source:
            assert not source._session._client.encrypted  # type: ignore[attr-defined]

    def test_a_statement_that_sorts_is_ended_on_the_server_too(self, lines: MySQLArena) -> None:
        lines.execute("DROP TABLE IF EXISTS sorted")
        lines.execute("CREATE TABLE sorted AS SELECT seq AS id, md5(seq) AS word FROM seq_1_to_400000")
        with lines.open() as source:
            request = request_for(source, lines, "sorted", order_by=("word", "id"), batch_bytes=64 * 1024)
            started = time.monotonic()
            with pytest.raises(errors.Cancelled):
                list(source.read(request, lambda: time.monotonic() > started + 0.3))
            working = f"information_schema.PROCESSLIST WHERE USER = '{lines.reader}' AND COMMAND = 'Query'"
            assert eventually(lambda: not lines.rows(f"SELECT 1 FROM {working}"))
            assert source.count(request) == 400_000

    def test_a_locked_table_is_given_up_in_time(self, lines: MySQLArena, monkeypatch: pytest.MonkeyPatch) -> None:
        lines.make("locked", {"id": "integer"}, [(1,)])
        with lines.open() as source:
            request = request_for(source, lines, "locked")
            source._session.query("SET SESSION lock_wait_timeout = 1")  # type: ignore[attr-defined]
            with lines.server.connect(lines.database) as other, other.cursor() as cursor:
                cursor.execute("LOCK TABLES locked WRITE")
                with pytest.raises(errors.SourceTimeout):
                    source.count(request)
            assert source.count(request) == 1

    def test_rows_larger_than_a_packet_are_read(self, lines: MySQLArena) -> None:
        lines.execute(
            "SET GLOBAL max_allowed_packet = 128 * 1024 * 1024", "DROP TABLE IF EXISTS huge",
            "CREATE TABLE huge (id integer PRIMARY KEY, word longtext, bytes longblob)",
        )  # fmt: skip
        lines.execute(
            "INSERT INTO huge VALUES (1, 'a', 'b'), (2, repeat('x', 16777211), NULL), (3, repeat('y', 40000000), 'c'), "
            "(4, repeat('z', 70000), repeat('w', 300)), (5, NULL, ''), (6, repeat('q', 16777206), NULL)"
        )
        with lines.open() as source:
            request = request_for(source, lines, "huge", order_by=("id",), batch_bytes=256 * 1024)
            found = table_of(source, request)
        assert [len(word) if word is not None else None for word in found["word"].to_pylist()] == [
            1, 16777211, 40000000, 70000, None, 16777206,
        ]  # fmt: skip
        assert found["bytes"].to_pylist() == [b"b", None, b"c", b"w" * 300, b"", None]
        assert set(found["word"].to_pylist()[2]) == {"y"}

    def test_a_server_stopped_in_the_middle_of_reading_is_a_lost_connection(self, own_mariadb: MariaDBServer) -> None:
        arena = MySQLArena(own_mariadb, "mariadb", "doomed")
        arena.execute("CREATE TABLE large AS SELECT seq AS id, repeat('x', 500) AS word FROM seq_1_to_60000")
        with arena.open() as source:
            batches = source.read(request_for(source, arena, "large", batch_bytes=64 * 1024))
            next(batches)
            own_mariadb.stop()
            with pytest.raises(errors.ConnectionLost):
                list(batches)
            with pytest.raises(errors.SourceRefused):
                source.tables()


def assert_same(found: Any, expected: Any) -> None:
    """Equal to the last digit and the sign of zero."""
    assert found == expected
    assert str(found) == str(expected) or isinstance(expected, datetime)


class TestTypes:
    """The type matrix, on a real server."""

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls, mariadb_server: MariaDBServer) -> MySQLArena:
        return MySQLArena(mariadb_server, "mariadb", "matrix")

    @pytest.mark.parametrize(("source_type", "warehouse", "values"), MATRIX, ids=[row[0] for row in MATRIX])
    def test_what_is_read_equals_what_was_written_or_is_rejected(
        self, arena: MySQLArena, source_type: str, warehouse: str, values: list[tuple[str, Any]]
    ) -> None:
        filled = ", ".join(f"({at}, {sql})" for at, (sql, _) in enumerate(values))
        arena.execute(
            *SETUP, "DROP TABLE IF EXISTS typed", f"CREATE TABLE typed (id integer PRIMARY KEY, value {source_type})",
            f"INSERT INTO typed VALUES {filled}, (1000, NULL)",
        )  # fmt: skip
        with arena.open() as source:
            request = request_for(source, arena, "typed", order_by=("id",))
            batches = list(source.read(request))
        assert str(request.columns[1].warehouse_type) == warehouse
        good = {row["id"]: row["value"] for batch in batches for row in batch.rows.to_pylist()}
        refused = {int(str(row.row["id"])): row for batch in batches for row in batch.rejected}
        assert good.pop(1000) is None
        for at, (_, expected) in enumerate(values):
            if isinstance(expected, Refused):
                assert refused.pop(at).column == "value"
            else:
                assert_same(good.pop(at), expected)
        assert not good and not refused

    @pytest.mark.parametrize("kind", ["date", "datetime(6)", "timestamp NULL"])
    def test_zero_dates_can_be_asked_for_beside_a_window(self, arena: MySQLArena, kind: str) -> None:
        arena.execute(*SETUP, "DROP TABLE IF EXISTS odd", f"CREATE TABLE odd (id int, v {kind})")
        arena.execute(
            *SETUP, "INSERT INTO odd VALUES (1, '2024-01-02'), (2, '0000-00-00'), (3, '2024-01-01'), (4, NULL)"
        )
        with arena.open() as source:
            largest = source.max_cursor(arena.schema, "odd", "v")
            assert (largest or "").startswith("2024-01-02")
            window = Window("v", largest, largest, lower_inclusive=True, beyond=True)
            assert source.count(request_for(source, arena, "odd", window=window)) == 2

    def test_the_matrix_covers_every_type_that_has_a_rule(self, arena: MySQLArena) -> None:
        covered = set()
        for _at, (source_type, _, _) in enumerate(MATRIX):
            arena.execute("DROP TABLE IF EXISTS one", f"CREATE TABLE one (value {source_type})")
            with arena.open() as source:
                covered.add(source.columns(arena.schema, "one")[0].base_type)
        assert covered | NOT_ON_THIS_SERVER == set(RULES)
