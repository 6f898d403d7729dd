"""The page of the audit log and its file."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from b2b_recs.web.accounts.access import requires
from b2b_recs.web.accounts.refusals import refuse
from b2b_recs.web.api.limits import TooMany, spend
from b2b_recs.web.audit import asking
from b2b_recs.web.audit.export import MOST, as_csv
from b2b_recs.web.audit.kinds import GROUPS
from b2b_recs.web.audit.reading import page_of


@requires("admin")
@never_cache
@require_GET
def audit(request: HttpRequest) -> HttpResponse:
    """Entries, searched and narrowed."""
    ask = asking.Ask.of(request.GET)
    context = {
        "ask": ask,
        "page": page_of(ask, request.GET.get("before", ""), request.GET.get("after", "")),
        "groups": GROUPS.items(),
        "actors": asking.ACTORS.items(),
        "actions": asking.ACTIONS.items(),
        "periods": [(value, words) for value, (words, _) in asking.PERIODS.items()],
        "most": MOST,
    }
    return render(request, "audit/audit.html", context)


@requires("admin")
@never_cache
@require_GET
def audit_csv(request: HttpRequest) -> HttpResponse:
    """The same entries as a file."""
    try:
        spend(request, "exports of the audit log")
    except TooMany as refusal:
        return refuse(request, 429, str(refusal))
    name = f"audit-{request.organization.slug}-{timezone.now():%Y-%m-%d}.csv"  # type: ignore[attr-defined]
    answer = HttpResponse(as_csv(asking.Ask.of(request.GET)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
