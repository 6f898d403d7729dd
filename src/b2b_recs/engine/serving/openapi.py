"""The OpenAPI 3.1 document of the endpoints, made from the very structs that check and write the bodies."""

from __future__ import annotations

from typing import Any

import msgspec

from b2b_recs import __version__
from b2b_recs.engine.serving.answers import BatchReply, HealthReply, SingleReply
from b2b_recs.engine.serving.refusals import RefusalReply
from b2b_recs.engine.serving.requests import BatchBody, RecommendBody

WORDS = {
    400: "Not JSON, or the key opens several models",
    401: "No key, or one that is unknown or revoked",
    403: "The key may not ask that model, or not ask any",
    413: "The body is too large",
    422: "A field is wrong; the reply names it",
    500: "A fault of the service",
    503: "Serving of the model was stopped, or no version of it can answer",
}
_TYPES = (RecommendBody, BatchBody, SingleReply, BatchReply, HealthReply, RefusalReply)


def document() -> dict[str, Any]:
    """The document as JSON-ready values."""
    schemas, components = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    ask, ask_many, single, batch, health, refusal = schemas
    asked = (400, 401, 403, 413, 422, 500, 503)
    paths: dict[str, Any] = {}
    for prefix in ("", "/models/{model_id}"):
        common = {"parameters": [_model_id()]} if prefix else {}
        paths[f"{prefix}/recommend"] = common | {"post": _operation("Recommend", single, refusal, asked, ask)}
        paths[f"{prefix}/recommend-batch"] = common | {
            "post": _operation("Recommend for many customers", batch, refusal, asked, ask_many)
        }
        read = _operation("Facts about the model that answers", {"type": "object"}, refusal, (400, 401, 403, 503))
        paths[f"{prefix}/model-info"] = common | {"get": read}
        able = _operation("Whether it can answer", health, refusal, (400, 401, 403))
        able["responses"]["503"] = _response("No version of the model can answer", health)
        able["security"] = [{"key": []}] if prefix else [{}, {"key": []}]
        paths[f"{prefix}/health"] = common | {"get": able}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Recommendations", "version": __version__},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "security": [{"key": []}],
    }


def _model_id() -> dict[str, Any]:
    return {"name": "model_id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}


def _operation(
    summary: str, reply: Any, refusal: Any, refused: tuple[int, ...], body: Any | None = None
) -> dict[str, Any]:
    responses = {"200": _response("Answered", reply)}
    responses |= {str(status): _response(WORDS[status], refusal) for status in refused}
    operation: dict[str, Any] = {"summary": summary, "responses": responses}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _response(words: str, schema: Any) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": schema}}}
