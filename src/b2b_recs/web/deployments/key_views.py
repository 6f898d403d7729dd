"""API keys of one model: made and shown once, listed, revoked."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from b2b_recs.web.accounts.access import allows, model_or_404, requires
from b2b_recs.web.accounts.api_keys import create_key, revoke_key
from b2b_recs.web.accounts.models import ApiKey
from b2b_recs.web.deployments.customers import example_customer
from b2b_recs.web.deployments.forms import KeyForm
from b2b_recs.web.deployments.pointers import sync_pointers
from b2b_recs.web.deployments.samples import samples
from b2b_recs.web.deployments.services import active_deployment
from b2b_recs.web.ui.zone import shown_in


@requires("viewer")
@never_cache
@require_http_methods(["GET", "POST"])
def model_keys(request: HttpRequest, model_id: int) -> HttpResponse:
    """The list; posting makes a key and shows its text in this one answer."""
    posted = request.method == "POST"
    model = model_or_404(request, model_id, "admin" if posted else "viewer")
    form = KeyForm(request.POST if posted else None)
    context: dict[str, Any] = {"model": model, "form": form, "may_key": allows(request, "admin")}
    if posted and form.is_valid():
        _, text = create_key(form.cleaned_data["name"], model=model, user=request.user)
        # serving learns of the key once it is certain to exist
        transaction.on_commit(lambda: sync_pointers(model.organization_id))
        curl = samples(settings.SERVING_URL, model.id, example_customer(active_deployment(model)), 10, key=text).curl
        context |= {"fresh": {"name": form.cleaned_data["name"], "text": text, "curl": curl}, "form": KeyForm()}
    context["keys"] = list(ApiKey.objects.filter(model=model).order_by("revoked_at", "-id"))
    with shown_in(model.time_zone):
        return render(request, "deployments/keys.html", context, status=422 if form.errors else 200)


@requires("admin")
@require_POST
def model_key_revoke(request: HttpRequest, model_id: int, key_id: int) -> HttpResponse:
    """End a key; serving refuses it within a second."""
    model = model_or_404(request, model_id, "admin")
    key = ApiKey.objects.filter(model=model, id=key_id).first()
    if key is None:
        raise Http404
    revoke_key(key)
    transaction.on_commit(lambda: sync_pointers(model.organization_id))
    return redirect("model_keys", model.id)
