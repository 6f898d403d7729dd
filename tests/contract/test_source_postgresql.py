"""PostgreSQL against the contract, and what only PostgreSQL has."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contract.postgresql_arena import PostgreSQLArena
from contract.sources_contract import SourceContract, request_for, table_of

from b2b_recs.engine import errors


class TestPostgreSQL(SourceContract):
    type = "postgresql"
    revokes = True
    bad_connections = (
        ("password", {"password": "wrong-canary"}, errors.AuthenticationRefused, "password"),
        ("user", {"username": "nobody-here"}, errors.AuthenticationRefused, "password"),
        ("host", {"host": "no-such-host.invalid"}, errors.HostUnknown, "host"),
        ("port", {"port": 1}, errors.ConnectionRefused, "host"),
        ("database", {"database": "no_such_database"}, errors.DatabaseMissing, "database"),
        ("encryption", {"ssl_mode": "require"}, errors.SourceRefused, "ssl_mode"),
    )

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls, postgres_server: Any) -> PostgreSQLArena:
        return PostgreSQLArena(postgres_server, "contract")

    @pytest.fixture(autouse=True)
    def _servers(self, postgres_server: Any) -> None:
        self.server = postgres_server

    @contextlib.contextmanager
    def private_server(self) -> Iterator[PostgreSQLArena]:
        arena = PostgreSQLArena(self.server, "contract_private")
        arena.execute("CREATE TABLE large AS SELECT g AS id, repeat('x', 500) AS word FROM generate_series(1, 60000) g")
        yield arena

    def test_a_missing_permission_says_what_to_ask_for(self, lines: PostgreSQLArena) -> None:
        lines.execute(
            "DROP TABLE IF EXISTS hidden",
            "CREATE TABLE hidden (id integer)",
            "REVOKE ALL ON hidden FROM reader",
        )
        with lines.open() as source:
            assert "hidden" not in {table.name for table in source.tables()}
            with pytest.raises(errors.PermissionMissing) as caught:
                source.columns("public", "hidden")
            assert "GRANT SELECT on public.hidden" in caught.value.advice
            lines.execute("GRANT SELECT ON hidden TO reader")
            request = request_for(source, lines, "hidden")
            lines.execute("REVOKE SELECT ON hidden FROM reader")
            with pytest.raises(errors.PermissionMissing):
                list(source.read(request))

    @pytest.mark.parametrize(("kind", "keys"), [("char(3)", ("aaa", "aab", "abc")), ("bit(3)", ("001", "010", "110"))])
    def test_a_key_of_a_fixed_length_is_compared_whole(
        self, lines: PostgreSQLArena, kind: str, keys: tuple[str, ...]
    ) -> None:
        values = ", ".join(f"('{key}')" for key in keys)
        lines.execute(
            "DROP TABLE IF EXISTS fixed",
            f"CREATE TABLE fixed (code {kind} PRIMARY KEY)",
            f"INSERT INTO fixed VALUES {values}",
            "GRANT SELECT ON fixed TO reader",
        )
        with lines.open() as source:
            request = request_for(source, lines, "fixed", order_by=("code",), key_after=(keys[1],))
            assert [row["code"] for row in table_of(source, request).to_pylist()] == [keys[2]]

    def test_only_columns_the_login_may_read_are_shown(self, lines: PostgreSQLArena) -> None:
        lines.execute(
            "DROP TABLE IF EXISTS partly",
            "CREATE TABLE partly (id integer, secret text)",
            "REVOKE ALL ON partly FROM reader",
            "GRANT SELECT (id) ON partly TO reader",
            "INSERT INTO partly VALUES (1, 'canary')",
        )
        with lines.open() as source:
            assert table_of(source, request_for(source, lines, "partly")).to_pylist() == [{"id": 1}]

    def test_discovery_equals_the_information_schema(self, lines: PostgreSQLArena) -> None:
        lines.execute(
            "DROP VIEW IF EXISTS seen",
            "DROP TABLE IF EXISTS parted",
            "CREATE VIEW seen AS SELECT id, word FROM lines",
            "CREATE TABLE parted (id integer, at date) PARTITION BY RANGE (at)",
            "CREATE TABLE parted_2024 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
            "INSERT INTO parted VALUES (1, '2024-05-05')",
            "ANALYZE",
        )
        with lines.open() as source:
            found = {table.name: table for table in source.tables() if table.schema == "public"}
            truth = lines.rows(
                "SELECT table_name::text, CASE table_type WHEN 'VIEW' THEN 'view' ELSE 'table' END "
                "FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> 'parted_2024' "
                "AND has_any_column_privilege('reader', format('%I.%I', table_schema, table_name), 'SELECT')"
            )
            assert {(table.name, table.kind) for table in found.values()} == set(truth)
            assert found["lines"].row_estimate == 10
            assert found["parted"].row_estimate == 1
            assert found["seen"].row_estimate is None
            columns = lines.rows(
                "SELECT table_name::text, column_name::text FROM information_schema.columns "
                "WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
            )
            for name in ("lines", "seen", "parted"):
                shown = [column.name for column in source.columns("public", name)]
                assert shown == [column for table, column in columns if table == name]
            assert table_of(source, request_for(source, lines, "parted")).num_rows == 1

    def test_a_table_the_server_has_not_looked_at_yet_has_no_size(self, lines: PostgreSQLArena) -> None:
        lines.execute(
            "DROP TABLE IF EXISTS fresh, empty, split",
            "CREATE TABLE fresh (id integer) WITH (autovacuum_enabled = false)",
            "INSERT INTO fresh SELECT generate_series(1, 1000)",
            "CREATE TABLE empty (id integer) WITH (autovacuum_enabled = false)",
            "ANALYZE empty",
            "CREATE TABLE split (id integer) PARTITION BY RANGE (id)",
            "CREATE TABLE split_low PARTITION OF split FOR VALUES FROM (0) TO (10) WITH (autovacuum_enabled = false)",
            "GRANT SELECT ON fresh, empty, split TO reader",
            "INSERT INTO split VALUES (1)",
        )

        def sizes() -> tuple[int | None, ...]:
            with lines.open() as source:
                found = {table.name: table.size_bytes for table in source.tables()}
            return tuple(found[name] for name in ("fresh", "empty", "split"))

        assert sizes() == (None, 0, None)
        lines.execute("ANALYZE fresh, split")
        fresh, empty, split = sizes()
        assert (fresh, empty, split) == (lines.rows("SELECT pg_relation_size('fresh')")[0][0], 0, 8192)

    def test_the_session_cannot_write(self, lines: PostgreSQLArena) -> None:
        lines.execute("DROP TABLE IF EXISTS open_to_all", "CREATE TABLE open_to_all (id integer)")
        lines.execute("GRANT ALL ON open_to_all TO reader")
        with lines.open() as source:
            session = source._session  # type: ignore[attr-defined]
            for attempt in (
                "WITH gone AS (DELETE FROM public.open_to_all RETURNING *) SELECT * FROM gone",
                "INSERT INTO public.open_to_all VALUES (1)",
                "SELECT 1; DROP TABLE public.open_to_all",
                "COPY public.open_to_all TO PROGRAM 'true'",
            ):
                with pytest.raises(errors.SourceRefused):
                    session.query(attempt)
        assert lines.rows("SELECT count(*) FROM open_to_all") == [(0,)]

    def test_a_server_stopped_in_the_middle_of_reading_is_a_lost_connection(self, reachable_folder: Path) -> None:
        from postgres_support import FAST, PostgresServer

        from b2b_recs.runtime.postgres import EmbeddedPostgres

        embedded = EmbeddedPostgres(
            reachable_folder / "killed", secrets.token_hex(16), settings=FAST, store=reachable_folder / "store"
        )
        with embedded:
            arena = PostgreSQLArena(PostgresServer(embedded), "doomed")
            arena.execute(
                "CREATE TABLE large AS SELECT g AS id, repeat('x', 500) AS word FROM generate_series(1, 60000) g"
            )
            with arena.open() as source:
                batches = source.read(request_for(source, arena, "large", batch_bytes=64 * 1024))
                next(batches)
                embedded.stop()
                with pytest.raises(errors.ConnectionLost):
                    list(batches)
                with pytest.raises(errors.SourceRefused):
                    source.tables()
