"""How the sign-in library behaves here."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.core import context as current
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse

from b2b_recs.web.accounts.mail import sends_mail

log = logging.getLogger(__name__)
SENT = "account/messages/email_confirmation_sent.txt"


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by invitation or at the first start, by visitors only where the installation says so."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "cannot_remove_primary_email": "The address you sign in with cannot be removed.",
        "duplicate_email": "This e-mail address belongs to your account already.",
        "email_password_mismatch": "The e-mail address or the password is not right.",
        "email_taken": "Somebody has an account with this e-mail address already.",
        "max_email_addresses": "An account has at most %d e-mail addresses.",
        "unknown_email": "No account has this e-mail address.",
        "unverified_primary_email": "Confirm your e-mail address first.",
    }

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
            current.request.mail_failed = True

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *rest: Any, **more: Any
    ) -> None:
        """A message of the library; that an e-mail was sent is said only where one was."""
        if message_template == SENT and (not sends_mail() or getattr(request, "mail_failed", False)):
            return
        super().add_message(request, level, message_template, *rest, **more)


class SecondProofAdapter(DefaultMFAAdapter):
    """What is said about codes and keys beside the password."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This code is not right. The app shows a new one every 30 seconds, and each works once: type "
        "the one it shows now, and check that the clock of the phone is right.",
        "add_email_blocked": "An account with two-factor sign-in cannot get a further e-mail address.",
        "unverified_email": "Confirm your e-mail address first, then turn on two-factor sign-in.",
    }


def address_of(request: HttpRequest) -> str:
    """The visitor's network address as far as our own proxies vouch for it; empty when there is none."""
    try:
        return str(get_adapter(request).get_client_ip(request))
    except PermissionDenied:
        return ""
