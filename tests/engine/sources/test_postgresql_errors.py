"""The driver's words become the engine's errors without a secret in them."""

from __future__ import annotations

import pytest

from b2b_recs.engine import errors
from b2b_recs.engine.sources.postgresql.connection import conninfo
from b2b_recs.engine.sources.postgresql.errors import connect_error, own_words, statement_error
from b2b_recs.engine.sources.postgresql.parameters import PostgreSQLParameters

SECRET = "can'ary\\ 7"
PARAMETERS = PostgreSQLParameters(host="shop.example", database="shop", username="reader", password=SECRET)
FRAME = 'IO: [libpq] Failed to connect: connection to server at "192.0.2.1", port 5432 failed: '


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('FATAL:  password authentication failed for user "reader"', errors.AuthenticationRefused),
        ('FATAL:  role "reader" does not exist', errors.AuthenticationRefused),
        ('FATAL:  no pg_hba.conf entry for host "192.0.2.9", no encryption', errors.AuthenticationRefused),
        ('FATAL:  database "shop" does not exist', errors.DatabaseMissing),
        ('FATAL:  permission denied for database "shop"', errors.PermissionMissing),
        ("Connection refused\n\tIs the server running on that host?", errors.ConnectionRefused),
        ("timeout expired", errors.ConnectionRefused),
        ("No route to host", errors.ConnectionRefused),
        ("server does not support SSL, but SSL was required", errors.SourceRefused),
        ("FATAL:  sorry, too many clients already", errors.SourceRefused),
        (
            'authentication method requirement "!password" failed: server requested a cleartext password',
            errors.SourceRefused,
        ),
        ("FATAL:  something new", errors.SourceRefused),
    ],
)
def test_a_refused_connection_has_its_class(text: str, expected: type[errors.EngineError]) -> None:
    error = connect_error(Exception(FRAME + text + f" with {SECRET}"), PARAMETERS)
    assert type(error) is expected
    assert "shop" in error.message or "reader" in error.message
    assert SECRET not in str(error)
    assert error.advice


def test_a_servers_words_and_the_advice_are_two_sentences() -> None:
    error = connect_error(Exception(f"{FRAME}server does not support SSL, but SSL was required"), PARAMETERS)
    assert "but SSL was required. Choose another encryption" in str(error)


def test_closed_and_filtered_ports_say_the_same() -> None:
    closed = connect_error(Exception(FRAME + "Connection refused"), PARAMETERS)
    filtered = connect_error(Exception(FRAME + "timeout expired"), PARAMETERS)
    assert str(closed) == str(filtered)


class Driver(Exception):
    def __init__(self, text: str, sqlstate: str | None) -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "text", "expected"),
    [
        ("42P01", "x", errors.TableMissing),
        ("3F000", "x", errors.TableMissing),
        ("42703", "x", errors.ColumnMissing),
        ("42501", "x", errors.PermissionMissing),
        ("57014", "x", errors.SourceTimeout),
        ("55P03", "x", errors.SourceTimeout),
        ("57P01", "x", errors.ConnectionLost),
        ("08006", "x", errors.ConnectionLost),
        (None, "[libpq] PQgetCopyData() failed: server closed the connection unexpectedly", errors.ConnectionLost),
        (None, "IO: Failed to prepare query: \nQuery was: select 1", errors.ConnectionLost),
        ("40001", "x", errors.SourceRefused),
        ("22012", "x", errors.SourceRefused),
    ],
)
def test_a_failed_statement_has_its_class(sqlstate: str | None, text: str, expected: type[errors.EngineError]) -> None:
    error = statement_error(Driver(text, sqlstate), "shop.example", "public.lines", SECRET)
    assert type(error) is expected
    assert error.advice
    assert error.transient == (expected in (errors.ConnectionLost, errors.SourceTimeout) or sqlstate == "40001")


def test_the_query_is_not_among_the_words() -> None:
    text = (
        'NOT_FOUND: Failed to prepare query: ERROR:  relation "nope" does not exist\nLINE 1: SELECT\n  ^\n\n'
        "Query was: SELECT 1"
    )
    assert own_words(Exception(text)) == 'relation "nope" does not exist'


def test_the_driver_takes_nothing_from_the_environment_or_files() -> None:
    text = conninfo(PARAMETERS, "192.0.2.1")
    assert "hostaddr='192.0.2.1'" in text
    assert "host='shop.example'" in text
    assert "password='can\\'ary\\\\ 7'" in text
    for keyword in ("passfile", "options", "sslrootcert", "gssencmode", "client_encoding", "require_auth"):
        assert f"{keyword}=" in text


def test_a_password_is_never_sent_as_plain_text_without_encryption() -> None:
    assert "require_auth='!password'" in conninfo(PARAMETERS, "192.0.2.1")
    verified = PARAMETERS.model_copy(update={"ssl_mode": "verify-full"})
    assert "require_auth" not in conninfo(verified, "192.0.2.1")
