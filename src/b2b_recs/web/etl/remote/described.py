"""The addresses of runners as the OpenAPI document shows them, from the documents that are really exchanged."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from b2b_recs.runtime.run_documents import Assignment, EndAnswer, EndReport, ProgressAnswer, ProgressReport, UseReport

TAG = "Runner"
SCHEME = "runToken"
SECURITY = {
    SCHEME: {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`RunToken` and the token of one attempt at one run. The platform hands it to the runner it "
        "starts; it opens that run's addresses only, and nothing once the attempt is over.",
    }
}
REFUSALS = {
    401: "No token, or one that is not valid for this run.",
    405: "Another method is needed.",
    409: "The attempt is over: the run ended or was cancelled, or a newer attempt took over. Stop.",
    413: "The report is larger than 5 MB.",
    422: "The report cannot be read, or the connection is switched off; `field` and `advice` say what to do.",
}
_BASE = "/api/etl/runner/runs/{run_id}/"
_PREFIX = "Runner"
# Address, method, what it does in a few words and in a sentence, what is sent, what is answered.
_OPERATIONS: tuple[tuple[str, str, str, str, type[BaseModel] | None, type[BaseModel] | None], ...] = (
    ("", "get", "Assignment", "What is to be done, with the secrets of the run's own connection.", None, Assignment),
    (
        "progress/",
        "post",
        "Progress",
        "Tell stages, counters and log lines; the answer says whether to stop, and may bring a fresh token.",
        ProgressReport,
        ProgressAnswer,
    ),
    ("used/", "post", "Used", "Tell whether the source let the runner in.", UseReport, None),
    (
        "interrupted/",
        "post",
        "Interrupted",
        "Tell that the runner ends because it was told to; that is no failed attempt.",
        None,
        None,
    ),
    ("end/", "post", "End", "Tell how the work ended; from then on the token opens nothing.", EndReport, EndAnswer),
)
_DOCUMENTS = (Assignment, ProgressReport, ProgressAnswer, UseReport, EndReport, EndAnswer)


def add_runner(document: dict[str, Any]) -> None:
    """Put the addresses, their documents and their way to sign in into an OpenAPI document."""
    components = document["components"]
    components["securitySchemes"] = {**components["securitySchemes"], **SECURITY}
    components["schemas"].update(_schemas())
    for path, method, title, words, sent, answered in _OPERATIONS:
        document["paths"][_BASE + path] = {method: _operation(title, words, sent, answered)}


def _schemas() -> dict[str, Any]:
    """The documents by name; what they are made of is theirs alone, whatever else has the same name."""
    inside = models_json_schema(
        [(kind, "validation") for kind in _DOCUMENTS], ref_template=f"#/components/schemas/{_PREFIX}{{model}}"
    )[1]["$defs"]
    # A secret is sent to the runner, so it is not one that can only be written.
    plain = json.loads(json.dumps(inside).replace('"writeOnly": true, ', "").replace(', "writeOnly": true', ""))
    return {f"{_PREFIX}{name}": schema for name, schema in plain.items()}


def _operation(
    title: str, words: str, sent: type[BaseModel] | None, answered: type[BaseModel] | None
) -> dict[str, Any]:
    answer = _reference(f"{_PREFIX}{answered.__name__}") if answered else {"type": "object", "maxProperties": 0}
    operation: dict[str, Any] = {
        "operationId": f"runner_{title.lower()}",
        "summary": title,
        "description": words,
        "tags": [TAG],
        "security": [{SCHEME: []}],
        "parameters": [{"in": "path", "name": "run_id", "required": True, "schema": {"type": "integer", "minimum": 1}}],
        "responses": {
            "200": {"description": "Done.", "content": _json(answer)},
            **{
                str(status): {"description": told, "content": _json(_reference("Refusal"))}
                for status, told in REFUSALS.items()
            },
        },
    }
    if sent is not None:
        operation["requestBody"] = {"required": True, "content": _json(_reference(f"{_PREFIX}{sent.__name__}"))}
    return operation


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
