"""Whether pages can be served."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, JsonResponse

from b2b_recs.web.accounts.policies import public


@public
def health(request: HttpRequest) -> JsonResponse:
    """200 when the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
