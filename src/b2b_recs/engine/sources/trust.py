"""Whom an encrypted connection trusts. A context is shared by connections, and nobody changes it once it is here.

The authorities of this machine are many, and taking them up costs 0.1 s of a processor; once in a process is enough.
"""

from __future__ import annotations

import ssl
from functools import cache


def verifying(authority: str = "", *, strict: bool = True) -> ssl.SSLContext:
    """Certificates and names are verified, by the authority's PEM text or else by the authorities of this machine.

    Not ``strict`` takes certificates that lack what RFC 5280 asks for, as those do that servers make for themselves.
    Raises ssl.SSLError for text that is no certificate.
    """
    return _verifying(strict) if not authority else _made(authority, strict)


@cache
def unverified() -> ssl.SSLContext:
    """Encrypted, with whomever answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@cache
def _verifying(strict: bool) -> ssl.SSLContext:
    return _made("", strict)


def _made(authority: str, strict: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority or None)
    if not strict:
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
