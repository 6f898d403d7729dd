"""What the connection form of SQL Server asks for."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from b2b_recs.engine.sources.fields import Host, Secret, SourceParameters, Text
from b2b_recs.engine.sources.form_help import FormHelp, server_reach


class SQLServerParameters(SourceParameters):
    """Typed fields only: no connection string, no driver options, nothing passed through."""

    form_help: ClassVar[FormHelp] = FormHelp(
        heading="A login that may only read",
        grants="Run this on the server as an administrator, with a password of your own. Nothing here ever writes to "
        "it.",
        reach=server_reach(1433, "For Azure SQL, add that address under Networking."),
        notes=("Encryption: verify-full refuses a certificate that the server signed itself; require takes any.",),
    )

    host: Host = Field(title="Host", description="Name or address of the server.", min_length=1, max_length=253)
    port: int = Field(default=1433, title="Port", description="Usually 1433.", ge=1, le=65535)
    database: Text = Field(title="Database", description="Name of the database.", min_length=1, max_length=128)
    username: Text = Field(
        title="User name", description="A login of the server that may only read.", min_length=1, max_length=128
    )
    password: Secret = Field(default=SecretStr(""), title="Password", description="The login's password.")
    ssl_mode: Literal["disable", "require", "verify-full"] = Field(
        default="verify-full",
        title="Encryption",
        description="verify-full also checks that an authority this machine trusts signed the certificate for the "
        "host; require takes any certificate; disable encrypts nothing after the login where the server allows it.",
    )
