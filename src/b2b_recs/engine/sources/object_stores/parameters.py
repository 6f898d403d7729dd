"""What connection forms ask about buckets and containers."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Annotated, Any, ClassVar
from urllib.parse import parse_qsl

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from b2b_recs.engine.sources.fields import Certificate, Secret, Text
from b2b_recs.engine.sources.files.options import AnyFormatOptions
from b2b_recs.engine.sources.form_help import FILES_LOADED, OUTGOING, FormHelp, cloud_reach
from b2b_recs.engine.sources.object_stores.endpoint import EndpointText

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,221}[A-Za-z0-9]")
_ENDPOINT_WORDS = (
    "https:// and the host of the store, with a port if it is not 443. http:// is accepted for stores inside your own "
    "network only."
)


def _bucket(name: str) -> str:
    if not _BUCKET.fullmatch(name) or ".." in name:
        raise ValueError("must be the name of a bucket: letters, digits, dots and hyphens, no address")
    return name


def _folder(prefix: str) -> str:
    if "\x00" in prefix or prefix.startswith("/"):
        raise ValueError("must be a folder such as exports/orders, without a slash in front")
    return prefix


def _azure_account(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9]{3,24}", name):
        raise ValueError("must be the name of a storage account: 3 to 24 small letters and digits")
    return name


def _azure_key(value: SecretStr) -> SecretStr:
    try:
        base64.b64decode(value.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be an access key as the portal shows it") from None
    return value


def _sas(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().removeprefix("?")
    if text:
        names = [name for name, _ in parse_qsl(text)]
        if not {"sig", "sv"} <= set(names) or len(names) != len(set(names)) or not text.isascii() or "#" in text:
            raise ValueError("must be a shared access signature that holds sv= and sig=")
    return SecretStr(text)


def _service_account(value: SecretStr) -> SecretStr:
    if text := value.get_secret_value():
        service_account(text)
    return value


def service_account(text: str) -> tuple[str, str, str]:
    """E-mail address, key id and private key (PEM) of a service account's key file. Raises ValueError."""
    words = "must be the JSON text of a service account's key"
    try:
        found: Any = json.loads(text)
    except ValueError:
        raise ValueError(words) from None
    if not isinstance(found, dict) or found.get("type") != "service_account":
        raise ValueError(words)
    values = [found.get(name, "") for name in ("client_email", "private_key_id", "private_key")]
    if not all(isinstance(value, str) for value in values) or "PRIVATE KEY" not in values[2]:
        raise ValueError(words)
    if not re.fullmatch(r"[\w.+-]{1,200}@[\w.-]{1,200}", values[0]):
        raise ValueError("holds no e-mail address of a service account")
    token_uri = found.get("token_uri", "")
    if token_uri and not re.fullmatch(r"https://([a-z0-9-]+\.)+googleapis\.com/[\w/.-]*", str(token_uri)):
        raise ValueError("names a token address that is not Google's")
    if found.get("universe_domain", "googleapis.com") != "googleapis.com":
        raise ValueError("belongs to another universe than googleapis.com")
    return values[0], values[1], values[2]


def _given(value: str | SecretStr, info: ValidationInfo, words: str) -> str | SecretStr:
    """The value, which may only be empty where anybody may read."""
    text = value if isinstance(value, str) else value.get_secret_value()
    if not text and not info.data.get("anonymous"):
        raise ValueError(words)
    return value


Bucket = Annotated[Text, AfterValidator(_bucket)]
Folder = Annotated[Text, AfterValidator(_folder)]


class StoreParameters(AnyFormatOptions):
    """What every kind of store has."""

    prefix: Folder = Field(
        default="",
        title="Folder",
        description="Only files below this folder are seen, such as exports/orders. Left empty, all of them.",
        max_length=1000,
    )
    endpoint: EndpointText = Field(default="", title="Endpoint", description=_ENDPOINT_WORDS, max_length=300)
    ca_certificate: Certificate = Field(
        default="",
        title="CA certificate",
        description="PEM text of the authority that signed the store's certificate. "
        "Left empty, the system's authorities are used.",
    )


class S3Parameters(StoreParameters):
    """A bucket of Amazon S3, or of a store that speaks its protocol."""

    form_help: ClassVar[FormHelp] = FormHelp(
        heading="A user that may only list and read",
        grants="In the AWS console make an IAM user with this policy, your bucket's name in place of BUCKET; its "
        "access key goes into the form.",
        reach="This installation must reach BUCKET.s3.REGION.amazonaws.com and s3.REGION.amazonaws.com on port 443, or "
        f"the endpoint you give. A policy of the bucket that names addresses must let in {OUTGOING}.",
        notes=("The key needs no right to write.", FILES_LOADED),
    )

    bucket: Bucket = Field(title="Bucket", description="The name of the bucket, without s3:// in front.")
    region: str = Field(
        default="us-east-1",
        title="Region",
        description="Where the bucket is, such as eu-central-1. Stores of others often take us-east-1 or auto.",
        pattern=r"^[a-z0-9-]{2,40}$",
    )
    host_style: bool = Field(
        default=False,
        title="Bucket in the host name",
        description="With an endpoint of your own: whether requests go to bucket.host instead of host/bucket.",
    )
    anonymous: bool = Field(default=False, title="Without keys", description="For buckets that anybody may read.")
    access_key_id: Text = Field(
        default="",
        title="Access key ID",
        description="Of a user that may only read.",
        max_length=200,
        validate_default=True,
    )
    secret_access_key: Secret = Field(
        default=SecretStr(""),
        title="Secret access key",
        description="The secret that belongs to the access key ID.",
        validate_default=True,
    )
    session_token: Secret = Field(
        default=SecretStr(""), title="Session token", description="Only for temporary keys, which come with one."
    )

    @field_validator("access_key_id", "secret_access_key")
    @classmethod
    def _keys_or_none(cls, value: str | SecretStr, info: ValidationInfo) -> str | SecretStr:
        return _given(value, info, "it is needed, unless anybody may read the bucket without keys")

    @property
    def host_names_bucket(self) -> bool:
        """Whether the bucket is part of the host; not with a dot in it, which no certificate covers."""
        return self.host_style if self.endpoint else "." not in self.bucket

    @property
    def address(self) -> str:
        """The endpoint that is asked."""
        ending = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        address = self.endpoint or f"https://s3.{self.region}.{ending}"
        return address.replace("://", f"://{self.bucket}.", 1) if self.host_names_bucket else address


class GcsParameters(StoreParameters):
    """A bucket of Google Cloud Storage."""

    form_help: ClassVar[FormHelp] = FormHelp(
        heading="A service account that may only read",
        grants="Run this with gcloud as an owner of the bucket, or in Cloud Shell, with your names in it; then make a "
        "JSON key of the account and paste it into the form.",
        reach=cloud_reach("storage.googleapis.com"),
        notes=("The account needs no right to write.", FILES_LOADED),
    )

    bucket: Bucket = Field(title="Bucket", description="The name of the bucket, without gs:// in front.")
    anonymous: bool = Field(default=False, title="Without a key", description="For buckets that anybody may read.")
    service_account: Annotated[Secret, AfterValidator(_service_account)] = Field(
        default=SecretStr(""),
        title="Service account key",
        description="The whole JSON text of a key of a service account that may only read.",
        validate_default=True,
    )

    @field_validator("service_account")
    @classmethod
    def _key_or_none(cls, value: SecretStr, info: ValidationInfo) -> str | SecretStr:
        return _given(value, info, "it is needed, unless anybody may read the bucket without a key")

    @property
    def address(self) -> str:
        """The endpoint that is asked."""
        return self.endpoint or "https://storage.googleapis.com"


class AzureBlobParameters(StoreParameters):
    """A container of Azure Blob Storage."""

    form_help: ClassVar[FormHelp] = FormHelp(
        heading="A signature that may only list and read",
        grants="Run this with az as an owner of the storage account, or in Azure Cloud Shell, with your names and a "
        "last day in it. It prints the signature for the form.",
        reach="This installation must reach ACCOUNT.blob.core.windows.net on port 443. Where the account takes "
        f"selected networks only, add under Networking {OUTGOING}.",
        notes=("After its last day a signature opens nothing: give a new one before.", FILES_LOADED),
    )

    account: Annotated[Text, AfterValidator(_azure_account)] = Field(
        title="Storage account", description="The name of the storage account."
    )
    container: Bucket = Field(title="Container", description="The name of the container.")
    anonymous: bool = Field(default=False, title="Without a key", description="For containers that anybody may read.")
    sas_token: Annotated[Secret, AfterValidator(_sas)] = Field(
        default=SecretStr(""),
        title="Shared access signature",
        description="A signature that allows to read and list only, and that ends by itself.",
    )
    account_key: Annotated[Secret, AfterValidator(_azure_key)] = Field(
        default=SecretStr(""),
        title="Account key",
        description="Instead of a signature: one of the two access keys, which allow everything in the account.",
        validate_default=True,
    )

    @field_validator("account_key")
    @classmethod
    def _one_way_in(cls, value: SecretStr, info: ValidationInfo) -> str | SecretStr:
        signature = info.data.get("sas_token")
        if signature is None or not signature.get_secret_value():
            return _given(value, info, "give it or a shared access signature, unless anybody may read the container")
        if value.get_secret_value():
            raise ValueError("give either it or a shared access signature, not both")
        return value

    @property
    def address(self) -> str:
        """The endpoint that is asked."""
        return self.endpoint or f"https://{self.account}.blob.core.windows.net"

    @property
    def account_in_path(self) -> bool:
        """Whether the path begins with the account, because the host does not."""
        return not self.address.split("://")[1].startswith(f"{self.account}.")
