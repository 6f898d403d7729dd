"""The words of SQL Server and its driver turned into the engine's errors."""

from __future__ import annotations

import re

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
from b2b_recs.engine.sources.sqlserver.parameters import SQLServerParameters
from b2b_recs.engine.sources.tls_words import tls_cause

_FRAMES = re.compile(r"\[(Microsoft|SQL Server|ODBC Driver \d+ for SQL Server|unixODBC)\]")
# The driver's own sentence for each SQLSTATE; the server's may be in any language.
_LOGIN, _UNABLE, _REJECTED = "Invalid authorization specification", "Client unable to establish", "Server rejected"
_NO_TABLE, _NO_COLUMN = "Base table or view not found", "Column not found"
_LINK, _TIMEOUT = "Communication link failure", "timeout expired"


class TooMuch(Exception):
    """The server answered a small question with more than anyone would."""


def own_words(error: BaseException, secret: str = "") -> str:
    """The server's own sentence without the driver's frames and without the secret."""
    text = str(getattr(error, "ddbc_error", "") or error)
    text = " ".join(_FRAMES.sub("", text).split())
    return redacted(text, secret)[:500]


def connect_error(error: BaseException, parameters: SQLServerParameters) -> SourceRefused:
    """Why a connection could not be opened. Messages name the host, never the password."""
    kind, host = _kind(error), parameters.host
    said, words = own_words(error), own_words(error, parameters.password.get_secret_value())
    if re.search(r"Cannot open database|\b4060\b", said):
        return DatabaseMissing(
            f"{host} has no database named {parameters.database} that {parameters.username} may read.",
            advice="Check the database name, and that the login has a user in it.",
            field="database",
        )
    if _LOGIN in kind or "Login failed" in said:
        return AuthenticationRefused(
            f"The password of {parameters.username} was refused by {host}.",
            advice="Check the user name and password, then test again.",
            field="password",
        )
    if re.search(r"SSL|TLS|certificate|[Ee]ncryption", said):
        return SourceRefused(
            f"An encrypted connection to {host} could not be made: {tls_cause(said)}.",
            advice="Choose another encryption, or let an authority this machine trusts sign the server's certificate.",
            field="ssl_mode",
        )
    if _TIMEOUT in kind.lower() or _UNABLE in kind or _REJECTED in kind or _LINK in kind:
        return nothing_answers(parameters)
    if "Protocol error" in said:
        return ConnectionRefused(
            f"{host}, port {parameters.port}, did not answer as a SQL Server does.",
            advice="Check host and port.",
            field="host",
        )
    return SourceRefused(
        f"{host} refused the connection: {words}", advice="Check every field, then test again.", field="host"
    )


def nothing_answers(parameters: SQLServerParameters) -> ConnectionRefused:
    """The refusal when nothing listens, or a firewall is in the way."""
    return ConnectionRefused(
        f"Nothing answered at {parameters.host}, port {parameters.port}.",
        advice="Check host and port, that the server runs, and that its firewall lets this machine in.",
        field="host",
    )


def unknown_host(host: str) -> HostUnknown:
    """The refusal of a host name without an address."""
    return HostUnknown(f"The host {host} has no address.", advice="Check the spelling of the host.", field="host")


def statement_error(error: BaseException, host: str, subject: str, secret: str) -> SourceRefused:
    """Why a statement failed; ``subject`` is what it was about, such as a table's name."""
    kind, said, words = _kind(error), own_words(error), own_words(error, secret)
    if isinstance(error, TooMuch):
        return SourceRefused(f"{host} sent a longer answer than a database gives.", advice="Check the host and port.")
    if _NO_TABLE in kind or "Invalid object name" in said:
        return missing_table(subject, host)
    if _NO_COLUMN in kind or "Invalid column name" in said:
        return ColumnMissing(
            f"A column is no longer in {subject}: {words}", advice="Open the job and choose its columns again."
        )
    if "permission was denied" in said:
        return missing_permission(subject, words)
    if _LINK in kind or re.search(r"[Cc]ommunication link|TCP Provider|[Cc]onnection is (broken|closed)", said):
        return lost(host, words)
    if _TIMEOUT in kind.lower() or "Lock request time out" in said:
        return SourceTimeout(
            f"{host} took too long to answer about {subject}: {words}",
            advice="Try at a quieter hour, or read fewer rows at a time.",
        )
    if re.search(r"deadlock|Snapshot isolation transaction failed|Rerun the transaction", said):
        return SourceRefused(f"{host} could not answer now: {words}", advice="Try again.", transient=True)
    return SourceRefused(f"{host} refused to read {subject}: {words}", advice="Check the table on the server.")


def missing_table(subject: str, host: str) -> TableMissing:
    """The refusal of a table that is not there, or that the login may not know of: the server tells no difference."""
    return TableMissing(
        f"{subject} is not on {host}, or this login may not see it.",
        advice=f"Check the schema and table name, or ask for GRANT SELECT ON {subject}.",
    )


def missing_permission(subject: str, words: str) -> PermissionMissing:
    """The refusal of a table the login may not read."""
    return PermissionMissing(
        f"This login may not read {subject}: {words}", advice=f"Ask for GRANT SELECT ON {subject}."
    )


def lost(host: str, words: str) -> ConnectionLost:
    """The refusal when the connection broke."""
    return ConnectionLost(
        f"The connection to {host} broke while reading: {words}",
        advice="Check that the server is up, then start the run again.",
    )


def _kind(error: BaseException) -> str:
    return str(getattr(error, "driver_error", ""))
