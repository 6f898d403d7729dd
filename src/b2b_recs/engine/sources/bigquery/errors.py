"""The words of BigQuery and Google's libraries turned into the engine's errors."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from b2b_recs.engine.errors import (
    AuthenticationRefused,
    ColumnMissing,
    ConnectionLost,
    ConnectionRefused,
    DatabaseMissing,
    PermissionMissing,
    SourceRefused,
    SourceTimeout,
    TableMissing,
)
from b2b_recs.engine.sources.bigquery.parameters import BigQueryParameters
from b2b_recs.engine.sources.error_table import TOO_MUCH

_QUOTA = ("quotaExceeded", "rateLimitExceeded", "resourcesExceeded", "billingNotEnabled", "billingTierLimitExceeded")
_NOT_FOUND, _UNAUTHORIZED, _FORBIDDEN = 404, 401, 403
_GRPC = {"NOT_FOUND": 404, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403, "RESOURCE_EXHAUSTED": 429}


def own_words(error: BaseException) -> str:
    """Google's own sentence without addresses, job ids and frames."""
    text = str(getattr(error, "message", None) or error)
    text = re.sub(r"https?://\S+", "", text)
    text = re.sub(r"(Location|Job ID): \S+", "", text)
    return " ".join(text.split())[:500]


def failed(error: BaseException, parameters: BigQueryParameters, subject: str) -> SourceRefused:
    """Why a question or a read failed; ``subject`` is what it was about, such as a table's name."""
    if type(error).__name__ == "RetryError" and getattr(error, "cause", None) is not None:
        error = error.cause  # type: ignore[attr-defined]
    words, code = own_words(error), _code(error)
    kind = type(error).__name__
    if kind == "RefreshError" or code == _UNAUTHORIZED:
        return AuthenticationRefused(
            "Google refused the service account key.",
            advice="Check that the account and its key exist and are not disabled, or make a new key.",
            field="credentials",
        )
    if code == _NOT_FOUND:
        return _missing(words, parameters, subject)
    if code == _FORBIDDEN or code == 429:
        return _forbidden(error, words, parameters, subject)
    if re.search(r"Unrecognized name|No such field|no such column|Name \S+ not found", words, re.I):
        return ColumnMissing(
            f"A column is no longer in {subject}: {words}", advice="Open the job and choose its columns again."
        )
    if kind in ("DeadlineExceeded", "GatewayTimeout", "TimeoutError", "RetryError") or "timed out" in words:
        return SourceTimeout(
            f"BigQuery took too long to answer about {subject}: {words}",
            advice="Start the run again at a quieter hour.",
        )
    if kind in ("TransportError", "ProxyError", "ConnectionError", "SSLError", "ConnectTimeout"):
        return ConnectionRefused(
            "Google's services could not be reached.",
            advice="Check that this machine's firewall lets it reach googleapis.com.",
        )
    if code is None or code >= 500 or kind in ("ServiceUnavailable", "Aborted", "Cancelled", "Unknown"):
        return lost(subject, words)
    return SourceRefused(f"BigQuery refused to read {subject}: {words}", advice="Check the table in BigQuery.")


# In the words of all sources; many tables are in the datasets of a project, not in one.
TOO_MANY = replace(TOO_MUCH, advice="Name one dataset in the connection.", field="dataset")


def lost(subject: str, words: str) -> ConnectionLost:
    """The refusal when the connection broke, or BigQuery ended a read."""
    return ConnectionLost(
        f"The connection to BigQuery broke while reading {subject}: {words}", advice="Start the run again."
    )


def missing_table(subject: str, project: str) -> TableMissing:
    """The refusal of a table that is not there."""
    return TableMissing(
        f"{subject} is not in the project {project}.",
        advice="Check the dataset and table name, or whether it was deleted.",
    )


def _missing(words: str, parameters: BigQueryParameters, subject: str) -> SourceRefused:
    if re.search(r"Not found: Dataset", words) and "." not in subject:
        return DatabaseMissing(
            f"The project {parameters.project} has no dataset {parameters.dataset}.",
            advice="Check the dataset's name and the project; capital letters matter.",
            field="dataset",
        )
    if re.search(r"Not found: Project|project .* not found", words, re.I):
        return DatabaseMissing(
            f"There is no project {parameters.project}, or this account may not see it.",
            advice="Check the project id, not its name.",
            field="project",
        )
    if re.search(r"location", words, re.I) and "Not found: Job" in words:
        return SourceRefused(
            f"The data is in another location than {parameters.location}.",
            advice="Leave the location empty, or give the dataset's own.",
            field="location",
        )
    return missing_table(subject, parameters.project)


def _forbidden(error: BaseException, words: str, parameters: BigQueryParameters, subject: str) -> SourceRefused:
    reasons = {str(one.get("reason")) for one in _details(error)}
    if reasons & set(_QUOTA) or re.search(r"quota|exceeded|billing", words, re.I):
        return SourceRefused(
            f"A quota of the project {parameters.project} is used up: {words}",
            advice="Wait, or raise the quota in Google Cloud, then start the run again.",
            field="project",
            transient=True,
        )
    if "accessNotConfigured" in reasons or "has not been used in project" in words:
        return SourceRefused(
            f"The BigQuery API is switched off in the project {parameters.project}.",
            advice="Switch it on in the Google Cloud console, wait a few minutes, then test again.",
            field="project",
        )
    return PermissionMissing(
        f"This account may not read {subject}: {words}",
        advice="Grant it BigQuery Data Viewer on the dataset, Job User and Read Session User on the project.",
        field="credentials",
    )


def _code(error: BaseException) -> int | None:
    code: Any = getattr(error, "code", None)
    if callable(code):
        return _GRPC.get(getattr(code(), "name", ""), 500)
    return int(code) if code is not None else None


def _details(error: BaseException) -> list[dict[str, Any]]:
    found = getattr(error, "errors", None) or []
    return [one for one in found if isinstance(one, dict)]
