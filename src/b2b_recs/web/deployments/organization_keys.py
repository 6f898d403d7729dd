"""API keys of the whole organization and of its models on one page: made and shown once, searched, revoked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from b2b_recs.web.accounts.access import allows, requires, row_or_404
from b2b_recs.web.accounts.api_keys import create_key, revoke_key
from b2b_recs.web.accounts.models import ApiKey, Role
from b2b_recs.web.accounts.organizations import switched_meanwhile
from b2b_recs.web.deployments.customers import example_customer
from b2b_recs.web.deployments.forms import OrganizationKeyForm
from b2b_recs.web.deployments.pointers import sync_pointers
from b2b_recs.web.deployments.samples import samples
from b2b_recs.web.deployments.services import active_deployment
from b2b_recs.web.projects.models import ModelEndpoint

PER_PAGE = 25
PLATFORM = {ApiKey.Scope.READ, ApiKey.Scope.WRITE}  # scopes that open the platform's API
STATES = (("valid", "Valid"), ("revoked", "Revoked"))


@dataclass(frozen=True)
class Keys:
    """One page of keys with what it was narrowed by."""

    page: Page[Any]
    query: str
    state: str
    states: tuple[tuple[str, str], ...] = STATES

    @property
    def filtered(self) -> bool:
        """Whether keys were left out."""
        return bool(self.query or self.state)


@requires("viewer")
@never_cache
@require_http_methods(["GET", "POST"])
def organization_keys(request: HttpRequest) -> HttpResponse:
    """The list; posting makes a key and shows its text in this one answer."""
    if request.method != "POST":
        return _page(request)
    if not allows(request, Role.ADMIN):
        raise PermissionDenied
    if switched_meanwhile(request):
        return redirect("organization_keys")
    form = OrganizationKeyForm(request.POST)
    if not form.is_valid():
        return _page(request, form=form, status=422)
    given = form.cleaned_data
    key, text = create_key(given["name"], scopes=given["scopes"], model=given["model"], user=request.user)
    _tell_serving(key)
    return _page(request, fresh={"name": key.name, "text": text, "curl": _curl(key, text)})


@requires("admin")
@require_POST
def key_revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    """End a key; serving refuses it within a second."""
    key = row_or_404(request, ApiKey, "admin", id=key_id)
    revoke_key(key)
    _tell_serving(key)
    messages.success(request, f"“{key.name}” was revoked.")
    query = request.GET.urlencode()
    return redirect(reverse("organization_keys") + (f"?{query}" if query else ""))


def _tell_serving(key: ApiKey) -> None:
    """Let serving learn of the change once it is certain."""
    organization_id = key.organization_id
    transaction.on_commit(lambda: sync_pointers(organization_id))


def _page(
    request: HttpRequest,
    *,
    form: OrganizationKeyForm | None = None,
    fresh: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    may_key = allows(request, Role.ADMIN)
    ask = request.GET
    context = {
        "listing": _listing(ask.get("q", "").strip(), ask.get("state", ""), ask.get("page", "1"), _only(request)),
        "form": (form or OrganizationKeyForm()) if may_key else None,
        "may_key": may_key,
        "fresh": fresh,
    }
    return render(request, "deployments/organization_keys.html", context, status=status)


def _only(request: HttpRequest) -> int | None:
    """The model a program with a key of one model is held to."""
    key = getattr(request, "api_key", None)
    return None if key is None else key.model_id


def _listing(query: str, state: str, page: str, model_id: int | None) -> Keys:
    keys = ApiKey.objects.select_related("model", "created_by").order_by(F("revoked_at").desc(nulls_first=True), "-id")
    if model_id is not None:
        keys = keys.filter(model=model_id)
    if query:
        keys = keys.filter(Q(name__icontains=query) | Q(prefix__icontains=query) | Q(model__name__icontains=query))
    if state in dict(STATES):
        keys = keys.filter(revoked_at__isnull=state == "valid")
    shown = Paginator(keys, PER_PAGE).get_page(page)
    return Keys(shown, query, state if state in dict(STATES) else "")


def _curl(key: ApiKey, text: str) -> str:
    """One line to try the key with: a recommendation where it may ask for one, else the list of models."""
    if ApiKey.Scope.RECOMMEND in key.scopes:
        model = key.model or ModelEndpoint.objects.order_by("-endpoint_active", "id").first()
        if model is not None:
            customer = example_customer(active_deployment(model))
            return samples(settings.SERVING_URL, model.id, customer, 10, key=text).curl
    if set(key.scopes) & PLATFORM:
        return f'curl {settings.WEB_URL}/api/models/ \\\n  -H "Authorization: Bearer {text}"'
    return ""
