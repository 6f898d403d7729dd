"""What the connection form of Firestore asks for."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from b2b_recs.engine.sources.fields import SourceParameters
from b2b_recs.engine.sources.form_help import FormHelp, cloud_reach
from b2b_recs.engine.sources.google_cloud import KEY_WORDS, ServiceAccountKey


def _project(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9.:-]{4,61}[a-z0-9]", value):
        raise ValueError("must be a project's id, such as my-shop-4711, not its name")
    return value


def _database(value: str) -> str:
    if value != "(default)" and not re.fullmatch(r"[a-z][a-z0-9-]{2,61}[a-z0-9]", value):
        raise ValueError("must be (default) or a database's id")
    return value


class FirestoreParameters(SourceParameters):
    """A database of a Google Cloud project."""

    form_help: ClassVar[FormHelp] = FormHelp(
        heading="A service account that may only read",
        grants="Run this with gcloud as an owner of the project, or in Cloud Shell, with your project's id in it; then "
        "paste the text of key.json into the form.",
        reach=cloud_reach("firestore.googleapis.com"),
        notes=(
            "Google bills each document that is read to this project.",
            "Every connection to Google is encrypted and checked.",
        ),
    )

    project: Annotated[str, AfterValidator(_project)] = Field(
        title="Project", description="The id of the Google Cloud project.", max_length=63
    )
    database: Annotated[str, AfterValidator(_database)] = Field(
        default="(default)", title="Database", description="Usually (default).", max_length=63
    )
    service_account: ServiceAccountKey = Field(
        title="Service account key", description=KEY_WORDS, json_schema_extra={"format": "textarea"}
    )
    sampled_documents: int = Field(
        default=1000,
        title="Documents looked at",
        description="How many documents of a collection are looked at to find its fields.",
        ge=1,
        le=100_000,
    )
