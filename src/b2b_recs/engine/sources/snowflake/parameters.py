"""What the connection form of Snowflake asks for."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from b2b_recs.engine.sources.fields import Host, Secret, SourceParameters, Text
from b2b_recs.engine.sources.form_help import OUTGOING, FormHelp

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
_SUFFIX = ".snowflakecomputing.com"


def _account(value: str) -> str:
    """Refuse addresses: only the identifier is asked for."""
    if not _ACCOUNT.fullmatch(value) or value.lower().endswith((_SUFFIX, ".com", ".cn")):
        raise ValueError("must be the account identifier alone, such as myorg-account123")
    return value


def _private_key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if text and ("-----BEGIN " not in text or "PRIVATE KEY-----" not in text):
        raise ValueError("must be PEM text that begins with -----BEGIN PRIVATE KEY-----")
    return value


class SnowflakeParameters(SourceParameters):
    """Typed fields only; signs in with a key pair, or with a password or a programmatic access token."""

    form_help: ClassVar[FormHelp] = FormHelp(
        heading="A user that may only read",
        grants="Run this in a worksheet as ACCOUNTADMIN, with the public half of a key pair of your own in it; the "
        "private half goes into the form. Nothing here ever writes to the database.",
        reach="This installation must reach ACCOUNT.snowflakecomputing.com on port 443 and, for large results, the "
        f"storage that SELECT SYSTEM$ALLOWLIST() names. A network policy of the account must let in {OUTGOING}.",
        notes=(
            "Snowflake bills the time the warehouse runs.",
            "Every connection to Snowflake is encrypted and checked.",
        ),
    )

    account: Annotated[str, AfterValidator(_account)] = Field(
        title="Account",
        description="The account identifier, such as myorg-account123. Snowflake shows it under Account details.",
        min_length=1,
        max_length=200,
    )
    warehouse: Text = Field(
        title="Warehouse", description="The virtual warehouse that runs the queries.", min_length=1, max_length=255
    )
    database: Text = Field(
        title="Database", description="Name of the database, as Snowflake shows it.", min_length=1, max_length=255
    )
    role: Text = Field(
        default="", title="Role", description="Left empty, the user's default role reads.", max_length=255
    )
    username: Text = Field(
        title="User name", description="A service user that may only read is enough.", min_length=1, max_length=255
    )
    private_key: Annotated[Secret, AfterValidator(_private_key)] = Field(
        default=SecretStr(""),
        title="Private key",
        description="PEM text of the RSA key whose public half is set on the user. Left empty to use a password.",
        json_schema_extra={"format": "textarea"},
    )
    private_key_passphrase: Secret = Field(
        default=SecretStr(""), title="Passphrase of the key", description="Left empty when the key is not encrypted."
    )
    password: Secret = Field(
        default=SecretStr(""),
        title="Password or token",
        description="A password, or a programmatic access token in its place. Left empty with a private key.",
    )
    host: Host | None = Field(
        default=None,
        title="Host",
        description="Only for a private link or a name of your own; else it follows from the account.",
        min_length=1,
        max_length=253,
    )
    port: int = Field(default=443, title="Port", description="Usually 443.", ge=1, le=65535)

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        """Refuse a form without any secret, or with two ways in."""
        if bool(self.private_key.get_secret_value()) == bool(self.password.get_secret_value()):
            raise ValueError("Give either a private key or a password, not both and not neither.")
        return self

    @property
    def server(self) -> str:
        """The name that is dialled and verified."""
        return self.host or self.account.lower().replace("_", "-") + _SUFFIX
