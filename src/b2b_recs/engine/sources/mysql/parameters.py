"""What the connection forms of MySQL and MariaDB ask for."""

from __future__ import annotations

from pydantic import Field, SecretStr

from b2b_recs.engine.sources.fields import CERTIFICATE_WORDS, Certificate, Host, Secret, SourceParameters, SslMode, Text


class MySQLParameters(SourceParameters):
    """Typed fields only: no address string, no driver options, nothing passed through."""

    host: Host = Field(title="Host", description="Name or address of the server.", min_length=1, max_length=253)
    port: int = Field(default=3306, title="Port", description="Usually 3306.", ge=1, le=65535)
    database: Text = Field(title="Database", description="Name of the database.", min_length=1, max_length=64)
    username: Text = Field(
        title="User name", description="A login that may only read is enough.", min_length=1, max_length=128
    )
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
