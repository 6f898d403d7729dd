"""The engine's error for each error of the driver, in words without secrets."""

from __future__ import annotations

import re

from b2b_recs.engine import errors
from b2b_recs.engine.sources.oracle.parameters import OracleParameters
from b2b_recs.engine.sources.redaction import redacted
from b2b_recs.engine.sources.tls_words import tls_cause

_LOGIN = {"ORA-01017", "ORA-01005", "ORA-28000", "ORA-28001", "ORA-01045"}
_SERVICE = {"ORA-12514", "ORA-12505", "DPY-6001", "DPY-6003"}
_UNREACHED = {"DPY-6005", "DPY-6000", "ORA-12541", "ORA-12170", "ORA-12545"}
_TABLE = {"ORA-00942"}
_COLUMN = {"ORA-00904"}
_RIGHT = {"ORA-01031", "ORA-01720"}
_OLD = {"ORA-01555", "ORA-08177"}
_LOST = {
    "ORA-03113", "ORA-03114", "ORA-03135", "ORA-01012", "ORA-00028", "ORA-01089", "ORA-01033", "ORA-12537", "ORA-02396",
    "DPY-1001", "DPY-4011", "DPY-4033", "DPY-6009",
}  # fmt: skip
_SLOW = {"DPY-4024", "ORA-01013", "ORA-00051"}
_CODE = re.compile(r"\b(ORA|DPY)-\d{4,5}\b")


def refusal(error: BaseException, parameters: OracleParameters, subject: str) -> errors.EngineError:
    """The engine's error for a driver's; ``subject`` is what was asked about."""
    words = f"{error} {error.__cause__ or ''}".split("\nHelp:")[0].strip()
    codes = {found.group() for found in _CODE.finditer(words)}
    for known, make in (
        (_LOGIN, _login), (_SERVICE, _service), (_TABLE, _table), (_COLUMN, _column), (_RIGHT, _right), (_OLD, _old),
        (_SLOW, _slow), (_LOST, _lost), (_UNREACHED, _unreached),
    ):  # fmt: skip
        if codes & known:
            return make(parameters, subject, words)
    shown = redacted(words, parameters.password.get_secret_value())[:300]
    return errors.SourceRefused(f"{parameters.host} refused: {shown}", advice="Mend the cause, then try again.")


def silent(parameters: OracleParameters) -> errors.EngineError:
    """The refusal when the server takes the connection and does not finish its answer."""
    return errors.SourceTimeout(
        f"{parameters.host}, port {parameters.port}, did not answer in time.",
        advice="Check that the port is that of an Oracle listener and that the database is open, then try again.",
        field="host",
    )


def _login(parameters: OracleParameters, subject: str, words: str) -> errors.EngineError:
    if "ORA-28000" in words or "ORA-28001" in words:
        return errors.AuthenticationRefused(
            f"The account {parameters.username} on {parameters.host} is locked or its password has expired.",
            advice="Ask the database's administrator to unlock it or to set a new password.",
            field="username",
        )
    return errors.AuthenticationRefused(
        f"The user name or password was refused by {parameters.host}.",
        advice="Check the user name and password, then test again.",
        field="password",
    )


def _service(parameters: OracleParameters, subject: str, words: str) -> errors.EngineError:
    return errors.DatabaseMissing(
        f"The listener at {parameters.host} knows no service {parameters.service_name}.",
        advice="Check the service name; “lsnrctl services” on the server lists them.",
        field="service_name",
    )


def _table(parameters: OracleParameters, subject: str, words: str) -> errors.EngineError:
    return errors.TableMissing(
        f"There is no table {subject} any more, or this login may not read it.",
        advice=f"Choose another table, or ask for: GRANT SELECT ON {subject}.",
    )


def _column(parameters: OracleParameters, subject: str, words: str) -> errors.EngineError:
    found = re.search(r'ORA-00904: (?:"[^"]*"\.)*"?([^":]+)"?:', words)
    name = found.group(1) if found else "a chosen column"
    return errors.ColumnMissing(
        f"{subject} has no column {name} any more.", advice="Open the job and choose its columns again.", field=name
    )


def _right(parameters: OracleParameters, subject: str, words: str) -> errors.EngineError:
    return errors.PermissionMissing(
        f"This login may not read {subject}.", advice=f"Ask for: GRANT SELECT ON {subject} TO {parameters.username}."
    )


def _old(parameters: OracleParameters, subject: str, words: str) -> errors.EngineError:
    return errors.SourceTimeout(
        f"{subject} changed too much while it was read: the server no longer has the state it began with.",
        advice="Run the job at a quieter time, or ask for a longer UNDO_RETENTION.",
    )


def _slow(parameters: OracleParameters, subject: str, words: str) -> errors.EngineError:
    return errors.SourceTimeout(
        f"{parameters.host} took too long to answer about {subject}.", advice="Try again at a quieter time."
    )


def _lost(parameters: OracleParameters, subject: str, words: str) -> errors.EngineError:
    if subject == "the database":
        return _unreached(parameters, subject, words)
    return errors.ConnectionLost(
        f"The connection to {parameters.host} broke while {subject} was read.",
        advice="Nothing was lost; the run goes on when it is tried again.",
    )


def _unreached(parameters: OracleParameters, subject: str, words: str) -> errors.EngineError:
    where = f"{parameters.host}, port {parameters.port},"
    if any(sign in words for sign in ("SSL", "TLS", "certificate", "CERTIFICATE")):
        return errors.SourceRefused(
            f"The encrypted connection to {where} failed: {tls_cause(words)}.",
            advice="Check the port, the encryption setting and the CA certificate.",
            field="ssl_mode",
        )
    return errors.ConnectionRefused(
        f"Nothing answers as an Oracle listener does at {where} or a firewall is in the way.",
        advice="Check host, port and encryption, and let this platform's address through the firewall.",
        field="host",
    )
