"""The try-it panel: one customer, lists of products with their reasons, from the endpoint that is live."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.serving.requests import MOST_RECOMMENDATIONS
from b2b_recs.web.accounts.access import allows, model_or_404, requires
from b2b_recs.web.deployments.answer_lists import ProductList, lists_of
from b2b_recs.web.deployments.customers import (
    any_named,
    customer_name,
    example_customer,
    find_customers,
    ordinary_customers,
)
from b2b_recs.web.deployments.forms import AskForm
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.samples import Samples, samples
from b2b_recs.web.deployments.services import active_deployment, ask
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.ui.zone import shown_in


@dataclass(frozen=True)
class Answered:
    """What the endpoint said about one customer."""

    customer: str
    customer_name: str
    known: bool
    model_version: str
    milliseconds: str
    note: str
    lists: list[ProductList]


@requires("viewer")
@require_GET
def try_it(request: HttpRequest, model_id: int) -> HttpResponse:
    """The panel; with ``?customer=`` the answer is on the page already, so that a reload keeps it."""
    model = model_or_404(request, model_id)
    deployment = active_deployment(model)
    customer, k = request.GET.get("customer", "").strip(), request.GET.get("k", "10")
    context: dict[str, Any] = {"model": model, "customer": customer, "k": k, "may_key": allows(request, "admin")}
    if deployment is not None and deployment.stopped:
        context["stopped"] = deployment.trained_model.number
    elif deployment is not None:
        known = find_customers(deployment.artifact_id, "")
        context |= {
            "deployment": {"number": deployment.trained_model.number},
            "customers": known,
            "ordinary": ordinary_customers(deployment.artifact_id),
            "named": any_named(deployment.artifact_id),
        }
        if customer:
            context |= _answered(request, model, deployment)
        shown = context["answer"].customer if "answer" in context else example_customer(deployment)
        context["samples"] = _samples(model, shown, k)
    with shown_in(model.time_zone):
        return render(request, "deployments/try_it.html", context)


@requires("viewer")
@require_GET
def try_answer(request: HttpRequest, model_id: int) -> HttpResponse:
    """The answer, and the lines to copy that ask the same."""
    model = model_or_404(request, model_id)
    deployment = active_deployment(model)
    context = {"model": model, **_answered(request, model, deployment)}
    if "answer" in context:
        context["samples"] = _samples(model, context["answer"].customer, request.GET.get("k", ""))
    answer = render(request, "deployments/answer_and_samples.html", context)
    if "answer" in context:
        answer["HX-Replace-Url"] = f"{request.path.removesuffix('answer/')}?{request.GET.urlencode()}"
    return answer


@requires("viewer")
@require_GET
def try_customers(request: HttpRequest, model_id: int) -> HttpResponse:
    """Customers whose id or name holds what was typed, for the field's list."""
    model = model_or_404(request, model_id)
    deployment = active_deployment(model)
    found = find_customers(deployment.artifact_id, request.GET.get("customer", "")[:256]) if deployment else []
    return render(request, "deployments/customers.html", {"customers": found})


def _samples(model: ModelEndpoint, customer: str, k: str) -> Samples:
    form = AskForm({"customer": customer, "k": k})
    return samples(settings.SERVING_URL, model.id, customer, form.cleaned_data["k"] if form.is_valid() else 10)


def _answered(request: HttpRequest, model: ModelEndpoint, deployment: Deployment | None) -> dict[str, Any]:
    form = AskForm(request.GET)
    if not form.is_valid():
        return {"problem": {"message": next(iter(form.errors.values()))[0], "advice": ""}}
    customer = _customer_id(deployment, form.cleaned_data["customer"])
    k = form.cleaned_data["k"]
    try:
        # every product ordered before, because those that are due may stand anywhere among them
        bought = ask(model, customer, MOST_RECOMMENDATIONS, filters={"purchased": "only"})
        started = time.perf_counter()
        new = ask(model, customer, k, filters={"purchased": "never"})
    except EngineError as refusal:
        return {"problem": {"message": refusal.message, "advice": refusal.advice}}
    elapsed = 1000 * (time.perf_counter() - started)
    lists = lists_of(bought.get("recommendations", ()), new.get("recommendations", ()), k)
    return {
        "answer": Answered(
            customer=customer,
            customer_name=customer_name(deployment.artifact_id, customer) if deployment else "",
            known=bool(new.get("known")),
            model_version=str(new.get("model_version", "")),
            milliseconds=f"{elapsed:.0f}",
            note=new.get("note") or "",
            lists=lists,
        )
    }


def _customer_id(deployment: Deployment | None, typed: str) -> str:
    """The id of the customer of that exact name, else what was typed."""
    typed = typed.strip()
    found = find_customers(deployment.artifact_id, typed) if deployment else []
    if any(customer.id == typed for customer in found):
        return typed
    named = [customer for customer in found if customer.name.casefold() == typed.casefold()]
    return named[0].id if len(named) == 1 else typed
