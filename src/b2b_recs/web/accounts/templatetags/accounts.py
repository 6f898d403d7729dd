"""Tags that let pages say truthfully what this installation does."""

from __future__ import annotations

from django import template
from django.conf import settings

from b2b_recs.web.accounts.mail import sends_mail

register = template.Library()

register.simple_tag(sends_mail, name="sends_mail")


@register.simple_tag
def open_for_sign_up() -> bool:
    """Whether visitors may make an account."""
    return bool(settings.SIGN_UP)
