"""What the connection form of Amazon Redshift asks for."""

from __future__ import annotations

from pydantic import Field

from b2b_recs.engine.sources.fields import Host, SslMode, Text
from b2b_recs.engine.sources.postgresql.parameters import PostgreSQLParameters


class RedshiftParameters(PostgreSQLParameters):
    """The fields of PostgreSQL, whose protocol Redshift speaks, with Redshift's own defaults."""

    host: Host = Field(
        title="Host",
        description="The endpoint of the cluster or workgroup, without port and database.",
        min_length=1,
        max_length=253,
    )
    port: int = Field(default=5439, title="Port", description="Usually 5439.", ge=1, le=65535)
    database: Text = Field(title="Database", description="Name of the database.", min_length=1, max_length=127)
    username: Text = Field(
        title="User name", description="A login that may only read is enough.", min_length=1, max_length=127
    )
    ssl_mode: SslMode = Field(
        default="verify-full",
        title="Encryption",
        description="verify-full also checks that the certificate belongs to the host.",
    )
