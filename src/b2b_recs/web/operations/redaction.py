"""Keeps secrets out of log lines, whoever wrote them."""

from __future__ import annotations

import logging
import re

_KEY = re.compile(r"\bb2br_(\d+)_(\w+?)_[0-9A-Za-z]{16,}")
_URL = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]+:)[^\s@]+@", re.IGNORECASE)
_FIELD = re.compile(
    r"((?:password|passwd|secret|token|api_?key|authorization|ciphertext)[\"']?\s*[=:]\s*[\"']?(?:bearer\s+)?)[^\s\"',;&)}]+",
    re.IGNORECASE,
)
_LINK = re.compile(r"(/(?:sign-in/link|invitations)/)[\w-]+")


def redacted(text: str) -> str:
    """The text with API keys, passwords in addresses and assignments, and tokens of links blotted out."""
    text = _KEY.sub(r"b2br_\1_\2_***", text)
    text = _URL.sub(r"\1***@", text)
    text = _LINK.sub(r"\1***", text)
    return _FIELD.sub(r"\1***", text)


class RedactingFormatter(logging.Formatter):
    """A log line, traceback included, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """The formatted and redacted line."""
        return redacted(super().format(record))
