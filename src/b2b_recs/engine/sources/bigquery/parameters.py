"""What the connection form of BigQuery asks for."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from b2b_recs.engine.sources.fields import Secret, SourceParameters
from b2b_recs.engine.sources.form_help import FormHelp, cloud_reach

_PROJECT = re.compile(r"([a-z][a-z0-9.-]*:)?[a-z][a-z0-9-]{4,61}[a-z0-9]")
_DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}")
_LOCATION = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,40}")
_GOOGLE = ".googleapis.com"


def _project(value: str) -> str:
    if not _PROJECT.fullmatch(value):
        raise ValueError("must be a project id, such as my-shop-1234: small letters, digits and hyphens")
    return value


def _dataset(value: str) -> str:
    if value and not _DATASET.fullmatch(value):
        raise ValueError("must be the name of a dataset alone: letters, digits and underscores")
    return value


def _location(value: str) -> str:
    if value and not _LOCATION.fullmatch(value):
        raise ValueError("must be a location such as EU, US or europe-west1")
    return value


def _service_account(value: SecretStr) -> SecretStr:
    """Refuse every kind of credential that could make this machine run or dial something else."""
    try:
        document = json.loads(value.get_secret_value())
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ValueError("must be the JSON text of a service account's key, as Google Cloud gives it to download")
    if document.get("type") != "service_account":
        raise ValueError("must be the key of a service account; other kinds of credentials are not accepted")
    missing = [name for name in ("client_email", "private_key", "token_uri") if not _text(document.get(name))]
    if missing:
        raise ValueError(f"lacks {', '.join(missing)}; give the whole text of the key's file")
    address = urlsplit(document["token_uri"])
    if address.scheme != "https" or not (address.hostname or "").endswith(_GOOGLE) or address.port not in (None, 443):
        raise ValueError("names another address for tokens than Google's")
    if document.get("universe_domain", "googleapis.com") != "googleapis.com":
        raise ValueError("belongs to another cloud than Google's")
    return value


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


class BigQueryParameters(SourceParameters):
    """Typed fields only; the key of a service account is the only way in."""

    form_help: ClassVar[FormHelp] = FormHelp(
        heading="A service account that may only read",
        grants="Run this with gcloud and bq as an owner of the project, or in Cloud Shell, with your names in it; then "
        "make a JSON key of the account and paste it into the form.",
        reach=cloud_reach("bigquery.googleapis.com", "bigquerystorage.googleapis.com", "oauth2.googleapis.com"),
        notes=("Google bills what is read to this project.", "Every connection to Google is encrypted and checked."),
    )

    project: Annotated[str, AfterValidator(_project)] = Field(
        title="Project", description="Id of the Google Cloud project that holds the data.", min_length=1, max_length=100
    )
    dataset: Annotated[str, AfterValidator(_dataset)] = Field(
        default="",
        title="Dataset",
        description="Only this dataset is shown. Left empty, all that the account may see.",
        max_length=1024,
    )
    location: Annotated[str, AfterValidator(_location)] = Field(
        default="",
        title="Location",
        description="Where the data lies, such as EU or europe-west1. Left empty, BigQuery finds out.",
        max_length=42,
    )
    credentials: Annotated[Secret, AfterValidator(_service_account)] = Field(
        title="Service account key",
        description="JSON text of the key of a service account that may read the data and run jobs.",
        max_length=20_000,
        json_schema_extra={"format": "textarea"},
    )
