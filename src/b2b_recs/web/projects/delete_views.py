"""The page that deletes a model, or says why not."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from b2b_recs.engine.errors import EngineError
from b2b_recs.web.accounts.access import model_or_404, requires
from b2b_recs.web.accounts.acting import user_of
from b2b_recs.web.projects.deleting import delete_model, losses_of, refusal_of


class DeleteForm(forms.Form):
    """The name of the model, typed by whoever deletes it."""

    name = forms.CharField(
        label="Name of the model", max_length=400, error_messages={"required": "Type the name of the model."}
    )


@requires("admin")
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, model_id: int) -> HttpResponse:
    """What goes with the model and the field for its name; or why it cannot be deleted now."""
    model = model_or_404(request, model_id, "admin")
    form = DeleteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            name = delete_model(model_id, form.cleaned_data["name"], user_of(request))
        except EngineError as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            messages.success(request, f"The model “{name}” was deleted.")
            return redirect("dashboard")
    context = {"model": model, "form": form, "refusal": refusal_of(model), "losses": losses_of(model)}
    return render(request, "projects/model_delete.html", context, status=422 if form.errors else 200)
