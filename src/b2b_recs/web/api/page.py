"""The OpenAPI document as a page of this installation: by scripts, and as a plain list where there are none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger

METHODS = ("get", "post", "put", "patch", "delete")


class Address(NamedTuple):
    """One thing that can be asked for: how, where, and what it does in a line."""

    method: str
    path: str
    words: str


def addresses(document: Mapping[str, Any]) -> list[Address]:
    """Every address an OpenAPI document describes, in its order."""
    return [
        Address(method.upper(), path, _line(methods[method]))
        for path, methods in document["paths"].items()
        for method in METHODS
        if method in methods
    ]


def _line(operation: Mapping[str, Any]) -> str:
    """The first line of what is said of an operation; its name where nothing is."""
    said = str(operation.get("description") or operation.get("summary", ""))
    return said.strip().partition("\n")[0]


class Page(Swagger):
    """The document as a page, with nothing from elsewhere."""

    template = "api/docs.html"

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """The page: what scripts make of the document, and its addresses for whoever has none."""
        self.settings["url"] = self.get_openapi_url(api, kwargs)
        context = {"api": api, "swagger_settings": json.dumps(self.settings, indent=1), "addresses": _listed(api)}
        return render(request, self.template, context)


@cache
def _listed(api: NinjaAPI) -> list[Address]:
    return addresses(api.get_openapi_schema())
