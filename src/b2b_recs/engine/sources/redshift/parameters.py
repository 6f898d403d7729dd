"""What the connection form of Amazon Redshift asks for."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from b2b_recs.engine.sources.fields import Host, SslMode, Text
from b2b_recs.engine.sources.form_help import CHECKED, OUTGOING, FormHelp
from b2b_recs.engine.sources.postgresql.parameters import PostgreSQLParameters
from b2b_recs.engine.sources.server_parameters import database_field, login_field, port_field


class RedshiftParameters(PostgreSQLParameters):
    """The fields of PostgreSQL, whose protocol Redshift speaks, with Redshift's own defaults."""

    form_help: ClassVar[FormHelp] = FormHelp(
        heading="A login that may only read",
        grants="Run this in the database as a superuser, with a password of your own. Nothing here ever writes to it.",
        reach=f"The security group of the cluster or workgroup must let in {OUTGOING}, on its port, usually 5439: "
        "from outside of the network, it must be publicly accessible, too.",
        notes=(CHECKED,),
    )

    host: Host = Field(
        title="Host",
        description="The endpoint of the cluster or workgroup, without port and database.",
        min_length=1,
        max_length=253,
    )
    port: int = port_field(5439)
    database: Text = database_field(127)
    username: Text = login_field(127)
    ssl_mode: SslMode = Field(
        default="verify-full",
        title="Encryption",
        description="verify-full also checks that the certificate belongs to the host.",
    )
