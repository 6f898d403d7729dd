"""Requests with an ``Idempotency-Key`` are carried out once; sent again, they are answered as the first time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import salted_hmac
from pydantic import BaseModel

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.accounts.acting import acting
from b2b_recs.web.api.models import KeptAnswer

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
KEPT_FOR = timedelta(hours=24)


def kept_answer(request: HttpRequest) -> HttpResponse | None:
    """The answer this request had before, None when it is new or has no key; to be asked before slow work."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    with acting(request):
        row = KeptAnswer.objects.filter(key=key, created_at__gt=datetime.now(UTC) - KEPT_FOR).first()
    return None if row is None else _again(row, request)


def once(request: HttpRequest, status: int, work: Callable[[], BaseModel]) -> HttpResponse:
    """The answer of ``work``, which is done in one transaction together with keeping the answer.

    A request with the same key that comes meanwhile waits for it. A refusal undoes everything, the key included, so
    that the same key may be used after mending what was refused. Raises what ``work`` raises, and BadInput for a key
    that was used with another body.
    """
    key = request.headers.get(HEADER)
    with acting(request):
        if key is None:
            return JsonResponse(work().model_dump(mode="json"), status=status)
        KeptAnswer.objects.filter(created_at__lte=datetime.now(UTC) - KEPT_FOR).delete()
        try:
            with transaction.atomic():
                row = KeptAnswer.objects.create(key=key, request_digest=_digest(request))
        except IntegrityError:
            return _again(KeptAnswer.objects.get(key=key), request)
        row.status, row.answer = status, work().model_dump(mode="json")
        row.save(update_fields=["status", "answer"])
        return JsonResponse(row.answer, status=status)


def _again(row: KeptAnswer, request: HttpRequest) -> HttpResponse:
    if row.request_digest != _digest(request):
        raise BadInput(
            f"The {HEADER} was used for another request within 24 hours.",
            advice="Use a new one for every new request.",
            field=HEADER,
        )
    return JsonResponse(row.answer, status=row.status, headers={REPLAYED: "true"})


def _digest(request: HttpRequest) -> str:
    """What was asked, under the installation's key, because a body may hold a password."""
    body = json.dumps(getattr(request, "json_body", None), sort_keys=True)
    asked = f"{request.method} {request.path}\n{body}"
    return salted_hmac("b2b_recs.api.idempotency", asked, algorithm="sha256").hexdigest()
