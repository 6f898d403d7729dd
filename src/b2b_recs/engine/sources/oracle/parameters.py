"""What the connection form of Oracle asks for."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr

from b2b_recs.engine.sources.fields import CERTIFICATE_WORDS, Certificate, Host, Secret, SourceParameters, Text
from b2b_recs.engine.sources.form_help import OUTGOING, FormHelp


def _service(value: str) -> str:
    # The driver puts the name into a description with parentheses: nothing that could close one.
    if not re.fullmatch(r"[\w$#.-]{1,128}", value, re.ASCII):
        raise ValueError("must be a service name of letters, digits and . _ - $ #")
    return value


class OracleParameters(SourceParameters):
    """One service of one listener, typed fields only."""

    form_help: ClassVar[FormHelp] = FormHelp(
        heading="A login that may only read",
        grants="Run this in the database of the service as an administrator, with a password of your own. Nothing "
        "here ever writes to it.",
        reach=f"The listener's port, usually 1521, or 2484 with encryption, must be reachable from {OUTGOING}.",
        notes=("Choose an encryption only with the listener's port for it.",),
    )

    host: Host = Field(title="Host", description="Name or address of the listener.", min_length=1, max_length=253)
    port: int = Field(default=1521, title="Port", description="Usually 1521, or 2484 with encryption.", ge=1, le=65535)
    service_name: Annotated[str, AfterValidator(_service)] = Field(
        title="Service name", description="Name of the service, such as ORCLPDB1.", min_length=1, max_length=128
    )
    username: Text = Field(
        title="User name", description="A login that may only read is enough.", min_length=1, max_length=128
    )
    password: Secret = Field(default=SecretStr(""), title="Password", description="The login's password.")
    ssl_mode: Literal["disable", "require", "verify-full"] = Field(
        default="disable",
        title="Encryption",
        description="The listener has a port of its own for it. verify-full also checks that the certificate belongs "
        "to the host.",
    )
    ca_certificate: Certificate = Field(
        default="",
        title="CA certificate",
        description=CERTIFICATE_WORDS,
        max_length=100_000,
        json_schema_extra={"format": "textarea"},
    )
