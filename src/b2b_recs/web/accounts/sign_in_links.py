"""Links that sign a user in once: for the first start, invitations, and people who lost their password."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.utils import timezone

from b2b_recs.web.accounts.models import SignInLink, User

MINUTES = 60


def create_link(user: User, minutes: int = MINUTES) -> str:
    """The path of a link that signs ``user`` in once within so many minutes."""
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, hash=_digest(token), expires_at=timezone.now() + timedelta(minutes=minutes))
    return f"/sign-in/link/{token}/"


def holder(token: str) -> User | None:
    """Whom the link would sign in, None when it is unknown, used or expired. Nothing is used up."""
    link = _open_links(token).select_related("user").first()
    return link.user if link and link.user.is_active else None


def redeem(token: str) -> User | None:
    """The user of the link, which is thereby used; None when it is unknown, used or expired.

    One UPDATE decides, so that of two requests at once only one gets in.
    """
    user = holder(token)
    if user is None or not _open_links(token).update(used_at=timezone.now()):
        return None
    return user


def _open_links(token: str):  # type: ignore[no-untyped-def]
    return SignInLink.objects.filter(hash=_digest(token), used_at=None, expires_at__gt=timezone.now())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
