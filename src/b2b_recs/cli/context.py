"""What commands share: the Django set-up, the organization and model they speak of, how results are printed."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from b2b_recs.engine.errors import BadInput, EngineError

if TYPE_CHECKING:
    from b2b_recs.web.accounts.models import Organization
    from b2b_recs.web.projects.models import ModelEndpoint


def set_up_django(role: str = "web") -> None:
    """Load the web layer with the database role this process may use.

    What libraries remark is for the log of a process that stays, not for somebody who typed a command.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "b2b_recs.web.settings")
    os.environ["B2B_RECS_ROLE"] = role
    import django

    django.setup()
    if role != "worker":
        logging.getLogger().setLevel(logging.WARNING)


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


@dataclass(slots=True)
class Asked:
    """Where the command was asked to write JSON, and whether it has."""

    target: str | None = None
    written: bool = False


asked = Asked()


def _note_target(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    asked.target, asked.written = value, False
    return value


json_option = click.option(
    "--json",
    "json_file",
    metavar="FILE",
    callback=_note_target,
    help="Write every figure as JSON to FILE (- for standard output).",
)
# the same for a command whose answer is short: a switch instead of a file
json_switch = click.option(
    "--json",
    "json_file",
    flag_value="-",
    default=None,
    callback=_note_target,
    help="Print the answer as JSON.",
)
organization_option = click.option("--organization", metavar="NAME", help="Which organization, when there are several.")


def write_json(target: str | None, result: dict[str, Any] | list[dict[str, Any]]) -> None:
    """Write a result to the file named by ``--json``, or to standard output for ``-``. Raises BadInput naming it."""
    if target is None:
        return
    asked.written = True
    text = json.dumps(result, indent=2, ensure_ascii=False, default=str) + "\n"
    if target == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(target).write_text(text, "utf-8")
    except OSError as error:
        raise BadInput(
            f"{target} cannot be written: {error.strerror}.", field="--json", advice="Name another file."
        ) from error


def error_json(error: EngineError) -> dict[str, Any]:
    """A refusal as JSON tells it."""
    told = {"code": error.code, "message": error.message, "field": error.field, "advice": error.advice}
    problems = getattr(error, "problems", ())  # of a project file: each with its line and field
    return told | ({"problems": [dataclasses.asdict(one) for one in problems]} if problems else {})


def write_refusal(error: EngineError) -> None:
    """Tell a refusal in the JSON that was asked for, unless the command has written its own."""
    if not asked.written:
        write_json(asked.target, {"error": error_json(error)})
