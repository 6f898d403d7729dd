"""The engine's error for each error of the driver, in words without secrets."""

from __future__ import annotations

from typing import Any

from b2b_recs.engine import errors
from b2b_recs.engine.sources.mongodb.parameters import MongoDBParameters
from b2b_recs.engine.sources.redaction import redacted
from b2b_recs.engine.sources.tls_words import tls_cause

_WRONG_LOGIN = {18}
_NOT_ALLOWED = {13}
_NO_TABLE = {26}
_TOO_SLOW = {50, 262}
_STOPPING = {11600, 91, 189, 43, 237}


def refusal(error: Exception, parameters: MongoDBParameters, subject: str) -> errors.EngineError:
    """The engine's error for a driver's; ``subject`` is what was asked about."""
    code = getattr(error, "code", None)
    if code is not None:
        return _refused(code, error, parameters, subject)
    return _broken(parameters, subject)


def _refused(code: int, error: Any, parameters: MongoDBParameters, subject: str) -> errors.EngineError:
    host = parameters.host
    if code in _WRONG_LOGIN:
        return errors.AuthenticationRefused(
            f"The user name or password was refused by {host}.",
            advice="Check the user name, the password and the login database, then test again.",
            field="password",
        )
    if code in _NOT_ALLOWED:
        return errors.PermissionMissing(
            f"This login may not read {subject}.", advice=f'Grant it the role "read" on {parameters.database}.'
        )
    if code in _NO_TABLE:
        return errors.TableMissing(f"There is no collection {subject}.", advice="Choose another one from the list.")
    if code in _TOO_SLOW:
        return errors.SourceTimeout(
            f"{host} took too long to answer about {subject}.",
            advice="An index on the cursor field helps; or try at a quieter time.",
        )
    if code in _STOPPING:
        return errors.ConnectionLost(
            f"{host} ended the reading of {subject}.",
            advice="Nothing was lost; the run goes on when it is tried again.",
        )
    return errors.SourceRefused(
        f"{host} refused: {_words(error, parameters)}", advice="Mend the cause, then try again."
    )


def unreached(words: str, parameters: MongoDBParameters, *, encrypted: bool) -> errors.EngineError:
    """Why the server could not be spoken with at all; ``encrypted`` when it failed in the encryption."""
    where = f"{parameters.host}, port {parameters.port},"
    if encrypted:
        return errors.SourceRefused(
            f"The encrypted connection to {where} failed: {tls_cause(words)}.",
            advice="Check the encryption setting and the CA certificate.",
            field="ssl_mode",
        )
    return errors.ConnectionRefused(
        f"Nothing answers at {where} or a firewall is in the way.",
        advice="Check host and port, and let this platform's address through the firewall.",
        field="host",
    )


def _broken(parameters: MongoDBParameters, subject: str) -> errors.EngineError:
    if subject == "the database":
        return errors.ConnectionRefused(
            f"{parameters.host}, port {parameters.port}, did not answer as a MongoDB server does.",
            advice="Check host, port and encryption; a server that demands encryption does not answer without.",
            field="host",
        )
    return errors.ConnectionLost(
        f"The connection to {parameters.host} broke while {subject} was read.",
        advice="Nothing was lost; the run goes on when it is tried again.",
    )


def _words(error: Exception, parameters: MongoDBParameters) -> str:
    text = str(error).split(", Timeout:")[0].split(" (configured timeouts")[0]
    return redacted(text, parameters.password.get_secret_value())
