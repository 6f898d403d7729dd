"""What drivers say is shown without secrets and without tearing words; what encryption says is put in our words."""

from __future__ import annotations

from typing import Any

import pytest

from b2b_recs.engine import errors
from b2b_recs.engine.sources.mongodb.errors import refusal as mongodb_refusal
from b2b_recs.engine.sources.mongodb.errors import unreached
from b2b_recs.engine.sources.mysql.errors import connect_error as mysql_error
from b2b_recs.engine.sources.oracle.errors import refusal as oracle_refusal
from b2b_recs.engine.sources.postgresql.errors import connect_error as postgresql_error
from b2b_recs.engine.sources.redaction import redacted
from b2b_recs.engine.sources.registry import parse_parameters
from b2b_recs.engine.sources.snowflake.errors import connect_error as snowflake_error
from b2b_recs.engine.sources.sqlserver.errors import connect_error as sqlserver_error
from b2b_recs.engine.sources.tls_words import tls_cause

SAID = "something unexpected ended this abruptly"


def parameters(type: str, password: str) -> Any:
    place = {"service_name": "SHOP"} if type == "oracle" else {"database": "shop"}
    if type == "snowflake":
        place = {"account": "ab-c1", "warehouse": "W", "database": "shop"}
    else:
        place["host"] = "shop.example"
    return parse_parameters(type, {"username": "reader", "password": password, **place})


def refused(type: str, said: str, password: str) -> errors.EngineError:
    given: Any = parameters(type, password)
    if type == "oracle":
        return oracle_refusal(Exception(said), given, "the database")
    if type == "snowflake":
        return snowflake_error(Exception(said), given, [password])
    if type == "mongodb":
        numbered = Exception(said)
        numbered.code = 99999  # type: ignore[attr-defined]
        return mongodb_refusal(numbered, given, "the database")
    if type == "mysql":
        return mysql_error(Exception(9999, said), given)
    return {"postgresql": postgresql_error, "sqlserver": sqlserver_error}[type](Exception(said), given)


TYPES = ("postgresql", "mysql", "sqlserver", "oracle", "mongodb", "snowflake")


@pytest.mark.parametrize("type", TYPES)
def test_a_short_password_tears_no_word(type: str) -> None:
    for secret in ("e", "ed", "end"):
        error = refused(type, SAID, secret)
        assert "•" not in str(error) and "…" not in str(error)
        assert SAID not in str(error) and "too short to be hidden" in str(error)


@pytest.mark.parametrize("type", TYPES)
def test_a_longer_password_is_hidden_and_the_rest_stays(type: str) -> None:
    error = refused(type, f"{SAID} with canary-word in it", "canary-word")
    assert "canary-word" not in str(error) and SAID in str(error)


def test_several_secrets_are_hidden_the_longer_first() -> None:
    assert redacted("a canary-phrase, a canary", "canary", "", "canary-phrase") == "a •••, a •••"
    assert redacted("nothing secret") == "nothing secret"
    assert redacted("", "e") == ""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "does not answer with encryption"),
        ("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol (_ssl.c:1006)", "ended"),
        ("_ssl.c:989: The handshake operation timed out", "in time"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)", "author"),
        ("certificate verify failed: Hostname mismatch, certificate is not valid for 'shop.example'.", "another host"),
        ("certificate verify failed: certificate has expired (_ssl.c:1006)", "expired"),
        ("[SSL] something nobody has seen yet (_ssl.c:7)", "did not agree"),
    ],
)
def test_the_libraries_words_about_encryption_are_put_in_ours(said: str, words: str) -> None:
    assert words in tls_cause(said) and "_ssl" not in tls_cause(said)
    shown = str(unreached(said, parameters("mongodb", "canary-word"), encrypted=True))
    assert words in shown and "[SSL" not in shown and "_ssl" not in shown


@pytest.mark.parametrize(
    "said",
    [
        "expected authentication request from server, but received H",
        "received invalid response to SSL negotiation: H",
        "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally",
    ],
)
def test_what_is_no_postgresql_server_is_called_so(said: str) -> None:
    error = postgresql_error(Exception(said), parameters("postgresql", "canary-word"))
    assert type(error) is errors.ConnectionRefused and error.field == "host"
    assert "did not answer as a PostgreSQL server does" in str(error)
