"""The words of Snowflake and its driver turned into the engine's errors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from b2b_recs.engine.errors import (
    AuthenticationRefused,
    ConnectionLost,
    ConnectionRefused,
    DatabaseMissing,
    EngineError,
    HostUnknown,
    PermissionMissing,
    SourceRefused,
    SourceTimeout,
    TableMissing,
)
from b2b_recs.engine.sources.error_table import NO_COLUMN, TOO_MUCH, Refusal, refusal_of
from b2b_recs.engine.sources.redaction import redacted
from b2b_recs.engine.sources.snowflake.parameters import SnowflakeParameters
from b2b_recs.engine.sources.tls_words import tls_cause

# There is no host to check: the account leads to it.
TOO_MANY = replace(TOO_MUCH, advice="Check the account and the database.", field="account")
_FRAME = re.compile(r"^\d{6} \(\w+\): ([0-9a-f-]{36}|None): |^\d{6}: |^\d{6} \(\w+\): ")
# Numbers of refusals, as Snowflake and its driver give them.
_LOGIN = {390100, 390101, 390102, 390103, 390106, 390107, 390144, 390195, 394300, 394304, 394400, 250001}
_BROKEN = {250002, 250003, 250005, 251011, 251012, 252007, 252010, 252012, 255004, 390111, 390112, 390114, 390195}
# What a refused login is told apart by, where the number alone does not say it.
_KEY, _FACTOR, _PASSWORD = "a refused key", "a second factor", "a refused password"


def own_words(error: BaseException, secrets: Iterable[str] = ()) -> str:
    """The driver's own sentence without its frame, the query text, and the secrets."""
    text = _FRAME.sub("", str(getattr(error, "raw_msg", None) or getattr(error, "msg", None) or error))
    return redacted(" ".join(_FRAME.sub("", text).split()), *secrets)[:500]


def number(error: BaseException) -> int:
    """The number of a refusal, 0 when there is none."""
    try:
        return int(getattr(error, "errno", 0) or 0)
    except (TypeError, ValueError):
        return 0


_CONNECTING = (
    Refusal(
        HostUnknown,
        "Snowflake has no account {account}.",
        "Check the account identifier; Snowflake shows it under Account details.",
        "account",
        codes=(290403, 290404),
        pattern="Verify the account name",
    ),
    Refusal(
        PermissionMissing,
        "{username} may not use the role {role}.",
        "Check the role's name, or ask for it to be granted to {username}.",
        "role",
        codes=(390189, 390913),
        pattern="(?i)role .* (does not exist|not granted|not authorized)",
    ),
    Refusal(
        AuthenticationRefused,
        "Account {account} does not let {username} in from this address: {words}",
        "Add this machine's address to the network policy of the account or the user.",
        "account",
        codes=(390420, 390422),
        pattern="is not allowed to access Snowflake",
    ),
    Refusal(
        SourceRefused,
        "An encrypted connection to {server} could not be made: {cause}.",
        "Check the host, and that nothing on the way replaces its certificate.",
        "host",
        pattern="SSL|certificate|TLS",
    ),
    Refusal(
        AuthenticationRefused,
        "The user name or private key was refused by account {account}.",
        "Check the user name, and that RSA_PUBLIC_KEY of {username} belongs to this private key.",
        "private_key",
        codes=(_KEY,),
    ),
    Refusal(
        AuthenticationRefused,
        "Account {account} asks {username} for a second factor.",
        "Use a service user with a key pair or a programmatic access token.",
        "private_key",
        codes=(_FACTOR,),
    ),
    Refusal(
        AuthenticationRefused,
        "The user name or password was refused by account {account}.",
        "Check the user name and password, then test again.",
        "password",
        codes=(_PASSWORD,),
    ),
    Refusal(
        ConnectionRefused,
        "Nothing answered at {server}, port {port}.",
        "Check the account and the host, and that a firewall lets this machine out.",
        "{place}",
        codes=(*_BROKEN, 250001),
        pattern="Could not connect|timed out|Max retries",
    ),
    Refusal(
        SourceRefused, "Snowflake refused the connection to {account}: {words}", "Check every field, then test again."
    ),
)
_SILENT = Refusal(
    SourceTimeout,
    "{server}, port {port}, did not open a session in time.",
    "Check the account and the host, then try again.",
    "{place}",
)
# Snowflake does not tell what is not there from what is not for this role.
_NO_DATABASE = Refusal(
    DatabaseMissing,
    "Account {account} shows {username} no database named {database}.",
    "Check the name, and ask for USAGE on the database for the role of this connection.",
    "database",
)
_NO_TABLE = Refusal(
    TableMissing,
    "{subject} is not in account {account}, or this login may not see it.",
    "Check the schema and table name, or ask for GRANT SELECT ON {subject} and USAGE on its schema.",
)
_LOST = Refusal(
    ConnectionLost,
    "The connection to account {account} broke while reading: {words}",
    "Start the run again; if it happens again, look at Snowflake's status page.",
)
_READING = (
    NO_COLUMN.when(codes=(904, 1748), pattern="invalid identifier|Referenced column .* not found"),
    _NO_TABLE.when(codes=(2003, 2043)),
    Refusal(
        PermissionMissing,
        "This login may not read {subject}: {words}",
        "Ask for GRANT SELECT ON {subject} and USAGE on its schema, for the role of this connection.",
        codes=(3001, 3003, 3041),
        pattern="Insufficient privileges",
    ),
    Refusal(
        SourceRefused,
        "The warehouse of this connection does not run queries now: {words}",
        "Resume the warehouse, or raise the quota of its resource monitor, then start the run again.",
        "warehouse",
        transient=True,
        codes=(90073, 90064, 90082, 391918),
        pattern="(?i)resource monitor|suspended",
    ),
    Refusal(
        PermissionMissing,
        "This login has no warehouse to run a query in.",
        "Check the warehouse's name, and ask for USAGE on it for the role of this connection.",
        "warehouse",
        codes=(606, 607, 57014),
        pattern="No active warehouse",
    ),
    Refusal(
        SourceTimeout,
        "Snowflake took too long to answer about {subject}: {words}",
        "Use a larger warehouse, or read fewer rows at a time.",
        codes=(604, 630, 631),
    ),
    _LOST.when(codes=(*_BROKEN, "08001", "08003", "08006")),
    Refusal(SourceRefused, "Snowflake refused to read {subject}: {words}", "Check the table in Snowflake."),
)


def connect_error(error: BaseException, parameters: SnowflakeParameters, secrets: Iterable[str]) -> EngineError:
    """Why a session could not be opened. Messages name account and user, never a secret."""
    said, errno = own_words(error), number(error)
    return refusal_of(
        _CONNECTING,
        (errno, _login(errno, said, parameters)),
        said,
        username=parameters.username,
        role=parameters.role,
        cause=tls_cause(said),
        words=own_words(error, secrets),
        **_address(parameters),
    )


def _login(errno: int, said: str, parameters: SnowflakeParameters) -> str:
    """Which refusal of a login it is, empty when it is none."""
    if errno not in _LOGIN:
        return ""
    if not re.search(r"Incorrect username|password|JWT|token|locked|disabled|MFA|authentication", said):
        return ""
    if parameters.private_key.get_secret_value():
        return _KEY
    return _FACTOR if re.search(r"MFA|multi-factor", said, re.IGNORECASE) else _PASSWORD


def _address(parameters: SnowflakeParameters) -> dict[str, object]:
    """Where the account is reached; ``place`` is the field that says so."""
    place = "account" if parameters.host is None else "host"
    return {"account": parameters.account, "server": parameters.server, "port": parameters.port, "place": place}


def silent(parameters: SnowflakeParameters) -> EngineError:
    """The refusal when the server takes connections and no session comes of them."""
    return _SILENT.about(**_address(parameters))


def statement_error(error: BaseException, account: str, subject: str, secrets: Iterable[str]) -> EngineError:
    """Why a statement failed; ``subject`` is what it was about, such as a table's name."""
    codes = (number(error), getattr(error, "sqlstate", None))
    words = own_words(error, secrets)
    return refusal_of(_READING, codes, own_words(error), account=account, subject=subject, words=words)


def missing_database(parameters: SnowflakeParameters) -> EngineError:
    """The refusal of a database that is not there, or not for this role."""
    return _NO_DATABASE.about(account=parameters.account, username=parameters.username, database=parameters.database)


def missing_table(subject: str, account: str) -> EngineError:
    """The refusal of a table that is not there, or not for this role."""
    return _NO_TABLE.about(subject=subject, account=account)


def lost(account: str, words: str) -> EngineError:
    """The refusal when the connection broke."""
    return _LOST.about(account=account, words=words)
