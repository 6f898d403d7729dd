"""How the sign-in library behaves here."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.core import context as current
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse

from b2b_recs.web.accounts.mail import sends_mail

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by invitation or at the first start, by visitors only where the installation says so."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether visitors may make an account."""
        return bool(settings.SIGN_UP)

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """Where a new account goes on: to its organization."""
        return reverse("organization_new")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail of the library; a mail server's fault is said on the page and does not undo the request."""
        if not sends_mail():
            return
        try:
            super().send_mail(template_prefix, email, context)
        except (SMTPException, OSError) as fault:
            log.warning("An e-mail was not sent: %s: %s", type(fault).__name__, fault)
            told = "The mail server did not take the e-mail. Whoever runs this installation finds the cause in the log."
            messages.error(current.request, told)


def address_of(request: HttpRequest) -> str:
    """The visitor's network address as far as our own proxies vouch for it; empty when there is none."""
    try:
        return str(get_adapter(request).get_client_ip(request))
    except PermissionDenied:
        return ""
