"""The embedded PostgreSQL survives what machines do to it."""

from __future__ import annotations

import psycopg


def test_server_answers_with_scram_checksums_and_builtin_locale(postgres_server):
    with psycopg.connect(postgres_server.url()) as connection:
        rows = connection.execute(
            "SELECT current_setting('password_encryption'), current_setting('data_checksums'),"
            " datlocprovider, datlocale FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert rows == ("scram-sha-256", "on", "b", "C.UTF-8")
