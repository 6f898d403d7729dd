"""The engine's error for each error of the driver, in words without secrets."""

from __future__ import annotations

import re
from collections.abc import Hashable

from b2b_recs.engine import errors
from b2b_recs.engine.sources.error_table import Refusal, refusal_of
from b2b_recs.engine.sources.oracle.parameters import OracleParameters
from b2b_recs.engine.sources.redaction import redacted
from b2b_recs.engine.sources.tls_words import tls_cause

_UNREACHED = {"DPY-6005", "DPY-6000", "ORA-12541", "ORA-12170", "ORA-12545"}
_LOST = {
    "ORA-03113", "ORA-03114", "ORA-03135", "ORA-01012", "ORA-00028", "ORA-01089", "ORA-01033", "ORA-12537", "ORA-02396",
    "DPY-1001", "DPY-4011", "DPY-4033", "DPY-6009",
}  # fmt: skip
_CODE = re.compile(r"\b(ORA|DPY)-\d{4,5}\b")
# What tells a broken connection apart, where the codes alone do not say it.
_WHILE_READING, _OF_TLS, _AT_ALL = "lost while reading", "no encryption", "no connection"

_REFUSALS = (
    Refusal(
        errors.AuthenticationRefused,
        "The account {username} on {host} is locked or its password has expired.",
        "Ask the database's administrator to unlock it or to set a new password.",
        "username",
        codes=("ORA-28000", "ORA-28001"),
    ),
    Refusal(
        errors.AuthenticationRefused,
        "The user name or password was refused by {host}.",
        "Check the user name and password, then test again.",
        "password",
        codes=("ORA-01017", "ORA-01005", "ORA-01045"),
    ),
    Refusal(
        errors.DatabaseMissing,
        "The listener at {host} knows no service {service}.",
        "Check the service name; “lsnrctl services” on the server lists them.",
        "service_name",
        codes=("ORA-12514", "ORA-12505", "DPY-6001", "DPY-6003"),
    ),
    Refusal(
        errors.TableMissing,
        "There is no table {subject} any more, or this login may not read it.",
        "Choose another table, or ask for: GRANT SELECT ON {subject}.",
        codes=("ORA-00942",),
    ),
    Refusal(
        errors.ColumnMissing,
        "{subject} has no column {column} any more.",
        "Open the job and choose its columns again.",
        "{column}",
        codes=("ORA-00904",),
    ),
    Refusal(
        errors.PermissionMissing,
        "This login may not read {subject}.",
        "Ask for: GRANT SELECT ON {subject} TO {username}.",
        codes=("ORA-01031", "ORA-01720"),
    ),
    Refusal(
        errors.SourceTimeout,
        "{subject} changed too much while it was read: the server no longer has the state it began with.",
        "Run the job at a quieter time, or ask for a longer UNDO_RETENTION.",
        codes=("ORA-01555", "ORA-08177"),
    ),
    Refusal(
        errors.SourceTimeout,
        "{host} took too long to answer about {subject}.",
        "Try again at a quieter time.",
        codes=("DPY-4024", "ORA-01013", "ORA-00051"),
    ),
    Refusal(
        errors.ConnectionLost,
        "The connection to {host} broke while {subject} was read.",
        "Nothing was lost; the run goes on when it is tried again.",
        codes=(_WHILE_READING,),
    ),
    Refusal(
        errors.SourceRefused,
        "The encrypted connection to {host}, port {port}, failed: {cause}.",
        "Check the port, the encryption setting and the CA certificate.",
        "ssl_mode",
        codes=(_OF_TLS,),
    ),
    Refusal(
        errors.ConnectionRefused,
        "Nothing answers as an Oracle listener does at {host}, port {port}, or a firewall is in the way.",
        "Check host, port and encryption, and let this platform's address through the firewall.",
        "host",
        codes=(_AT_ALL,),
    ),
    Refusal(errors.SourceRefused, "{host} refused: {words}", "Mend the cause, then try again."),
)
_SILENT = Refusal(
    errors.SourceTimeout,
    "{host}, port {port}, did not answer in time.",
    "Check that the port is that of an Oracle listener and that the database is open, then try again.",
    "host",
)


def refusal(error: BaseException, parameters: OracleParameters, subject: str) -> errors.EngineError:
    """The engine's error for a driver's; ``subject`` is what was asked about."""
    said = f"{error} {error.__cause__ or ''}".split("\nHelp:")[0].strip()
    codes = {found.group() for found in _CODE.finditer(said)}
    column = re.search(r'ORA-00904: (?:"[^"]*"\.)*"?([^":]+)"?:', said)
    return refusal_of(
        _REFUSALS,
        {*codes, _broken(codes, subject, said)},
        host=parameters.host,
        port=parameters.port,
        service=parameters.service_name,
        username=parameters.username,
        subject=subject,
        column=column.group(1) if column else "a chosen column",
        cause=tls_cause(said),
        words=redacted(said, parameters.password.get_secret_value())[:300],
    )


def _broken(codes: set[str], subject: str, said: str) -> Hashable:
    """How the connection broke, None when it did not."""
    if codes & _LOST and subject != "the database":
        return _WHILE_READING
    if not codes & (_LOST | _UNREACHED):
        return None
    return _OF_TLS if any(sign in said for sign in ("SSL", "TLS", "certificate", "CERTIFICATE")) else _AT_ALL


def silent(parameters: OracleParameters) -> errors.EngineError:
    """The refusal when the server takes the connection and does not finish its answer."""
    return _SILENT.about(host=parameters.host, port=parameters.port)
