"""The engine's error for each answer of the service, in words without secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from b2b_recs.engine import errors
from b2b_recs.engine.sources.error_table import TOO_MUCH, Refusal, refusal_of
from b2b_recs.engine.sources.firestore.parameters import FirestoreParameters

# What tells a state apart, where the status alone does not say it.
_NO_INDEX, _UNREACHED, _OFF, _OTHER_MODE = "no index", "not reached", "switched off", "another mode"
_ENDLESS = "a message larger than any"
_BROKEN = ("UNAVAILABLE", "INTERNAL", "ABORTED", "CANCELLED")

TOO_MANY = replace(TOO_MUCH, advice="Check the project and the database.", field="database")
# By the status of gRPC.
_REFUSALS = (
    Refusal(
        errors.AuthenticationRefused,
        "Firestore refused the key of the service account for {project}.",
        "Make a new key for the account and paste its file; check that the account is not disabled.",
        "service_account",
        codes=("UNAUTHENTICATED",),
    ),
    Refusal(
        errors.SourceRefused,
        "The Cloud Firestore API is switched off in the project {project}.",
        "Switch it on in the Google Cloud console, wait a few minutes, then test again.",
        "project",
        codes=(_OFF,),
    ),
    Refusal(
        errors.SourceRefused,
        "The database {database} of {project} is in Datastore mode, in which Firestore cannot be read.",
        "Give the id of a database in Native mode.",
        "database",
        codes=(_OTHER_MODE,),
    ),
    Refusal(
        errors.PermissionMissing,
        "The service account may not read {subject} in {project}.",
        "Give it the role Cloud Datastore Viewer (roles/datastore.viewer).",
        "service_account",
        codes=("PERMISSION_DENIED",),
    ),
    Refusal(
        errors.DatabaseMissing,
        "{project} has no Firestore database {database}.",
        "Check the ids of the project and of the database.",
        "database",
        codes=("NOT_FOUND",),
    ),
    Refusal(
        errors.SourceRefused,
        "Firestore has no index for reading {subject} in this order.",
        "Make the index Firestore names, or use only the document's id as the key of the job.",
        "key",
        codes=(_NO_INDEX,),
    ),
    Refusal(
        errors.SourceTimeout,
        "The state of {subject} that was being read is too old now.",
        "Switch on point-in-time recovery for the database, or read less at once.",
        codes=("FAILED_PRECONDITION",),
    ),
    Refusal(
        errors.BadInput,
        "Firestore cannot answer about {subject}: {words}",
        "Choose from the list.",
        codes=("INVALID_ARGUMENT",),
    ),
    TOO_MANY.when(codes=(_ENDLESS,)),
    Refusal(
        errors.SourceRefused,
        "The quota of {project} is used up.",
        "Wait until it is renewed, or raise it in the Google Cloud console.",
        transient=True,
        codes=("RESOURCE_EXHAUSTED",),
    ),
    Refusal(
        errors.SourceTimeout,
        "Firestore took too long to answer about {subject}.",
        "Try again at a quieter time.",
        codes=("DEADLINE_EXCEEDED",),
    ),
    Refusal(
        errors.ConnectionRefused,
        "Firestore could not be reached.",
        "Check that this platform may reach firestore.googleapis.com, port 443.",
        "project",
        codes=(_UNREACHED,),
    ),
    Refusal(
        errors.ConnectionLost,
        "The connection to Firestore broke while {subject} was read.",
        "Nothing was lost; the run goes on when it is tried again.",
        codes=_BROKEN,
    ),
    Refusal(errors.SourceRefused, "Firestore refused: {reason}", "Mend the cause, then try again."),
)


def refusal(error: Any, parameters: FirestoreParameters, subject: str) -> errors.EngineError:
    """The engine's error for a failed call, by its gRPC status; ``subject`` is what was asked about."""
    status = error.code().name if callable(getattr(error, "code", None)) else "UNKNOWN"
    words = str(getattr(error, "details", lambda: "")() or "").split("\n")[0][:300]
    codes = {status}
    if status == "FAILED_PRECONDITION" and "index" in words:
        codes.add(_NO_INDEX)
    if "has not been used in project" in words:
        codes.add(_OFF)
    if status == "RESOURCE_EXHAUSTED" and "larger than max" in words:
        codes = {_ENDLESS}
    if "Datastore Mode" in words:
        codes.add(_OTHER_MODE)
    if status in _BROKEN and subject == "the database":
        codes.add(_UNREACHED)
    return refusal_of(
        _REFUSALS,
        codes,
        host=parameters.project,
        project=parameters.project,
        database=parameters.database,
        subject=subject,
        words=words,
        reason=words or status,
    )
