"""The organization a person works in: choosing another, and its settings."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from b2b_recs.web.accounts.access import requires
from b2b_recs.web.accounts.choice import SESSION_KEY, choose
from b2b_recs.web.accounts.forms import OrganizationForm
from b2b_recs.web.accounts.founding import found_organization
from b2b_recs.web.accounts.mail import sends_mail
from b2b_recs.web.accounts.models import Organization, User
from b2b_recs.web.accounts.policies import signed_in
from b2b_recs.web.api.limits import ORGANIZATIONS, TooMany, spend


@signed_in
@require_POST
def choose_organization(request: HttpRequest) -> HttpResponse:
    """Work in another of one's organizations from now on; 404 for any other."""
    wanted = request.POST.get("organization", "")
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19) or not choose(request, int(wanted)):
        raise Http404
    return redirect("dashboard")


@requires("admin")
@require_http_methods(["GET", "POST"])
def organization_settings(request: HttpRequest) -> HttpResponse:
    """What the organization is called."""
    organization: Organization = request.organization  # type: ignore[attr-defined]
    posted = request.method == "POST"
    if posted and switched_meanwhile(request):
        return redirect("organization")
    form = OrganizationForm(request.POST if posted else None, initial={"name": organization.name})
    if posted and form.is_valid():
        organization.name = form.cleaned_data["name"]
        organization.save(update_fields=["name"])
        messages.success(request, "The name was saved.")
        return redirect("organization")
    return render(request, "accounts/organization.html", {"form": form}, status=422 if form.errors else 200)


@signed_in
@require_http_methods(["GET", "POST"])
def organization_new(request: HttpRequest) -> HttpResponse:
    """A new organization, then its first model; 404 where only invitations lead in."""
    if not settings.SIGN_UP:
        raise Http404
    person: User = request.user  # type: ignore[assignment]
    posted = request.method == "POST"
    if sends_mail() and not EmailAddress.objects.filter(user=person, email=person.email, verified=True).exists():
        return render(request, "accounts/confirm_first.html", status=403 if posted else 200)
    form = OrganizationForm(request.POST if posted else None)
    if posted and form.is_valid():
        try:
            spend(request, ORGANIZATIONS)
        except TooMany as refusal:
            form.add_error(None, str(refusal))
            return render(request, "accounts/organization_new.html", {"form": form}, status=429)
        organization = found_organization(form.cleaned_data["name"], person)
        request.session[SESSION_KEY] = organization.id
        messages.success(request, f"{organization.name} is yours. Now its first model.")
        return redirect("model_create")
    return render(request, "accounts/organization_new.html", {"form": form}, status=422 if form.errors else 200)


def switched_meanwhile(request: HttpRequest) -> bool:
    """Whether a form names another organization than the one acted for, which is then said on the next page.

    It happens with two tabs: the choice was changed in one while the other still shows the organization before.
    """
    organization: Organization = request.organization  # type: ignore[attr-defined]
    if request.POST.get("organization", str(organization.id)) == str(organization.id):
        return False
    messages.error(
        request,
        f"Nothing was changed: this form was of another organization, and you now work in {organization.name}. "
        "Switch back, then try again.",
    )
    return True
