"""The page of a model's versions, and what is done there with the one in service."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from b2b_recs.engine.errors import EngineError
from b2b_recs.web.accounts.access import allows, model_or_404, requires, row_or_404
from b2b_recs.web.accounts.acting import user_of
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.switching import put_into_service, roll_back, start_serving, stop_serving
from b2b_recs.web.deployments.versions import versions_of
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.ui.zone import shown_in


@requires("viewer")
@require_GET
def versions(request: HttpRequest, model_id: int) -> HttpResponse:
    """Every trained version, what the gate said of it, and which one answers."""
    model = model_or_404(request, model_id)
    found = versions_of(model, request.GET.get("q", "").strip()[:100], request.GET.get("page", "1"))
    with shown_in(model.time_zone):
        context = {"model": model, "found": found, "may_edit": allows(request, "editor")}
        return render(request, "deployments/versions.html", context)


@requires("editor")
@require_POST
def version_deploy(request: HttpRequest, model_id: int, version_id: int) -> HttpResponse:
    """Put a version into service; the question before it has said what the gate said."""
    model_or_404(request, model_id, "editor")
    trained = row_or_404(request, TrainedModel.objects.filter(model_id=model_id), "editor", id=version_id)
    asked = request.POST.get("despite_gate") == "yes"
    return _done(
        request,
        model_id,
        lambda: put_into_service(trained, user_of(request), despite_gate=asked),
        "v{0} is in service now. It answers within a few seconds.",
    )


@requires("editor")
@require_POST
def service_back(request: HttpRequest, model_id: int) -> HttpResponse:
    """Back to the version that answered before the one the page showed."""
    model = model_or_404(request, model_id, "editor")
    seen = request.POST.get("from_version", "")
    if not (seen.isascii() and seen.isdecimal() and len(seen) < 10):
        raise Http404
    return _done(
        request,
        model_id,
        lambda: roll_back(model, int(seen), user_of(request)),
        "Rolled back: v{0} is in service now. It answers within a few seconds.",
    )


@requires("editor")
@require_POST
def service_stop(request: HttpRequest, model_id: int) -> HttpResponse:
    """Let the endpoint answer nothing."""
    model = model_or_404(request, model_id, "editor")
    return _done(
        request,
        model_id,
        lambda: stop_serving(model),
        "v{0} was stopped: within a few seconds the endpoint answers nothing more.",
    )


@requires("editor")
@require_POST
def service_start(request: HttpRequest, model_id: int) -> HttpResponse:
    """Let the version that was stopped answer again."""
    model = model_or_404(request, model_id, "editor")
    return _done(request, model_id, lambda: start_serving(model), "v{0} answers again within a few seconds.")


def _done(request: HttpRequest, model_id: int, work: Callable[[], Deployment], words: str) -> HttpResponse:
    try:
        deployment = work()
    except EngineError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, words.format(deployment.trained_model.number))
    return redirect("versions", model_id)
