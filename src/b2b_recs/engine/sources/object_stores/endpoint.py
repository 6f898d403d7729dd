"""Where a store is reached: a scheme, a host and a port, and nothing else a user could type."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from b2b_recs.engine.errors import AddressForbidden
from b2b_recs.engine.sources.contract import Dialer

_ADDRESS = re.compile(r"(https?)://(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9_.-]{1,253})(?::([0-9]{1,5}))?/?")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_FORM = "must be https:// and a host, with a port if it is not 443, and nothing after it"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that speaks HTTP."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Endpoint:
        """The endpoint written as https://host or https://host:port. Raises ValueError for anything else."""
        found = _ADDRESS.fullmatch(text)
        if found is None:
            raise ValueError(_FORM)
        scheme, host, port = found[1], found[2].strip("[]"), int(found[3] or (443 if found[1] == "https" else 80))
        if ":" in host:
            ipaddress.IPv6Address(host)
        elif not all(_LABEL.fullmatch(label) for label in host.removesuffix(".").split(".")):
            raise ValueError(_FORM)
        if not 1 <= port <= 65535:
            raise ValueError("has a port that is not between 1 and 65535")
        return cls(scheme, host, port)

    @property
    def encrypted(self) -> bool:
        """Whether the server is reached through TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host and port as the Host header says them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.encrypted else 80) else f"{host}:{self.port}"


def _endpoint(text: str) -> str:
    if text:
        Endpoint.of(text)
    return text


EndpointText = Annotated[str, AfterValidator(_endpoint)]


def inside_only(dial: Dialer, endpoint: Endpoint) -> Dialer:
    """A dialer that also refuses to send anything without encryption to an address outside one's own network."""
    if endpoint.encrypted:
        return dial

    def checked(host: str, port: int) -> str:
        address = dial(host, port)
        if ipaddress.ip_address(address).is_global:
            raise AddressForbidden(
                f"{host} is outside of this network and would be reached without encryption.",
                advice="Begin the endpoint with https://.",
                field="endpoint",
            )
        return address

    return checked
