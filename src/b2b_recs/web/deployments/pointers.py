"""The files that tell serving which model to answer with; derived from the database, so that they can be remade."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.conf import settings

from b2b_recs.engine.serving.pointers import STOPPED
from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.models import ApiKey
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import scope

OWN_PREFIX = "platform"


def own_key(organization_id: int, model_id: int) -> str:
    """The key with which the platform's own pages and commands ask a model; derived, never stored."""
    message = f"serving:{organization_id}:{model_id}".encode()
    secret = hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).hexdigest()
    return f"b2br_{organization_id}_{OWN_PREFIX}_{secret}"


def sync_pointers(organization_id: int) -> None:
    """Make the pointer files of one organization say what the database says; serving follows within a second.

    The deployment's row is locked while its file is written: of two writers, the later one also reads later.
    """
    with scope(organization_id):
        deployments = (
            Deployment.objects.filter(status=Deployment.Status.ACTIVE, organization__suspended=False)
            .exclude(model__status=ModelEndpoint.Status.ARCHIVED)
            .select_related("model", "trained_model__dataset_version")
            .order_by("model_id")
            .select_for_update(of=("self",))
        )
        for deployment in deployments:
            keys = ApiKey.objects.filter(revoked_at=None)
            _replace(Home.current().deployment_pointer(deployment.model_id), _content(deployment, keys))


def withdraw_pointer(model_id: int) -> None:
    """Remove the file of a model that no longer answers; serving follows within a second."""
    Home.current().deployment_pointer(model_id).unlink(missing_ok=True)


def remake_pointers(read: Callable[[], tuple[list[Deployment], list[ApiKey]]]) -> None:
    """Make every pointer file say what ``read`` returns, and remove those of models that nothing answers for.

    ``read`` gives the active deployments of all organizations, with their model and its version, and the keys that
    are not revoked. Files are written only where something differs.
    """
    home = Home.current()
    found = {path.name: path for path in home.serving.glob("model-*.json")}  # before reading: newer ones stay
    active, valid = read()
    keys: dict[int, list[ApiKey]] = defaultdict(list)
    for key in valid:
        keys[key.organization_id].append(key)
    stale = set()
    for deployment in active:
        path = home.deployment_pointer(deployment.model_id)
        found.pop(path.name, None)
        if _text(path) != _document(_content(deployment, keys[deployment.organization_id])):
            stale.add(deployment.organization_id)
    for organization_id in sorted(stale):
        sync_pointers(organization_id)
    for path in found.values():
        path.unlink(missing_ok=True)


def _content(deployment: Deployment, keys: Iterable[ApiKey]) -> dict[str, Any]:
    model, trained = deployment.model, deployment.trained_model
    version = trained.dataset_version
    known = sorted(keys, key=lambda key: key.id)
    allowed = [key for key in known if ApiKey.Scope.RECOMMEND in key.scopes and key.model_id in (None, model.id)]
    own = {"prefix": OWN_PREFIX, "sha256": _digest(own_key(model.organization_id, model.id))}
    return {
        "model_id": model.id,
        "model_name": model.name,
        "deployment_id": deployment.id,
        "version": f"v{trained.number}",
        "artifact_id": deployment.artifact_id,
        "data_until": version.last_at.isoformat() if version and version.last_at else None,
        "keys": [own, *(_entry(key) for key in allowed)],
        "other_keys": [_entry(key) for key in known if key not in allowed],
        "status": STOPPED if deployment.stopped else "active",
    }


def _entry(key: ApiKey) -> dict[str, str]:
    return {"prefix": key.prefix, "sha256": key.hash}


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _document(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, sort_keys=True)


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def _replace(path: Path, content: dict[str, Any]) -> None:
    """Write the file in one atomic step, unless it says so already."""
    text = _document(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    if _text(path) == text:
        return
    fresh = path.with_suffix(".tmp")  # one writer at a time holds the row's lock; a killed one's file is written over
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
