"""Who may use a runner's address: whoever holds the token of that very attempt, while it is under way."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from pydantic import BaseModel, ValidationError

from b2b_recs.engine.errors import BadInput, EngineError
from b2b_recs.web.accounts.policies import RUN_TOKEN
from b2b_recs.web.accounts.refusals import error_answer
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.remote.tokens import Permit, permit_of
from b2b_recs.web.tenancy import scope

View = Callable[[HttpRequest, Permit], HttpResponse]
OVER = "A newer attempt has taken over this run, or it has ended."


def with_run_token(method: str) -> Callable[[View], Callable[..., HttpResponse]]:
    """Declare an address for the holder of the run's token; the view gets what the token stands for.

    A token that is missing, forged, expired or another run's is answered alike; one whose attempt is over gets 409.
    """

    def decorate(view: View) -> Callable[..., HttpResponse]:
        @csrf_exempt  # a browser never sends this header by itself
        @wraps(view)
        def guarded(request: HttpRequest, run_id: int) -> HttpResponse:
            permit = permit_of(request.headers.get("Authorization", ""))
            if permit is None or permit.run_id != run_id:
                advice = "Start the runner with a token the platform has just handed out."
                return error_answer(401, "run_token_refused", "The run token is not valid here.", advice)
            if request.method != method:
                refusal = error_answer(405, "not_allowed", "This address is asked otherwise.", f"Use {method}.")
                refusal["Allow"] = method
                return refusal
            return _answered(view, request, permit)

        guarded.access_policy = RUN_TOKEN  # type: ignore[attr-defined]
        return guarded

    return decorate


def _answered(view: View, request: HttpRequest, permit: Permit) -> HttpResponse:
    if not under_way(permit):
        return over()
    try:
        return view(request, permit)
    except RequestDataTooBig:
        return error_answer(413, "too_large", "The report is larger than 5 MB.", "Send fewer lines at a time.")
    except EngineError as refusal:
        return error_answer(422, refusal.code, refusal.message, refusal.advice, refusal.field)


def under_way(permit: Permit) -> bool:
    """Whether the token's attempt is the newest one of its run, and still at work."""
    with scope(permit.organization_id):
        found: bool = ETLRun.objects.filter(
            id=permit.run_id, attempt=permit.attempt, status=ETLRun.Status.RUNNING
        ).exists()
        return found


def over() -> HttpResponse:
    """The answer to a runner that has lost its run: it must stop and not write any more."""
    return error_answer(409, "fenced", OVER, "Stop; nothing is left to do here.")


def document(request: HttpRequest, kind: type[Any]) -> Any:
    """The request's body as that document. Raises BadInput naming the field."""
    assert issubclass(kind, BaseModel)
    try:
        return kind.model_validate_json(request.body or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadInput(
            f"The report cannot be read: {field or 'as a whole'}: {first['msg']}.",
            field=field or None,
            advice="Use a runner of the platform's own version.",
        ) from None
