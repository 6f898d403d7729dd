"""What the connection form of PostgreSQL asks for."""

from __future__ import annotations

import ipaddress
import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

SslMode = Literal["disable", "prefer", "require", "verify-full"]

_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


class PostgreSQLParameters(BaseModel):
    """Typed fields only: no address string, no driver options, nothing passed through."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)

    host: str = Field(title="Host", description="Name or address of the server.", min_length=1, max_length=253)
    port: int = Field(default=5432, title="Port", description="Usually 5432.", ge=1, le=65535)
    database: str = Field(title="Database", description="Name of the database.", min_length=1, max_length=63)
    username: str = Field(
        title="User name", description="A login that may only read is enough.", min_length=1, max_length=63
    )
    password: SecretStr = Field(
        default=SecretStr(""), title="Password", description="Left empty when the server asks for none."
    )
    ssl_mode: SslMode = Field(
        default="prefer",
        title="Encryption",
        description="verify-full also checks that the certificate belongs to the host.",
    )
    ca_certificate: str = Field(
        default="",
        title="CA certificate",
        description="PEM text of the authority that signed the server's certificate, for verify-full. "
        "Left empty, the system's authorities are used.",
        max_length=100_000,
        json_schema_extra={"format": "textarea"},
    )

    @field_validator("host")
    @classmethod
    def _one_host(cls, host: str) -> str:
        """Refuse sockets, lists of hosts and anything else that is not one name or address."""
        try:
            return str(ipaddress.ip_address(host))
        except ValueError:
            labels = host.removesuffix(".").split(".")
            if not all(_HOST_LABEL.fullmatch(label) for label in labels):
                raise ValueError("must be one host name or one address, without a scheme or a path") from None
            return host

    @field_validator("database", "username")
    @classmethod
    def _no_nul(cls, value: str) -> str:
        if "\x00" in value:
            raise ValueError("must not contain a NUL character")
        return value

    @field_validator("password")
    @classmethod
    def _password_without_nul(cls, value: SecretStr) -> SecretStr:
        if "\x00" in value.get_secret_value():
            raise ValueError("must not contain a NUL character")
        return value

    @field_validator("ca_certificate")
    @classmethod
    def _pem(cls, value: str) -> str:
        if value and ("-----BEGIN CERTIFICATE-----" not in value or "PRIVATE KEY" in value or "\x00" in value):
            raise ValueError("must be PEM text that begins with -----BEGIN CERTIFICATE-----")
        return value
