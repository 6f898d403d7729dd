"""Amazon Redshift against the contract on its stand-in, and the words that Redshift would not know."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from contract.postgresql_matrix import Refused
from contract.redshift_arena import RedshiftArena
from contract.redshift_matrix import MADE, MATRIX
from contract.sources_contract import SourceContract, request_for

from b2b_recs.engine import errors
from b2b_recs.engine.sources.contract import Source, Window
from b2b_recs.engine.sources.redshift.types import RULES, rule_for


class TestRedshift(SourceContract):
    type = "redshift"
    revokes = True
    bad_connections = (
        ("password", {"password": "wrong-canary"}, errors.AuthenticationRefused, "password"),
        ("user", {"username": "nobody-here"}, errors.AuthenticationRefused, "password"),
        ("host", {"host": "no-such-host.invalid"}, errors.HostUnknown, "host"),
        ("port", {"port": 1}, errors.ConnectionRefused, "host"),
        ("database", {"database": "no_such_database"}, errors.DatabaseMissing, "database"),
        ("encryption", {"ssl_mode": "verify-full"}, errors.SourceRefused, "ssl_mode"),
    )

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls, postgres_server: Any) -> RedshiftArena:
        return RedshiftArena(postgres_server)

    @pytest.fixture(autouse=True)
    def _servers(self, postgres_server: Any) -> None:
        self.server = postgres_server

    @contextlib.contextmanager
    def private_server(self) -> Iterator[RedshiftArena]:
        arena = RedshiftArena(self.server, "redshift_private")
        arena.execute("CREATE TABLE large AS SELECT g AS id, repeat('x', 500) AS word FROM generate_series(1, 60000) g")
        yield arena

    def test_totals_are_exact(self, source: Source, lines: Any) -> None:
        # Two tables: Redshift has no savepoints, so that a snapshot keeps what it read from being dropped.
        columns = {"id": "integer", "amount": "decimal"}
        for table, amounts, total in (
            ("money", [Decimal("12345678.91"), Decimal("12345678.91"), Decimal("-0.01")], Decimal("24691357.81")),
            ("no_money", [None], None),
        ):
            lines.make(table, columns, list(enumerate(amounts, start=1)))
            request = request_for(source, lines, table)
            ids = Decimal(sum(range(1, len(amounts) + 1)))
            assert source.totals(request, ["id", "amount"]) == {"id": ids, "amount": total}

    @pytest.mark.parametrize(
        ("kind", "good", "odd"),
        [
            ("double precision", "1.5", ["NaN", "Infinity", "-Infinity"]),
            ("timestamp", "2024-01-02 00:00:00", ["20226-02-01"]),
            ("date", "2024-01-02", ["20226-02-01"]),
        ],
    )
    def test_values_that_end_no_window_can_be_asked_for(self, lines: Any, kind: str, good: str, odd: list[str]) -> None:
        rows = ", ".join(f"('{value}'::{kind})" for value in [good, *odd])
        lines.execute("DROP TABLE IF EXISTS odd", f"CREATE TABLE odd (v {kind})", f"INSERT INTO odd VALUES {rows}")
        with lines.open() as source:
            request = request_for(source, lines, "odd", window=Window("v", good, good, lower_inclusive=True))
            assert source.max_cursor("public", "odd", "v") == good
            assert source.count(request) == 1
            beyond = replace(request, window=Window("v", good, good, lower_inclusive=True, beyond=True))
            assert source.count(beyond) == 1 + len(odd)

    @pytest.mark.parametrize(("kind", "warehouse", "values"), MATRIX, ids=[kind for kind, _, _ in MATRIX])
    def test_every_type_is_read_exactly_or_rejected(
        self, lines: Any, kind: str, warehouse: str, values: list[tuple[str, Any]]
    ) -> None:
        rows = ", ".join(f"({at}, {value}::{kind})" for at, (value, _) in enumerate([*values, ("NULL", None)]))
        lines.execute(
            "DROP TABLE IF EXISTS typed",
            *domains(*({kind} & set(MADE))),
            f"CREATE TABLE typed (id integer, v {kind})",
            f"INSERT INTO typed VALUES {rows}",
        )
        with lines.open() as source:
            request = request_for(source, lines, "typed", order_by=("id",))
            assert request.columns[1].warehouse_type.value == warehouse
            batches = list(source.read(request))
        found = {row["id"]: row["v"] for batch in batches for row in batch.rows.to_pylist()}
        reasons = {int(row.row["id"] or 0): row.reason for batch in batches for row in batch.rejected}
        assert found.pop(len(values)) is None
        for at, (_, wanted) in enumerate(values):
            if isinstance(wanted, Refused):
                assert wanted.words in reasons.pop(at)
            else:
                assert same(found.pop(at), wanted)
        assert found == reasons == {}

    def test_the_matrix_covers_every_type_that_has_a_rule(self, lines: Any) -> None:
        listed = ", ".join(f"c{at} {kind}" for at, (kind, _, _) in enumerate(MATRIX))
        lines.execute("DROP TABLE IF EXISTS typed, every", *domains(*MADE), f"CREATE TABLE every ({listed})")
        with lines.open() as source:
            columns = source.columns("public", "every")
        lines.execute("DROP TABLE every")
        named = {id(rule): name for name, rule in RULES.items()}
        covered = {named[id(rule_for(column))] for column in columns}
        assert covered | {column.base_type for column in columns} & set(RULES) == set(RULES)

    def test_the_session_cannot_write(self, lines: Any) -> None:
        lines.execute("DROP TABLE IF EXISTS open_to_all", "CREATE TABLE open_to_all (id integer)")
        lines.execute("GRANT ALL ON open_to_all TO reader")
        with lines.open() as source:
            for attempt in ("INSERT INTO public.open_to_all VALUES (1)", "CREATE TABLE public.mine (id integer)"):
                with pytest.raises(errors.SourceRefused):
                    source._session.query(attempt, "the table")
        assert lines.rows("SELECT count(*) FROM open_to_all") == [(0,)]

    def test_a_login_that_may_not_see_sizes_still_lists_tables(self, lines: Any) -> None:
        lines.execute("ANALYZE lines")
        with lines.open() as source:
            assert {table.name: table.row_estimate for table in source.tables()}["lines"] == 10
            lines.execute("REVOKE SELECT ON standin.svv_table_info FROM reader")
            try:
                assert {table.name: table.row_estimate for table in source.tables()}["lines"] is None
            finally:
                lines.execute("GRANT SELECT ON standin.svv_table_info TO reader")

    def test_a_missing_permission_says_what_to_ask_for(self, lines: Any) -> None:
        lines.execute(
            "DROP TABLE IF EXISTS hidden", "CREATE TABLE hidden (id integer)", "REVOKE ALL ON hidden FROM reader"
        )
        with lines.open() as source:
            assert "hidden" not in {table.name for table in source.tables()}
            with pytest.raises(errors.PermissionMissing) as caught:
                source.columns("public", "hidden")
            assert "GRANT SELECT on public.hidden" in caught.value.advice

    def test_no_statement_has_words_newer_than_redshift(self, lines: Any) -> None:
        spoken: list[str] = []
        with lines.open() as source:
            session = source._session
            run = session._run
            session._run = lambda sql, subject: spoken.append(sql) or run(sql, subject)
            source.check()
            request = request_for(
                source,
                lines,
                "lines",
                order_by=("at", "id"),
                window=Window("at"),
                key_after=("2024-01-01 00:00:00", "1"),
            )
            source.count(request)
            source.totals(request, ["id"])
            source.max_cursor("public", "lines", "at")
            source.samples("public", "lines", ["id", "at"], 3)
            list(source.read(request))
        newer = r"TABLESAMPLE|LATERAL|isfinite|FILTER \(|SAVEPOINT|ILIKE ANY|WITH RECURSIVE|::|E'|ON CONFLICT|\) > \("
        assert len(spoken) > 10
        assert [sql for sql in spoken if re.search(newer, sql)] == []


def domains(*kinds: str) -> list[str]:
    """What makes domains of text in the place of types that only Redshift has."""
    return [f"{words} {kind}{of}" for kind in kinds
            for words, of in (("DROP DOMAIN IF EXISTS", ""), ("CREATE DOMAIN", " AS text"))]  # fmt: skip


def same(read: Any, wanted: Any) -> bool:
    """Whether a value is what was written; NaN is itself."""
    return read == wanted or (isinstance(wanted, float) and wanted != wanted and read != read)
