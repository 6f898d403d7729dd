"""The OpenAPI document made complete: how to sign in, what each refusal means, what no example may hold."""

from __future__ import annotations

from typing import Any

from b2b_recs.web.api.schemas import REFUSALS
from b2b_recs.web.etl.remote.described import add_runner

SECURITY = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key with the scope read or write."},
    "session": {"type": "apiKey", "in": "cookie", "name": "b2b_recs_session", "description": "A signed-in person."},
}


def finished(document: dict[str, Any]) -> dict[str, Any]:
    """The document with its ways to sign in and its refusals in words."""
    document.setdefault("components", {})["securitySchemes"] = SECURITY
    document["security"] = [{"apiKey": []}, {"session": []}]
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                answer["description"] = REFUSALS.get(int(status), answer.get("description") or "Done.")
    add_runner(document)
    return document
