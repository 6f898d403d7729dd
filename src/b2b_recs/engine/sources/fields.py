"""Kinds of fields that connection forms share: typed, bounded, and refused in words where they are no such thing."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

from b2b_recs.engine.sources.form_help import FormHelp

SslMode = Literal["disable", "prefer", "require", "verify-full"]

_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


_WITH_PORT = re.compile(r"(?:[^:/@\s\[\]]+|\[[0-9A-Fa-f:.]+\]):\d+")


class SourceParameters(BaseModel):
    """Typed fields only: no address string, no driver options, nothing passed through."""

    # What was typed may be a secret in the wrong field: pydantic's own errors, which ours come from, do not repeat it.
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False, hide_input_in_errors=True)

    # What stands beside the form; every type declares its own.
    form_help: ClassVar[FormHelp]


def _one_host(host: str) -> str:
    """Refuse sockets, lists of hosts and anything else that is not one name or address."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        if _WITH_PORT.fullmatch(host):
            raise ValueError("must not hold the port; the port goes into its own field") from None
        labels = host.removesuffix(".").split(".")
        if len(host) > 253 or not all(_HOST_LABEL.fullmatch(label) for label in labels):
            raise ValueError("must be one host name or one address, without a scheme or a path") from None
        return host


def _no_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not contain a NUL character")
    return value


def _secret_without_nul(value: SecretStr) -> SecretStr:
    _no_nul(value.get_secret_value())
    return value


def _pem(value: str) -> str:
    if value and ("-----BEGIN CERTIFICATE-----" not in value or "PRIVATE KEY" in value or "\x00" in value):
        raise ValueError("must be PEM text that begins with -----BEGIN CERTIFICATE-----")
    return value


Host = Annotated[str, AfterValidator(_one_host)]
Text = Annotated[str, AfterValidator(_no_nul)]
Secret = Annotated[SecretStr, AfterValidator(_secret_without_nul)]
Certificate = Annotated[str, AfterValidator(_pem)]

CERTIFICATE_WORDS = (
    "PEM text of the authority that signed the server's certificate, for verify-full. "
    "Left empty, the system's authorities are used."
)
