"""The words of PostgreSQL and its driver turned into the engine's errors."""

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
from b2b_recs.engine.sources.postgresql.parameters import PostgreSQLParameters
from b2b_recs.engine.sources.redaction import redacted

_PREFIX = re.compile(r"^[A-Z_]+: (\[libpq\] )?|^\[libpq\] ")
_FRAMES = re.compile(
    r"Failed to connect: |Failed to prepare query: |Failed to execute query[^:]*: |could not begin COPY: |"
    r"Execution error \[\w+\]: |PQgetCopyData\(\) failed: |connection to server at \"[^\"]*\"[^:]*failed: |"
    r"(FATAL|ERROR): +"
)

# What the client says of bytes that are not the protocol, and of a server that hangs up before it has said anything.
_JUNK = re.compile(
    r"expected authentication request|invalid response to SSL negotiation|unexpected response from server|"
    r"received invalid |lost synchronization|message contents do not agree|invalid message|"
    r"server closed the connection unexpectedly|unsupported frontend protocol"
)


def own_words(error: BaseException, secret: str = "") -> str:
    """The driver's own sentence without its frames, the query text, and the secret."""
    text = str(error).split("Query was:")[0]
    text = re.sub(r"\. SQLSTATE: \w+", "", text)
    text = _FRAMES.sub("", _PREFIX.sub("", text))
    lines = [line.strip() for line in text.splitlines()]
    kept = " ".join(line for line in lines if line and not line.startswith(("LINE ", "^", "Is the server running")))
    return redacted(kept, secret)


def connect_error(error: BaseException, parameters: PostgreSQLParameters) -> SourceRefused:
    """Why a connection could not be opened. Messages name the host, never the password."""
    text = str(error)
    host, port = parameters.host, parameters.port
    words = own_words(error, parameters.password.get_secret_value())
    if "could not translate host name" in text:
        return unknown_host(host)
    if re.search(r"Connection refused|timeout expired|No route to host|Network is unreachable|timed out", text):
        return ConnectionRefused(
            f"Nothing answered at {host}, port {port}.",
            advice="Check host and port, that the server runs, and that its firewall lets this machine in.",
            field="host",
        )
    if re.search(r'database ".*" does not exist', text):
        return DatabaseMissing(
            f"{host} has no database named {parameters.database}.",
            advice="Check the database name; capital letters matter.",
            field="database",
        )
    if re.search(r"permission denied for database|CONNECT privilege", text):
        return PermissionMissing(
            f"{parameters.username} may not connect to the database {parameters.database}.",
            advice=f"Ask for GRANT CONNECT on {parameters.database}.",
            field="database",
        )
    if _JUNK.search(text):
        return ConnectionRefused(
            f"{host}, port {port}, did not answer as a PostgreSQL server does.",
            advice="Check that the port is that of the database.",
            field="host",
        )
    if (refused := _door_error(text, words, parameters)) is not None:
        return refused
    if re.search(r"too many clients|connection slots|too many connections|is starting up|shutting down", text):
        return SourceRefused(f"{host} takes no more connections now: {words}", advice="Try later.", transient=True)
    if re.search(r"authentication|password|role \".*\" does not exist|not permitted to log in|auth method", text):
        return AuthenticationRefused(
            f"The password of {parameters.username} was refused by {host}.",
            advice="Check the user name and password, then test again.",
            field="password",
        )
    return SourceRefused(f"{host} refused the connection: {words}", advice="Check every field, then test again.")


def _door_error(text: str, words: str, parameters: PostgreSQLParameters) -> SourceRefused | None:
    """The refusals that concern encryption and the server's own list of who may come in."""
    host = parameters.host
    if "no pg_hba.conf entry" in text:
        return AuthenticationRefused(
            f"{host} does not let {parameters.username} in from this address: {words}",
            advice="Add this machine to the server's pg_hba.conf, or choose another encryption.",
            field="ssl_mode" if "no encryption" in text or "SSL off" in text else "username",
        )
    if "cleartext password" in text:
        return SourceRefused(
            f"{host} asks for the password as plain text, which is not sent without encryption.",
            advice="Choose the encryption require or verify-full.",
            field="ssl_mode",
        )
    if re.search(r"SSL|certificate|TLS", text):
        return SourceRefused(
            f"An encrypted connection to {host} could not be made: {words}",
            advice="Choose another encryption, or give the CA certificate that signed the server's.",
            field="ssl_mode",
        )
    return None


def unknown_host(host: str) -> HostUnknown:
    """The refusal of a host name without an address."""
    return HostUnknown(f"The host {host} has no address.", advice="Check the spelling of the host.", field="host")


def statement_error(error: BaseException, host: str, subject: str, secret: str) -> SourceRefused:
    """Why a statement failed; ``subject`` is what it was about, such as a table's name."""
    state = getattr(error, "sqlstate", None) or ""
    words = own_words(error, secret)
    if state in ("42P01", "3F000"):
        return missing_table(subject, host)
    if state == "42703":
        return ColumnMissing(
            f"A column is no longer in {subject}: {words}", advice="Open the job and choose its columns again."
        )
    if state == "42501":
        return missing_permission(subject, words)
    if state in ("57014", "55P03"):
        return SourceTimeout(
            f"{host} took too long to answer about {subject}: {words}",
            advice="Try at a quieter hour, or read fewer rows at a time.",
        )
    if state.startswith(("08", "57P", "25P03", "25P04")) or (not state and _is_broken(str(error))):
        return lost(host, words)
    if state.startswith(("53", "40")):
        return SourceRefused(f"{host} could not answer now: {words}", advice="Try again.", transient=True)
    return SourceRefused(f"{host} refused to read {subject}: {words}", advice="Check the table on the server.")


def missing_table(subject: str, host: str) -> TableMissing:
    """The refusal of a table that is not there."""
    return TableMissing(
        f"{subject} is not on {host}.", advice="Check the schema and table name, or whether it was dropped."
    )


def missing_permission(subject: str, words: str) -> PermissionMissing:
    """The refusal of a table the login may not read."""
    return PermissionMissing(
        f"This login may not read {subject}: {words}",
        advice=f"Ask for GRANT SELECT on {subject} and USAGE on its schema.",
    )


def lost(host: str, words: str) -> ConnectionLost:
    """The refusal when the connection broke."""
    return ConnectionLost(
        f"The connection to {host} broke while reading: {words}",
        advice="Check that the server is up, then start the run again.",
    )


def _is_broken(text: str) -> bool:
    return bool(
        re.search(
            r"server closed the connection|could not receive data|could not send data|connection reset|"
            r"SSL connection has been closed|no connection to the server|"
            r"terminating connection|Failed to prepare query: $",
            text.split("\nQuery was:")[0],
            re.IGNORECASE,
        )
    )
