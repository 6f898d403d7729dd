"""What commands share: the Django set-up, the organization and model they speak of, how results are printed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from b2b_recs.engine.errors import BadInput

if TYPE_CHECKING:
    from b2b_recs.web.accounts.models import Organization
    from b2b_recs.web.projects.models import ModelEndpoint


def set_up_django(role: str = "web") -> None:
    """Load the web layer with the database role this process may use."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "b2b_recs.web.settings")
    os.environ["B2B_RECS_ROLE"] = role
    import django

    django.setup()


def organization_named(name: str | None) -> Organization:
    """The organization of that name or short name; the only one when none is given. Raises BadInput listing them."""
    from b2b_recs.web.accounts.models import Organization
    from b2b_recs.web.tenancy import unscoped

    everyone = list(unscoped(Organization).order_by("id"))
    if name is None and len(everyone) == 1:
        return everyone[0]
    for organization in everyone:
        if name is not None and name in (organization.slug, organization.name):
            return organization
    known = ", ".join(organization.slug for organization in everyone) or "none yet"
    what = f"There is no organization “{name}”." if name else "This installation has several organizations."
    raise BadInput(what, field="organization", advice=f"Name one with --organization. Known: {known}.")


def model_named(name: str) -> ModelEndpoint:
    """The model of that name or number in the current scope. Raises BadInput listing the names."""
    from b2b_recs.web.projects.models import ModelEndpoint

    models = list(ModelEndpoint.objects.order_by("id"))
    for model in models:
        if model.name == name or model.name.casefold() == name.casefold() or str(model.id) == name:
            return model
    known = ", ".join(f"“{model.name}”" for model in models) or "none yet"
    raise BadInput(f"There is no model “{name}”.", field="model", advice=f"Known models: {known}.")


def write_json(target: str | None, result: dict[str, Any]) -> None:
    """Write a result to the file named by ``--json``, or to standard output for ``-``."""
    if target is None:
        return
    text = json.dumps(result, indent=2, ensure_ascii=False, default=str) + "\n"
    if target == "-":
        click.echo(text, nl=False)
    else:
        Path(target).write_text(text)


organization_option = click.option("--organization", metavar="NAME", help="Which organization, when there are several.")
