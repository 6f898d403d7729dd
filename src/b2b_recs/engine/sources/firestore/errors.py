"""The engine's error for each answer of the service, in words without secrets."""

from __future__ import annotations

from typing import Any

from b2b_recs.engine import errors
from b2b_recs.engine.sources.firestore.parameters import FirestoreParameters


def refusal(error: Any, parameters: FirestoreParameters, subject: str) -> errors.EngineError:
    """The engine's error for a failed call, by its gRPC status; ``subject`` is what was asked about."""
    status = error.code().name if callable(getattr(error, "code", None)) else "UNKNOWN"
    words = str(getattr(error, "details", lambda: "")() or "").split("\n")[0][:300]
    make = _BY_STATUS.get(status)
    if make is not None:
        return make(parameters, subject, words)
    return errors.SourceRefused(f"Firestore refused: {words or status}", advice="Mend the cause, then try again.")


def _unauthenticated(parameters: FirestoreParameters, subject: str, words: str) -> errors.EngineError:
    return errors.AuthenticationRefused(
        f"Firestore refused the key of the service account for {parameters.project}.",
        advice="Make a new key for the account and paste its file; check that the account is not disabled.",
        field="service_account",
    )


def _denied(parameters: FirestoreParameters, subject: str, words: str) -> errors.EngineError:
    return errors.PermissionMissing(
        f"The service account may not read {subject} in {parameters.project}.",
        advice="Give it the role Cloud Datastore Viewer (roles/datastore.viewer).",
        field="service_account",
    )


def _missing(parameters: FirestoreParameters, subject: str, words: str) -> errors.EngineError:
    return errors.DatabaseMissing(
        f"{parameters.project} has no Firestore database {parameters.database}.",
        advice="Check the ids of the project and of the database.",
        field="database",
    )


def _condition(parameters: FirestoreParameters, subject: str, words: str) -> errors.EngineError:
    if "index" in words:
        return errors.SourceRefused(
            f"Firestore has no index for reading {subject} in this order.",
            advice="Make the index Firestore names, or use only the document's id as the key of the job.",
            field="key",
        )
    return errors.SourceTimeout(
        f"The state of {subject} that was being read is too old now.",
        advice="Switch on point-in-time recovery for the database, or read less at once.",
    )


def _invalid(parameters: FirestoreParameters, subject: str, words: str) -> errors.EngineError:
    return errors.BadInput(f"Firestore cannot answer about {subject}: {words}", advice="Choose from the list.")


def _exhausted(parameters: FirestoreParameters, subject: str, words: str) -> errors.EngineError:
    return errors.SourceRefused(
        f"The quota of {parameters.project} is used up.",
        advice="Wait until it is renewed, or raise it in the Google Cloud console.",
        transient=True,
    )


def _slow(parameters: FirestoreParameters, subject: str, words: str) -> errors.EngineError:
    return errors.SourceTimeout(
        f"Firestore took too long to answer about {subject}.", advice="Try again at a quieter time."
    )


def _broken(parameters: FirestoreParameters, subject: str, words: str) -> errors.EngineError:
    if subject == "the database":
        return errors.ConnectionRefused(
            "Firestore could not be reached.",
            advice="Check that this platform may reach firestore.googleapis.com, port 443.",
            field="project",
        )
    return errors.ConnectionLost(
        f"The connection to Firestore broke while {subject} was read.",
        advice="Nothing was lost; the run goes on when it is tried again.",
    )


_BY_STATUS = {
    "UNAUTHENTICATED": _unauthenticated,
    "PERMISSION_DENIED": _denied,
    "NOT_FOUND": _missing,
    "FAILED_PRECONDITION": _condition,
    "INVALID_ARGUMENT": _invalid,
    "RESOURCE_EXHAUSTED": _exhausted,
    "DEADLINE_EXCEEDED": _slow,
    "UNAVAILABLE": _broken,
    "INTERNAL": _broken,
    "ABORTED": _broken,
    "CANCELLED": _broken,
}
