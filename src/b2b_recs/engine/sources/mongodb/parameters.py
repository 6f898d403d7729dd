"""What the connection form of MongoDB asks for."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from b2b_recs.engine.sources.fields import CERTIFICATE_WORDS, Certificate, Host, Secret, SourceParameters, Text
from b2b_recs.engine.sources.form_help import CHECKED, FormHelp, server_reach


class MongoDBParameters(SourceParameters):
    """One server, typed fields only; no connection string, because it could name other servers and files."""

    form_help: ClassVar[FormHelp] = FormHelp(
        heading="A login that may only read",
        grants="Run this in mongosh as an administrator; in Atlas make a database user with the role read instead. "
        "Nothing here ever writes to it.",
        reach=server_reach(27017, "In Atlas, add that address under Network Access."),
        notes=(
            CHECKED,
            "One member is asked and no other looked up: a secondary keeps the load off the primary.",
        ),
    )

    host: Host = Field(
        title="Host",
        description="Name or address of one member, such as shard-00-00.example.mongodb.net.",
        min_length=1,
        max_length=253,
    )
    port: int = Field(default=27017, title="Port", description="Usually 27017.", ge=1, le=65535)
    database: Text = Field(title="Database", description="Name of the database.", min_length=1, max_length=63)
    username: Text = Field(
        default="", title="User name", description="Left empty when the server asks for none.", max_length=200
    )
    password: Secret = Field(
        default=SecretStr(""), title="Password", description="Left empty when the server asks for none."
    )
    auth_database: Text = Field(
        default="admin",
        title="Login database",
        description="The database that knows the user, usually admin.",
        min_length=1,
        max_length=63,
    )
    ssl_mode: Literal["disable", "require", "verify-full"] = Field(
        default="verify-full",
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
    sampled_documents: int = Field(
        default=1000,
        title="Documents looked at",
        description="How many documents of a collection are looked at to find its fields.",
        ge=1,
        le=100_000,
    )
