"""The numbers and words of MySQL and MariaDB turned into the engine's errors."""

from __future__ import annotations

import ssl

from b2b_recs.engine.errors import (
    AuthenticationRefused,
    ConnectionRefused,
    DatabaseMissing,
    EngineError,
    SourceRefused,
    SourceTimeout,
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
    PASSWORD_REFUSED,
    SLOW,
    TOO_MUCH,
    Refusal,
    refusal_of,
)
from b2b_recs.engine.sources.mysql.parameters import MySQLParameters
from b2b_recs.engine.sources.redaction import redacted
from b2b_recs.engine.sources.tls_words import tls_cause

# Numbers of the server (1xxx, 3xxx) and of its clients (2xxx).
_TLS_FAILED = 2026
_BUSY = (1040, 1203, 1226, 1053)
_LOST = (2006, 2013, 2055, 1927, 1317, 1053, 1152, 1158, 1159, 1160, 1161, 4031)


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


_ENCRYPTION = "Choose the encryption require or verify-full."
# What no honest server does.
_DISHONEST = (
    Refusal(
        SourceRefused,
        "{host} asked for a file of this machine. Nothing was sent and the connection was closed.",
        "Check the host: this is not how a database answers.",
        "host",
        codes=(FileAsked,),
    ),
    TOO_MUCH.when(codes=(TooMuch,)),
    Refusal(
        SourceTimeout,
        "{host} did not finish its answer in time.",
        "Check the host and port, then try again.",
        "host",
        codes=(TooSlow,),
    ),
)
_CONNECTING = (
    *_DISHONEST,
    Refusal(
        SourceRefused,
        "{host} asks for the password in a way that is not safe without encryption.",
        _ENCRYPTION,
        "ssl_mode",
        codes=(EncryptionNeeded,),
    ),
    Refusal(
        SourceRefused,
        "An encrypted connection to {host} could not be made: {cause}.",
        "Choose another encryption, or give the CA certificate that signed the server's.",
        "ssl_mode",
        codes=(ssl.SSLError, _TLS_FAILED),
    ),
    Refusal(
        ConnectionRefused,
        "What answers at {host} is not MySQL or MariaDB, or ended the connection.",
        "Check that the port is that of the database.",
        "host",
        codes=(BrokenAnswer, 0),
    ),
    FULL.when(codes=_BUSY),
    Refusal(
        ConnectionRefused,
        "{host} ended the connection before it was open: {words}",
        "Check that the port is that of the database.",
        "host",
        codes=(2003, *_LOST),
    ),
    NO_DATABASE.when(codes=(1049,)),
    # Servers say this of a database that is not there too, lest a login finds out which ones are.
    Refusal(
        DatabaseMissing,
        "{host} has no database named {database} that {username} may read.",
        "Check the database name, and ask for GRANT SELECT ON {database}.*.",
        "database",
        codes=(1044,),
    ),
    Refusal(
        AuthenticationRefused,
        "{host} does not let this machine in: {words}",
        "Let the login in from this machine's address, then test again.",
        "username",
        codes=(1130, 1129),
    ),
    # 4151 is MariaDB's.
    Refusal(
        SourceRefused,
        "{host} does not let {username} in this way: {words}",
        _ENCRYPTION,
        "ssl_mode",
        codes=(3159, 1524, 4151),
    ),
    PASSWORD_REFUSED.when(codes=(1045, 1698, 1251, 1862, 3118, 3955)),
    NOT_CONNECTED,
)
_READING = (
    NO_TABLE.when(codes=(1146, 1051)),
    NO_COLUMN.when(codes=(1054,)),
    NOT_ALLOWED.when(codes=(1142, 1143, 1227, 1356, 1370, 1449)),
    SLOW.when(codes=(1205, 1969, 3024, 1907, 1028)),
    LOST.when(codes=_LOST),
    NOT_NOW.when(codes=(1213, 1412, 1614, *_BUSY)),
    *_DISHONEST,
    LOST.when(codes=(0, OSError, BrokenAnswer)),
    NOT_READ,
)


def connect_error(error: BaseException, parameters: MySQLParameters) -> EngineError:
    """Why a connection could not be opened. Messages name the host, never the password."""
    cause = getattr(error, "original_exception", error)
    codes = {*type(error).__mro__, *type(cause).__mro__, number_of(error)}
    if isinstance(error, RuntimeError):
        codes.discard(0)
    return refusal_of(
        _CONNECTING,
        codes,
        host=parameters.host,
        database=parameters.database,
        username=parameters.username,
        cause=tls_cause(str(error)),
        words=own_words(error, parameters.password.get_secret_value()),
    )


def statement_error(error: BaseException, host: str, subject: str, secret: str) -> EngineError:
    """Why a statement failed; ``subject`` is what it was about, such as a table's name."""
    codes = {*type(error).__mro__, number_of(error)}
    return refusal_of(_READING, codes, host=host, subject=subject, words=own_words(error, secret))


def missing_table(host: str, subject: str) -> EngineError:
    """The refusal of a table that is not there."""
    return NO_TABLE.about(host=host, subject=subject)


def missing_permission(subject: str, words: str) -> EngineError:
    """The refusal of a table the login may not read."""
    return NOT_ALLOWED.about(subject=subject, words=words)
