"""The words of PostgreSQL and its driver turned into the engine's errors."""

from __future__ import annotations

import re
from dataclasses import replace

from b2b_recs.engine.errors import (
    AuthenticationRefused,
    ConnectionRefused,
    EngineError,
    PermissionMissing,
    SourceRefused,
)
from b2b_recs.engine.sources.error_table import (
    FULL,
    LOST,
    NO_COLUMN,
    NO_DATABASE,
    NO_TABLE,
    NOT_ALLOWED,
    NOT_CONNECTED,
    NOT_NOW,
    NOT_READ,
    NOTHING_ANSWERS,
    PASSWORD_REFUSED,
    SLOW,
    UNKNOWN_HOST,
    Refusal,
    refusal_of,
)
from b2b_recs.engine.sources.postgresql.parameters import PostgreSQLParameters
from b2b_recs.engine.sources.redaction import redacted

_PREFIX = re.compile(r"^[A-Z_]+: (\[libpq\] )?|^\[libpq\] ")
_FRAMES = re.compile(
    r"Failed to connect: |Failed to prepare query: |Failed to execute query[^:]*: |could not begin COPY: |"
    r"Execution error \[\w+\]: |PQgetCopyData\(\) failed: |connection to server at \"[^\"]*\"[^:]*failed: |"
    r"(FATAL|ERROR): +"
)

_PLAIN = "no encryption|SSL off"
_NOT_FROM_HERE = Refusal(
    AuthenticationRefused,
    "{host} does not let {username} in from this address: {words}",
    "Add this machine to the server's pg_hba.conf, or choose another encryption.",
    "username",
)
_CONNECTING = (
    UNKNOWN_HOST.when(pattern="could not translate host name"),
    NOTHING_ANSWERS.when(
        pattern="Connection refused|timeout expired|No route to host|Network is unreachable|timed out"
    ),
    NO_DATABASE.when(pattern='database ".*" does not exist'),
    Refusal(
        PermissionMissing,
        "{username} may not connect to the database {database}.",
        "Ask for GRANT CONNECT on {database}.",
        "database",
        pattern="permission denied for database|CONNECT privilege",
    ),
    # What the client says of bytes that are not the protocol, and of a server that hangs up before it has said a word.
    Refusal(
        ConnectionRefused,
        "{host}, port {port}, did not answer as a PostgreSQL server does.",
        "Check that the port is that of the database.",
        "host",
        pattern="expected authentication request|invalid response to SSL negotiation|unexpected response from server|"
        "received invalid |lost synchronization|message contents do not agree|invalid message|"
        "server closed the connection unexpectedly|unsupported frontend protocol",
    ),
    # Encryption, and the server's own list of who may come in.
    replace(_NOT_FROM_HERE, field="ssl_mode").when(
        pattern=f"(?s)no pg_hba.conf entry.*({_PLAIN})|({_PLAIN}).*no pg_hba.conf entry"
    ),
    _NOT_FROM_HERE.when(pattern="no pg_hba.conf entry"),
    Refusal(
        SourceRefused,
        "{host} asks for the password as plain text, which is not sent without encryption.",
        "Choose the encryption require or verify-full.",
        "ssl_mode",
        pattern="cleartext password",
    ),
    Refusal(
        SourceRefused,
        "An encrypted connection to {host} could not be made: {words}",
        "Choose another encryption, or give the CA certificate that signed the server's.",
        "ssl_mode",
        pattern="SSL|certificate|TLS",
    ),
    FULL.when(pattern="too many clients|connection slots|too many connections|is starting up|shutting down"),
    PASSWORD_REFUSED.when(
        pattern='authentication|password|role ".*" does not exist|not permitted to log in|auth method'
    ),
    NOT_CONNECTED,
)

_SCHEMA_NEEDED = replace(NOT_ALLOWED, advice="Ask for GRANT SELECT on {subject} and USAGE on its schema.")
# By SQLSTATE, its class, or its first three characters.
_READING = (
    NO_TABLE.when(codes=("42P01", "3F000")),
    NO_COLUMN.when(codes=("42703",)),
    _SCHEMA_NEEDED.when(codes=("42501",)),
    SLOW.when(codes=("57014", "55P03")),
    LOST.when(
        codes=("08", "57P", "25P03", "25P04"),
        pattern="(?i)server closed the connection|could not receive data|could not send data|connection reset|"
        "SSL connection has been closed|no connection to the server|"
        "terminating connection|Failed to prepare query: $",
    ),
    NOT_NOW.when(codes=("53", "40")),
    NOT_READ,
)


def own_words(error: BaseException, secret: str = "") -> str:
    """The driver's own sentence without its frames, the query text, and the secret."""
    text = str(error).split("Query was:")[0]
    text = re.sub(r"\. SQLSTATE: \w+", "", text)
    text = _FRAMES.sub("", _PREFIX.sub("", text))
    lines = [line.strip() for line in text.splitlines()]
    kept = " ".join(line for line in lines if line and not line.startswith(("LINE ", "^", "Is the server running")))
    return redacted(kept, secret)


def connect_error(error: BaseException, parameters: PostgreSQLParameters) -> EngineError:
    """Why a connection could not be opened. Messages name the host, never the password."""
    return refusal_of(
        _CONNECTING,
        (),
        str(error),
        host=parameters.host,
        port=parameters.port,
        database=parameters.database,
        username=parameters.username,
        words=own_words(error, parameters.password.get_secret_value()),
    )


def statement_error(error: BaseException, host: str, subject: str, secret: str) -> EngineError:
    """Why a statement failed; ``subject`` is what it was about, such as a table's name."""
    state = getattr(error, "sqlstate", None) or ""
    # Only what has no state is told by the client's own words.
    said = "" if state else str(error).split("\nQuery was:")[0]
    codes = {state, state[:3], state[:2]}
    return refusal_of(_READING, codes, said, host=host, subject=subject, words=own_words(error, secret))


def missing_table(subject: str, host: str) -> EngineError:
    """The refusal of a table that is not there."""
    return NO_TABLE.about(subject=subject, host=host)


def missing_permission(subject: str, words: str) -> EngineError:
    """The refusal of a table the login may not read."""
    return _SCHEMA_NEEDED.about(subject=subject, words=words)
