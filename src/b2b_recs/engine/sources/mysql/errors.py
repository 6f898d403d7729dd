"""The numbers and words of MySQL and MariaDB turned into the engine's errors."""

from __future__ import annotations

import ssl
from collections.abc import Callable

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
from b2b_recs.engine.sources.mysql.parameters import MySQLParameters
from b2b_recs.engine.sources.redaction import redacted
from b2b_recs.engine.sources.tls_words import tls_cause

# Numbers of the server (1xxx, 3xxx) and of its clients (2xxx); the second name is MariaDB's where the two differ.
_NO_DATABASE = (1049,)
_NOT_THIS_DATABASE = (1044,)
_PASSWORD = (1045, 1698, 1251, 1862, 3118, 3955)
_NOT_FROM_HERE = (1130, 1129)
_BUSY = (1040, 1203, 1226, 1053)
_TLS_NEEDED = (3159, 1524, 4151)
_TABLE = (1146, 1051)
_COLUMN = (1054,)
_PERMISSION = (1142, 1143, 1227, 1356, 1370, 1449)
_TOO_LONG = (1205, 1969, 3024, 1907, 1028)
_LOST = (2006, 2013, 2055, 1927, 1317, 1053, 1152, 1158, 1159, 1160, 1161, 4031)
_AGAIN = (1213, 1412, 1213, 1614)


class FileAsked(Exception):
    """The server asked for a file of this machine in place of an answer."""


class EncryptionNeeded(Exception):
    """The server asks for the password in a way that only an encrypted connection may carry."""


class TooMuch(Exception):
    """The server answered a small question with more than anyone would."""


class TooSlow(Exception):
    """The server did not finish its answer in time."""


class BrokenAnswer(Exception):
    """The server's bytes are not its protocol, or they ended too soon."""


def number_of(error: BaseException) -> int:
    """The server's or the client's number of an error, 0 for one without."""
    first = error.args[0] if error.args else 0
    return first if isinstance(first, int) and not isinstance(first, bool) else 0


def own_words(error: BaseException, secret: str = "") -> str:
    """The server's own sentence, on one line and without the secret."""
    text = " ".join(str(error.args[1] if number_of(error) and len(error.args) > 1 else error).split())
    return redacted(text, secret)[:500]


def connect_error(error: BaseException, parameters: MySQLParameters) -> SourceRefused:
    """Why a connection could not be opened. Messages name the host, never the password."""
    host, number = parameters.host, number_of(error)
    words = own_words(error, parameters.password.get_secret_value())
    if (refused := _unwelcome(error, host)) is not None:
        return refused
    cause = getattr(error, "original_exception", error)
    if isinstance(cause, ssl.SSLError) or number == 2026:
        return SourceRefused(
            f"An encrypted connection to {host} could not be made: {tls_cause(str(error))}.",
            advice="Choose another encryption, or give the CA certificate that signed the server's.",
            field="ssl_mode",
        )
    if number == 0 and not isinstance(error, RuntimeError):
        return _not_a_database(host)
    if number in (2003, *_LOST) and number != 1053:
        return ConnectionRefused(
            f"{host} ended the connection before it was open: {words}",
            advice="Check that the port is that of the database.",
            field="host",
        )
    if number in _BUSY:
        return SourceRefused(f"{host} takes no more connections now: {words}", advice="Try later.", transient=True)
    return _refused_login(number, words, parameters)


def _refused_login(number: int, words: str, parameters: MySQLParameters) -> SourceRefused:
    host = parameters.host
    if number in _NO_DATABASE:
        return DatabaseMissing(
            f"{host} has no database named {parameters.database}.",
            advice="Check the database name; capital letters matter.",
            field="database",
        )
    if number in _NOT_THIS_DATABASE:
        # Servers say this of a database that is not there too, lest a login finds out which ones are.
        return DatabaseMissing(
            f"{host} has no database named {parameters.database} that {parameters.username} may read.",
            advice=f"Check the database name, and ask for GRANT SELECT ON {parameters.database}.*.",
            field="database",
        )
    if number in _NOT_FROM_HERE:
        return AuthenticationRefused(
            f"{host} does not let this machine in: {words}",
            advice="Let the login in from this machine's address, then test again.",
            field="username",
        )
    if number in _TLS_NEEDED:
        return SourceRefused(
            f"{host} does not let {parameters.username} in this way: {words}",
            advice="Choose the encryption require or verify-full.",
            field="ssl_mode",
        )
    if number in _PASSWORD:
        return AuthenticationRefused(
            f"The password of {parameters.username} was refused by {host}.",
            advice="Check the user name and password, then test again.",
            field="password",
        )
    return SourceRefused(f"{host} refused the connection: {words}", advice="Check every field, then test again.")


def _unwelcome(error: BaseException, host: str) -> SourceRefused | None:
    """The refusals of what no honest server does, and of what is not sent without encryption."""
    if isinstance(error, FileAsked):
        return SourceRefused(
            f"{host} asked for a file of this machine. Nothing was sent and the connection was closed.",
            advice="Check the host: this is not how a database answers.",
            field="host",
        )
    if isinstance(error, EncryptionNeeded):
        return SourceRefused(
            f"{host} asks for the password in a way that is not safe without encryption.",
            advice="Choose the encryption require or verify-full.",
            field="ssl_mode",
        )
    if isinstance(error, TooMuch):
        return SourceRefused(
            f"{host} sent a longer answer than a database gives.", advice="Check the host and port.", field="host"
        )
    if isinstance(error, TooSlow):
        return SourceTimeout(
            f"{host} did not finish its answer in time.",
            advice="Check the host and port, then try again.",
            field="host",
        )
    if isinstance(error, BrokenAnswer):
        return _not_a_database(host)
    return None


def _not_a_database(host: str) -> ConnectionRefused:
    return ConnectionRefused(
        f"What answers at {host} is not MySQL or MariaDB, or ended the connection.",
        advice="Check that the port is that of the database.",
        field="host",
    )


def nothing_answers(parameters: MySQLParameters) -> ConnectionRefused:
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
    number, words = number_of(error), own_words(error, secret)
    for numbers, made in _STATEMENT:
        if number in numbers:
            return made(host, subject, words)
    if isinstance(error, FileAsked | TooMuch | TooSlow):
        unwelcome = _unwelcome(error, host)
        if unwelcome is not None:
            return unwelcome
    if number == 0 or isinstance(error, OSError | BrokenAnswer):
        return lost(host, words)
    return SourceRefused(f"{host} refused to read {subject}: {words}", advice="Check the table on the server.")


def missing_table(host: str, subject: str, words: str = "") -> TableMissing:
    """The refusal of a table that is not there."""
    return TableMissing(
        f"{subject} is not on {host}.", advice="Check the schema and table name, or whether it was dropped."
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


def _missing_column(host: str, subject: str, words: str) -> SourceRefused:
    return ColumnMissing(
        f"A column is no longer in {subject}: {words}", advice="Open the job and choose its columns again."
    )


def _slow(host: str, subject: str, words: str) -> SourceRefused:
    return SourceTimeout(
        f"{host} took too long to answer about {subject}: {words}",
        advice="Try at a quieter hour, or read fewer rows at a time.",
    )


def _again(host: str, subject: str, words: str) -> SourceRefused:
    return SourceRefused(f"{host} could not answer now: {words}", advice="Try again.", transient=True)


_STATEMENT: tuple[tuple[tuple[int, ...], Callable[[str, str, str], SourceRefused]], ...] = (
    (_TABLE, missing_table),
    (_COLUMN, _missing_column),
    (_PERMISSION, lambda host, subject, words: missing_permission(subject, words)),
    (_TOO_LONG, _slow),
    (_LOST, lambda host, subject, words: lost(host, words)),
    ((*_AGAIN, *_BUSY), _again),
)
