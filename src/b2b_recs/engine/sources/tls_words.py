"""What went wrong in an encryption, in words of ours for those of the libraries."""

from __future__ import annotations

import re

_CAUSES = (
    (
        r"hostname mismatch|ip address mismatch|certificate is not valid for|name does not match",
        "the certificate is for another host",
    ),
    (r"expired", "the certificate has expired"),
    (r"not yet valid", "the certificate is not valid yet"),
    (
        r"self.signed|local issuer|unable to get issuer|verify failed|verification failed|unknown ca|not trusted",
        "no authority that is trusted here signed the certificate",
    ),
    (r"wrong.version.number|record layer failure|http request", "the server does not answer with encryption there"),
    (r"\beof\b|UNEXPECTED_EOF|reset by peer|broken pipe|closed", "the server ended the connection"),
    (r"timed out|timeout", "the server did not answer in time"),
    (
        r"unsupported protocol|protocol version|no shared cipher|handshake failure|no protocols available",
        "the server knows no way of encryption that is still safe",
    ),
    (r"not support (ssl|tls|encryption)|encryption not supported", "the server offers no encryption"),
    (r"pem|no certificate|x509|asn1", "the CA certificate could not be read"),
)


def tls_cause(text: str) -> str:
    """Why an encrypted connection was not made, from what a library said; none of its own text."""
    for pattern, words in _CAUSES:
        if re.search(pattern, text, re.IGNORECASE):
            return words
    return "server and client did not agree on an encryption"
