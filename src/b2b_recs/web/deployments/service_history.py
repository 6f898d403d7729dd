"""What was in service from when to when, who put it there, who stopped and started it. Call inside the scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import F, Window
from django.db.models.functions import Lag

from b2b_recs.engine.counting import counted
from b2b_recs.web.accounts.models import User
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.ui.formats import duration


@dataclass(frozen=True)
class Happening:
    """One line of the history: at that time a version was put into service, stopped or started; ``how`` says by whom.

    ``note`` says how long a version was in service; it is empty for stops and starts.
    """

    at: datetime
    version: str
    how: str
    note: str = ""


def history_of(model: ModelEndpoint, most: int) -> list[Happening]:
    """The latest happenings of a model's service, the newest first; three queries at most."""
    rows = Deployment.objects.filter(model=model).select_related("trained_model", "deployed_by").order_by("-id")
    served = list(rows[:most])
    switched = _switched(served, most)
    stopped = {row for row, _ in switched}
    found = [Happening(one.deployed_at, _name(one), _how(one), _lasted(one, one.id in stopped)) for one in served]
    found += [happening for _, happening in switched]
    return sorted(found, key=lambda one: one.at, reverse=True)[:most]


def _switched(served: Iterable[Deployment], most: int) -> list[tuple[int, Happening]]:
    """The latest stops and starts of these deployments, each with the id of its own, as the audit has kept them."""
    names = {one.id: _name(one) for one in served}
    before = Window(Lag("traffic_share"), partition_by=F("pgh_obj_id"), order_by=F("pgh_id").asc())
    events = apps.get_model("deployments", "DeploymentEvent").objects.filter(pgh_obj_id__in=names)
    changes = events.annotate(before=before).filter(before__isnull=False).exclude(before=F("traffic_share"))
    rows = changes.order_by("-pgh_id").values_list("pgh_obj_id", "pgh_created_at", "traffic_share", "pgh_context")
    found = list(rows[:most])
    people = _people(context or {} for _, _, _, context in found)
    return [
        (row, Happening(at, names[row], f"{'started again' if share > 0 else 'stopped'}{_by(context or {}, people)}"))
        for row, at, share, context in found
    ]


def _people(contexts: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    wanted = {one["user"] for one in contexts if isinstance(one.get("user"), int)}
    found = User.objects.filter(id__in=wanted) if wanted else User.objects.none()
    return {one.id: one.full_name or one.email for one in found}


def _by(context: Mapping[str, Any], people: Mapping[int, str]) -> str:
    if context.get("api_key"):
        return " by a program"
    name = people.get(context.get("user") or 0) or context.get("email")
    return f" by {name}" if name else ""


def _name(deployment: Deployment) -> str:
    return f"v{deployment.trained_model.number}"


def _how(deployment: Deployment) -> str:
    by = deployment.deployed_by
    verb = "rolled back" if deployment.restores_id else "put into service"
    if isinstance(by, User):
        return f"{verb} by {by.full_name or by.email}"
    if not deployment.gate:
        return verb
    return f"{verb} by {'its training' if 'deploy' in deployment.gate else 'a program'}"


def _lasted(deployment: Deployment, stopped: bool) -> str:
    """How long a deployment was the one in service; ``stopped``: it was stopped by hand at times."""
    ended, but = deployment.deactivated_at, ", not while it was stopped" if stopped else ""
    if ended is None:
        return "now stopped" if deployment.stopped else f"until now{but}"
    lasted = ended - deployment.deployed_at
    return f"for {counted(lasted.days, 'day') if lasted.days > 1 else duration(max(0.0, lasted.total_seconds()))}{but}"
