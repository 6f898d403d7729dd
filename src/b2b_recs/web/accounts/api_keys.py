"""Making, checking and revoking the keys programs use. Call inside the organization's scope."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.accounts.models import ApiKey, User
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import required

_FORM = re.compile(r"b2br_([1-9][0-9]{0,17})_([0-9a-z]{1,16})_([0-9a-f]{64})")
NOTE_USE_EVERY = timedelta(minutes=1)


def create_key(
    name: str,
    *,
    scopes: Iterable[str] = (ApiKey.Scope.RECOMMEND,),
    model: ModelEndpoint | None = None,
    user: User | None = None,
) -> tuple[ApiKey, str]:
    """A new key of the organization in scope and its text, which is shown once and never stored.

    With ``model`` it opens that model only. Raises BadInput for an empty name or an unknown scope.
    """
    scopes = sorted({str(scope) for scope in scopes})
    unknown = set(scopes) - set(ApiKey.Scope.values)
    if not name.strip():
        raise BadInput("The key has no name.", field="name", advice="Name the program that will use it.")
    if unknown or not scopes:
        known = ", ".join(ApiKey.Scope.values)
        raise BadInput(
            f"{', '.join(sorted(unknown)) or 'Nothing'} is not something a key can allow.",
            field="scopes",
            advice=f"Choose from {known}.",
        )
    organization_id = required()
    prefix = secrets.token_hex(4)
    text = f"b2br_{organization_id}_{prefix}_{secrets.token_hex(32)}"
    key = ApiKey.objects.create(
        organization_id=organization_id,
        name=name.strip()[:100],
        prefix=prefix,
        hash=digest(text),
        scopes=scopes,
        model=model,
        created_by=user,
    )
    return key, text


def verify_key(text: str) -> ApiKey | None:
    """The key of that text when it is of the organization in scope and not revoked, else None."""
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    key = ApiKey.objects.select_related("organization").filter(prefix=form[2], revoked_at=None).first()
    # Compared even when there is none, so that a wrong prefix takes as long as a wrong secret.
    if not hmac.compare_digest(key.hash if key else "0" * 64, digest(text)) or key is None:
        return None
    if key.organization.suspended:
        return None
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > NOTE_USE_EVERY:
        ApiKey.objects.filter(id=key.id).update(last_used_at=now)
    return key


def note_use(key_id: int, at: datetime) -> None:
    """Note that a key asked a model; a later use that is noted already stays."""
    ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=at), id=key_id).update(last_used_at=at)


def revoke_key(key: ApiKey) -> None:
    """End a key for good; a second time changes nothing."""
    ApiKey.objects.filter(id=key.id, revoked_at=None).update(revoked_at=timezone.now())


def digest(text: str) -> str:
    """SHA-256 of a key's whole text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def organization_of(text: str) -> int | None:
    """The organization a key says it belongs to, None when the text is no key."""
    form = _FORM.fullmatch(text)
    return int(form[1]) if form else None


def bearer(request: HttpRequest) -> str | None:
    """The key of an ``Authorization: Bearer`` header, None without one."""
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    return text.strip() if kind.lower() == "bearer" else None
