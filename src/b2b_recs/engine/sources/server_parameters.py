"""What the connection forms of servers ask for that are reached by host, database, login and encryption."""

from __future__ import annotations

from pydantic import Field, SecretStr

from b2b_recs.engine.sources.fields import CERTIFICATE_WORDS, Certificate, Host, Secret, SourceParameters, SslMode, Text


def port_field(usual: int) -> int:
    """The field of a port, filled in with the usual one."""
    port: int = Field(default=usual, title="Port", description=f"Usually {usual}.", ge=1, le=65535)
    return port


def database_field(longest: int) -> str:
    """The field of a database's name, which a server keeps so short."""
    database: str = Field(title="Database", description="Name of the database.", min_length=1, max_length=longest)
    return database


def login_field(longest: int) -> str:
    """The field of a login's name, which a server keeps so short."""
    login: str = Field(
        title="User name", description="A login that may only read is enough.", min_length=1, max_length=longest
    )
    return login


class ServerParameters(SourceParameters):
    """Typed fields only: no address string, no driver options, nothing passed through. A server gives its own port."""

    host: Host = Field(title="Host", description="Name or address of the server.", min_length=1, max_length=253)
    port: int
    database: Text = database_field(63)
    username: Text = login_field(63)
    password: Secret = Field(
        default=SecretStr(""), title="Password", description="Left empty when the server asks for none."
    )
    ssl_mode: SslMode = Field(
        default="prefer",
        title="Encryption",
        description="verify-full also checks that the certificate belongs to the host.",
    )
    ca_certificate: Certificate = Field(
        default="",
        title="CA certificate",
        description=CERTIFICATE_WORDS,
        max_length=100_000,
        json_schema_extra={"format": "textarea"},
    )
