"""The words of Snowflake and its driver turned into the engine's errors."""

from __future__ import annotations

import re
from collections.abc import Iterable

from b2b_recs.engine.errors import (
    AuthenticationRefused,
    ColumnMissing,
    ConnectionLost,
    ConnectionRefused,
    DatabaseMissing,
    HostUnknown,
    PermissionMissing,
    SourceRefused,
    SourceTimeout,
    TableMissing,
)
from b2b_recs.engine.sources.redaction import redacted
from b2b_recs.engine.sources.snowflake.parameters import SnowflakeParameters
from b2b_recs.engine.sources.tls_words import tls_cause

_FRAME = re.compile(r"^\d{6} \(\w+\): ([0-9a-f-]{36}|None): |^\d{6}: |^\d{6} \(\w+\): ")
# Numbers of refusals, as Snowflake and its driver give them.
_LOGIN = {390100, 390101, 390102, 390103, 390106, 390107, 390144, 390195, 394300, 394304, 394400, 250001}
_GONE = {2003, 2043}
_COLUMN = {904, 1748}
_FORBIDDEN = {3001, 3003, 3041}
_NO_WAREHOUSE = {606, 607, 57014}
_QUOTA = {90073, 90064, 90082, 391918}
_SLOW = {604, 630, 631}
_BROKEN = {250002, 250003, 250005, 251011, 251012, 252007, 252010, 252012, 255004, 390111, 390112, 390114, 390195}
_NO_ACCOUNT = {290403, 290404}


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


def connect_error(error: BaseException, parameters: SnowflakeParameters, secrets: Iterable[str]) -> SourceRefused:
    """Why a session could not be opened. Messages name account and user, never a secret."""
    said, words, errno = own_words(error), own_words(error, secrets), number(error)
    account, user = parameters.account, parameters.username
    if errno in _NO_ACCOUNT or "Verify the account name" in said:
        return HostUnknown(
            f"Snowflake has no account {account}.",
            advice="Check the account identifier; Snowflake shows it under Account details.",
            field="account",
        )
    if errno in (390189, 390913) or re.search(r"role .* (does not exist|not granted|not authorized)", said, re.I):
        return PermissionMissing(
            f"{user} may not use the role {parameters.role}.",
            advice=f"Check the role's name, or ask for it to be granted to {user}.",
            field="role",
        )
    if errno in (390420, 390422) or "is not allowed to access Snowflake" in said:
        return AuthenticationRefused(
            f"Account {account} does not let {user} in from this address: {words}",
            advice="Add this machine's address to the network policy of the account or the user.",
            field="account",
        )
    if re.search(r"SSL|certificate|TLS", said):
        return SourceRefused(
            f"An encrypted connection to {parameters.server} could not be made: {tls_cause(said)}.",
            advice="Check the host, and that nothing on the way replaces its certificate.",
            field="host",
        )
    if errno in _LOGIN and re.search(r"Incorrect username|password|JWT|token|locked|disabled|MFA|authentication", said):
        return _refused_login(said, parameters)
    if errno in _BROKEN or errno == 250001 or re.search(r"Could not connect|timed out|Max retries", said):
        return ConnectionRefused(
            f"Nothing answered at {parameters.server}, port {parameters.port}.",
            advice="Check the account and the host, and that a firewall lets this machine out.",
            field="account" if parameters.host is None else "host",
        )
    return SourceRefused(
        f"Snowflake refused the connection to {account}: {words}", advice="Check every field, then test again."
    )


def silent(parameters: SnowflakeParameters) -> SourceTimeout:
    """The refusal when the server takes connections and no session comes of them."""
    return SourceTimeout(
        f"{parameters.server}, port {parameters.port}, did not open a session in time.",
        advice="Check the account and the host, then try again.",
        field="account" if parameters.host is None else "host",
    )


def _refused_login(said: str, parameters: SnowflakeParameters) -> AuthenticationRefused:
    user = parameters.username
    if parameters.private_key.get_secret_value():
        return AuthenticationRefused(
            f"The key of {user} was refused by account {parameters.account}.",
            advice=f"Check the user name, and that RSA_PUBLIC_KEY of {user} belongs to this private key.",
            field="private_key",
        )
    if re.search(r"MFA|multi-factor", said, re.I):
        return AuthenticationRefused(
            f"Account {parameters.account} asks {user} for a second factor.",
            advice="Use a service user with a key pair or a programmatic access token.",
            field="private_key",
        )
    return AuthenticationRefused(
        f"The password of {user} was refused by account {parameters.account}.",
        advice="Check the user name and password, then test again.",
        field="password",
    )


def statement_error(error: BaseException, account: str, subject: str, secrets: Iterable[str]) -> SourceRefused:
    """Why a statement failed; ``subject`` is what it was about, such as a table's name."""
    said, words, errno = own_words(error), own_words(error, secrets), number(error)
    if errno in _COLUMN or re.search(r"invalid identifier|Referenced column .* not found", said):
        return ColumnMissing(
            f"A column is no longer in {subject}: {words}", advice="Open the job and choose its columns again."
        )
    if errno in _GONE:
        return missing_table(subject, account)
    if errno in _FORBIDDEN or "Insufficient privileges" in said:
        return PermissionMissing(
            f"This login may not read {subject}: {words}",
            advice=f"Ask for GRANT SELECT ON {subject} and USAGE on its schema, for the role of this connection.",
        )
    if errno in _QUOTA or "resource monitor" in said.lower() or "suspended" in said.lower():
        return SourceRefused(
            f"The warehouse of this connection does not run queries now: {words}",
            advice="Resume the warehouse, or raise the quota of its resource monitor, then start the run again.",
            field="warehouse",
            transient=True,
        )
    if errno in _NO_WAREHOUSE or "No active warehouse" in said:
        return PermissionMissing(
            "This login has no warehouse to run a query in.",
            advice="Check the warehouse's name, and ask for USAGE on it for the role of this connection.",
            field="warehouse",
        )
    if errno in _SLOW:
        return SourceTimeout(
            f"Snowflake took too long to answer about {subject}: {words}",
            advice="Use a larger warehouse, or read fewer rows at a time.",
        )
    if errno in _BROKEN or getattr(error, "sqlstate", None) in ("08001", "08003", "08006"):
        return lost(account, words)
    return SourceRefused(f"Snowflake refused to read {subject}: {words}", advice="Check the table in Snowflake.")


def missing_database(parameters: SnowflakeParameters) -> DatabaseMissing:
    """The refusal of a database that is not there, or not for this role; Snowflake does not tell which."""
    return DatabaseMissing(
        f"Account {parameters.account} shows {parameters.username} no database named {parameters.database}.",
        advice="Check the name, and ask for USAGE on the database for the role of this connection.",
        field="database",
    )


def missing_table(subject: str, account: str) -> TableMissing:
    """The refusal of a table that is not there, or not for this role; Snowflake does not tell which."""
    return TableMissing(
        f"{subject} is not in account {account}, or this login may not see it.",
        advice=f"Check the schema and table name, or ask for GRANT SELECT ON {subject} and USAGE on its schema.",
    )


def lost(account: str, words: str) -> ConnectionLost:
    """The refusal when the connection broke."""
    return ConnectionLost(
        f"The connection to account {account} broke while reading: {words}",
        advice="Start the run again; if it happens again, look at Snowflake's status page.",
    )
