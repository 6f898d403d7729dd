"""Sending e-mail, and saying truthfully whether one went out."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import models
from django.template.loader import render_to_string

log = logging.getLogger(__name__)


class Delivery(models.TextChoices):
    """What became of an e-mail."""

    SENT = "sent", "The mail server took it"
    OFF = "off", "This installation sends no e-mail"
    FAILED = "failed", "The mail server did not take it"


def sends_mail() -> bool:
    """Whether this installation has a mail server."""
    return bool(settings.EMAIL_HOST)


def send_mail(to: str, subject: str, template: str, context: dict[str, Any]) -> Delivery:
    """Send a text made from a template, now; what became of it. Never raises for a mail server's fault."""
    if not sends_mail():
        return Delivery.OFF
    message = EmailMessage(" ".join(subject.split()), render_to_string(template, context), to=[to])
    try:
        taken = message.send()
    except (SMTPException, OSError, ValueError) as fault:
        log.warning("An e-mail was not sent: %s: %s", type(fault).__name__, fault)
        return Delivery.FAILED
    return Delivery.SENT if taken else Delivery.FAILED
