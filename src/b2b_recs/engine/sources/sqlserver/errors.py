"""The words of SQL Server and its driver turned into the engine's errors."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import replace

from b2b_recs.engine.errors import ConnectionRefused, DatabaseMissing, EngineError, SourceRefused, TableMissing
from b2b_recs.engine.sources.error_table import (
    LOST,
    NO_COLUMN,
    NOT_ALLOWED,
    NOT_CONNECTED,
    NOT_NOW,
    NOT_READ,
    NOTHING_ANSWERS,
    PASSWORD_REFUSED,
    SLOW,
    Refusal,
    refusal_of,
)
from b2b_recs.engine.sources.redaction import redacted
from b2b_recs.engine.sources.sqlserver.parameters import SQLServerParameters
from b2b_recs.engine.sources.tls_words import tls_cause

_FRAMES = re.compile(r"\[(Microsoft|SQL Server|ODBC Driver \d+ for SQL Server|unixODBC)\]")
# The driver's own sentence for each SQLSTATE; the server's may be in any language.
_LOGIN, _UNABLE, _REJECTED = "Invalid authorization specification", "Client unable to establish", "Server rejected"
_TABLE, _COLUMN = "Base table or view not found", "Column not found"
_LINK, _TIMEOUT = "Communication link failure", "timeout expired"
_SENTENCES = (_LOGIN, _UNABLE, _REJECTED, _TABLE, _COLUMN, _LINK, _TIMEOUT)


def own_words(error: BaseException, secret: str = "") -> str:
    """The server's own sentence without the driver's frames and without the secret."""
    text = str(getattr(error, "ddbc_error", "") or error)
    text = " ".join(_FRAMES.sub("", text).split())
    return redacted(text, secret)[:500]


_CONNECTING = (
    Refusal(
        DatabaseMissing,
        "{host} has no database named {database} that {username} may read.",
        "Check the database name, and that the login has a user in it.",
        "database",
        pattern=r"Cannot open database|\b4060\b",
    ),
    PASSWORD_REFUSED.when(codes=(_LOGIN,), pattern="Login failed"),
    Refusal(
        SourceRefused,
        "An encrypted connection to {host} could not be made: {cause}.",
        "Choose another encryption, or let an authority this machine trusts sign the server's certificate.",
        "ssl_mode",
        pattern="SSL|TLS|certificate|[Ee]ncryption",
    ),
    NOTHING_ANSWERS.when(codes=(_TIMEOUT, _UNABLE, _REJECTED, _LINK)),
    Refusal(
        ConnectionRefused,
        "{host}, port {port}, did not answer as a SQL Server does.",
        "Check host and port.",
        "host",
        pattern="Protocol error",
    ),
    replace(NOT_CONNECTED, field="host"),
)
# How the driver tells of a line that ended, also in the middle of an answer.
_BROKEN = (
    "[Cc]ommunication link|TCP Provider|Protocol error in TDS stream|terminated by the server"
    "|[Cc]onnection (is|was|has been) (broken|closed|reset)|connection is not usable|[Cc]onnection reset"
)
# The server tells no difference between a table that is not there and one that the login may not know of.
_NO_TABLE = Refusal(
    TableMissing,
    "{subject} is not on {host}, or this login may not see it.",
    "Check the schema and table name, or ask for GRANT SELECT ON {subject}.",
)
_READING = (
    _NO_TABLE.when(codes=(_TABLE,), pattern="Invalid object name"),
    NO_COLUMN.when(codes=(_COLUMN,), pattern="Invalid column name"),
    NOT_ALLOWED.when(pattern="permission was denied"),
    LOST.when(codes=(_LINK,), pattern=_BROKEN),
    SLOW.when(codes=(_TIMEOUT,), pattern="Lock request time out"),
    NOT_NOW.when(pattern="deadlock|Snapshot isolation transaction failed|Rerun the transaction"),
    NOT_READ,
)


def connect_error(error: BaseException, parameters: SQLServerParameters) -> EngineError:
    """Why a connection could not be opened. Messages name the host, never the password."""
    said = own_words(error)
    return refusal_of(
        _CONNECTING,
        _codes(error),
        said,
        host=parameters.host,
        port=parameters.port,
        database=parameters.database,
        username=parameters.username,
        cause=tls_cause(said),
        words=own_words(error, parameters.password.get_secret_value()),
    )


def statement_error(error: BaseException, host: str, subject: str, secret: str) -> EngineError:
    """Why a statement failed; ``subject`` is what it was about, such as a table's name."""
    words = own_words(error, secret)
    return refusal_of(_READING, _codes(error), own_words(error), host=host, subject=subject, words=words)


def missing_table(subject: str, host: str) -> EngineError:
    """The refusal of a table that is not there, or that the login may not know of."""
    return _NO_TABLE.about(subject=subject, host=host)


def _codes(error: BaseException) -> set[Hashable]:
    """The error's class, and the sentences by which the driver tells errors apart."""
    kind = str(getattr(error, "driver_error", "")).lower()
    return {type(error), *(sentence for sentence in _SENTENCES if sentence.lower() in kind)}
