"""Every way an operation can be refused, as the one answer programs read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.several import Several
from b2b_recs.engine.value_words import words_for
from b2b_recs.web.accounts.refusals import error_answer, not_allowed, refuse_missing
from b2b_recs.web.api.limits import TooMany
from b2b_recs.web.conflicts import Conflict
from b2b_recs.web.connections.testing import TestNotPossible
from b2b_recs.web.etl.loads import KINDS

# Parts of a place that name no part of the request: where it was found, and branches of a choice.
_SOURCES = ("body", "query", "path", "header")
_BRANCHES = ("literal['all']", "literal['last']", "int", "date", "str", "bool", "float")
# What a part that may have several shapes must be; a list of each shape's own error would help nobody.
SHAPES = {
    "backfill": "all, a number of days, or a date such as 2024-01-31",
    "day": "a number from 1 to 28, or last",
    "load": f"a set of names and values whose strategy is one of {', '.join(KINDS)}",
}


def declare(api: NinjaAPI) -> None:
    """Let the API answer refusals in its one shape; what nobody foresaw stays a 500 of the site."""
    api.exception_handler(Http404)(refuse_missing)
    api.exception_handler(PermissionDenied)(lambda request, error: not_allowed(request))
    api.exception_handler(ValidationError)(_unfit)
    api.exception_handler(EngineError)(_refused)


def status_of(error: EngineError) -> int:
    """The HTTP status of a refusal."""
    if isinstance(error, Conflict):
        return 409
    if isinstance(error, TooMany):
        return 429
    return 503 if isinstance(error, TestNotPossible) else 422


def _refused(request: HttpRequest, error: EngineError) -> HttpResponse:
    faults = error.faults if isinstance(error, Several) else ()
    answer = error_answer(
        status_of(error),
        error.code,
        error.message,
        error.advice or advice_for(error.field),
        error.field,
        [_fault(fault.message, fault.advice or advice_for(fault.field), fault.field) for fault in faults],
    )
    wait = getattr(error, "retry_after", None)
    if wait is not None:
        answer["Retry-After"] = str(wait)
    return answer


def _unfit(request: HttpRequest, error: ValidationError) -> HttpResponse:
    by_place: dict[str | None, list[Mapping[str, Any]]] = {}
    for one in error.errors:
        by_place.setdefault(place_of(one), []).append(one)
    faults = [_fault(*words_of(errors)) for errors in by_place.values()]
    first = words_of(error.errors)
    faults.sort(key=lambda fault: fault["field"] != first[2])
    return error_answer(422, "bad_input", *first, faults)


def _fault(message: str, advice: str, field: str | None) -> dict[str, str | None]:
    return {"message": message, "advice": advice, "field": field}


def words_of(errors: Sequence[Mapping[str, Any]]) -> tuple[str, str, str | None]:
    """What is wrong, what to do, and the part at fault; a value is never repeated, it may be a secret."""
    first = _deepest(errors)
    field = place_of(first)
    context = first.get("ctx", {})
    if first["type"] == "missing":
        return f"{field or 'The body'} is missing.", "Send it.", field
    if first["type"] == "extra_forbidden":
        return f"There is no setting {field}.", "Leave it out; /api/docs lists what there is.", field
    if "message" in context and "advice" in context:  # already in the words of the product
        return str(context["message"]), str(context["advice"]) or advice_for(field), field
    shape = SHAPES.get(str(field).rpartition(".")[2])
    if shape and (str(first["loc"][-1]) in _BRANCHES or "union_tag" in first["type"]):
        return f"{field} must be {shape}.", f"Give {shape}.", field
    text, advice = words_for(first)
    colon = "" if text.startswith(("must ", "has ", "cannot ", "does ")) else ":"
    return f"{field or 'The body'}{colon} {text}.", advice or advice_for(field), field


def advice_for(field: str | None) -> str:
    """What to do about a value whose refusal says no more than what is wrong."""
    return f"Change {field}; /api/docs says what it takes." if field else "Compare it with /api/docs and send it again."


def _deepest(errors: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The error to tell: the first that speaks of a known setting, else the first."""
    return next((error for error in errors if error["type"] != "extra_forbidden"), errors[0])


def place_of(error: Mapping[str, Any]) -> str | None:
    """The part of the request an error speaks of, as people write it: ``load.cursor``, ``types.0.name``."""
    place = [str(part) for part in error["loc"]]
    if place and place[0] in _SOURCES:
        # the body is one document, which the operation's own name for it stands before
        place = place[2:] if place[0] == "body" else place[1:]
    if len(place) > 1 and place[0] == "load" and place[1] in KINDS:
        del place[1]
    if len(place) > 1 and place[-1] in _BRANCHES and error["type"] not in ("extra_forbidden", "missing"):
        del place[-1]
    return ".".join(place)[:200] or None
