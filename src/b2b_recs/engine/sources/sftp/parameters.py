"""What the connection form asks about an SFTP server."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from b2b_recs.engine.sources.fields import Host, Secret, Text
from b2b_recs.engine.sources.files.options import AnyFormatOptions
from b2b_recs.engine.sources.form_help import FILES_LOADED, FormHelp, server_reach

_FINGERPRINT = re.compile(r"SHA256:([A-Za-z0-9+/]{43})=?")


def _fingerprints(text: str) -> str:
    for part in text.split():
        found = _FINGERPRINT.fullmatch(part)
        if found is None or not _is_base64(found[1] + "="):
            raise ValueError("must be a fingerprint as ssh shows it, such as SHA256: and 43 characters")
    return text


def _is_base64(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except binascii.Error:
        return False


def _private_key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if text and not re.match(r"\s*-----BEGIN [A-Z ]*PRIVATE KEY-----", text):
        raise ValueError("must be the text of a private key that begins with -----BEGIN")
    return value


def _folder(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain a NUL character")
    return text


class SftpParameters(AnyFormatOptions):
    """A login on an SFTP server, and the folder to see."""

    form_help: ClassVar[FormHelp] = FormHelp(
        heading="A login that may only read",
        grants="The server's administrator puts this into sshd_config, with your login and folder in it, and reloads "
        "sshd. Nothing here ever writes to the folder.",
        reach=server_reach(22),
        notes=(FILES_LOADED,),
    )

    host: Host = Field(title="Host", description="Name or address of the server, such as sftp.example.com.")
    port: int = Field(default=22, title="Port", description="Usually 22.", ge=1, le=65535)
    username: Text = Field(
        title="User name", description="A login that may read the folder.", min_length=1, max_length=200
    )
    private_key: Annotated[Secret, AfterValidator(_private_key)] = Field(
        default=SecretStr(""),
        title="Private key",
        description="Instead of a password: the text of the key, as ssh-keygen writes it.",
    )
    private_key_passphrase: Secret = Field(
        default=SecretStr(""), title="Passphrase", description="Only for a private key that is locked with one."
    )
    password: Secret = Field(
        default=SecretStr(""), title="Password", description="The password of that login.", validate_default=True
    )
    host_key: Annotated[str, AfterValidator(_fingerprints)] = Field(
        default="",
        title="Host key",
        description="Fingerprint of the server's key, such as SHA256:… A test without it shows the fingerprint, to be "
        "compared with what the server's operator says; nothing is sent before it is given.",
        max_length=500,
    )
    folder: Annotated[str, AfterValidator(_folder)] = Field(
        default="",
        title="Folder",
        description="Only files below this folder are seen. Left empty, the folder where the login begins.",
        max_length=1000,
    )

    @field_validator("password")
    @classmethod
    def _one_way_in(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        key = info.data.get("private_key")
        has_key = key is None or bool(key.get_secret_value())
        if has_key is bool(value.get_secret_value()) and key is not None:
            raise ValueError("give either it or a private key")
        return value
