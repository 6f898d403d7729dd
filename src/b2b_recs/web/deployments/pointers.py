"""The files that tell serving which model to answer with; derived from the database, so that they can be remade."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Q

from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.models import ApiKey
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.tenancy import scope

OWN_PREFIX = "platform"


def own_key(organization_id: int, model_id: int) -> str:
    """The key with which the platform's own pages and commands ask a model; derived, never stored."""
    message = f"serving:{organization_id}:{model_id}".encode()
    secret = hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).hexdigest()
    return f"b2br_{organization_id}_{OWN_PREFIX}_{secret}"


def write_pointer(deployment: Deployment) -> None:
    """Point serving at a deployment, in one atomic step; serving follows within a second."""
    model = deployment.model
    keys = [{"prefix": OWN_PREFIX, "sha256": _digest(own_key(model.organization_id, model.id))}]
    allowed = ApiKey.objects.filter(Q(model=model) | Q(model=None), revoked_at=None).order_by("id")
    keys += [{"prefix": key.prefix, "sha256": key.hash} for key in allowed if ApiKey.Scope.RECOMMEND in key.scopes]
    trained = deployment.trained_model
    version = trained.dataset_version
    _replace(
        Home.current().deployment_pointer(model.id),
        {
            "model_id": model.id,
            "model_name": model.name,
            "deployment_id": deployment.id,
            "version": f"v{trained.number}",
            "artifact_id": deployment.artifact_id,
            "data_until": version.last_at.isoformat() if version and version.last_at else None,
            "keys": keys,
            "status": "active",
        },
    )


def sync_pointers(organization_id: int) -> None:
    """Make the pointer files of one organization say what the database says."""
    with scope(organization_id):
        for deployment in Deployment.objects.filter(status=Deployment.Status.ACTIVE).select_related(
            "model", "trained_model__dataset_version"
        ):
            write_pointer(deployment)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _replace(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=1, sort_keys=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.read_text() == text:
        return
    fresh = path.with_suffix(f".{os.getpid()}.tmp")
    with fresh.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
