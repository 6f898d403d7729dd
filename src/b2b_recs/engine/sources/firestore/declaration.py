"""The declaration of Firestore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import (
    Capabilities,
    ColumnInfo,
    Dialer,
    Fields,
    ParametersModel,
    Source,
    SourceType,
)
from b2b_recs.engine.sources.firestore.kinds import FIELDS, RULES
from b2b_recs.engine.sources.firestore.parameters import FirestoreParameters
from b2b_recs.engine.sources.proposing import TypeRule, propose_columns


class Firestore(SourceType):
    """The declaration of Firestore."""

    type: ClassVar[str] = "firestore"
    name: ClassVar[str] = "Firestore"
    category: ClassVar[str] = "nosql"
    Parameters: ClassVar[ParametersModel] = FirestoreParameters
    secret_fields: ClassVar[tuple[str, ...]] = ("service_account",)
    capabilities: ClassVar[Capabilities] = Capabilities(
        row_estimates=False, schemas=False, asks_null=False, sampled=True
    )
    last_change: ClassVar[str] = "not told, because the service keeps no such time of a collection"
    verified_against: ClassVar[str] = (
        "the vendor's client against a double of the service over gRPC and TLS; no server could be had"
    )
    extra: ClassVar[str] = "firestore"
    driver: ClassVar[str] = "google.cloud.firestore_v1"
    rules: ClassVar[Mapping[str, TypeRule]] = RULES
    grants: ClassVar[str] = """gcloud iam service-accounts create b2b-recs-reader
gcloud projects add-iam-policy-binding YOUR_PROJECT --role roles/datastore.viewer \\
  --member serviceAccount:b2b-recs-reader@YOUR_PROJECT.iam.gserviceaccount.com
gcloud iam service-accounts keys create key.json --iam-account b2b-recs-reader@YOUR_PROJECT.iam.gserviceaccount.com"""

    def open(self, parameters: Any, dial: Dialer) -> Source:
        """Connect. Raises HostUnknown, ConnectionRefused, AuthenticationRefused, DatabaseMissing, DriverMissing."""
        if not isinstance(parameters, FirestoreParameters):
            raise TypeError("parameters must be FirestoreParameters")
        from b2b_recs.engine.sources.firestore.source import FirestoreSource

        return FirestoreSource(parameters, dial)

    def met_columns(self, fields: Fields) -> list[ColumnInfo]:
        """Fields that were met while reading, as columns."""
        return [FIELDS.column(name, kinds) for name, kinds in fields.items()]

    def propose(
        self, columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]], time_zone: str
    ) -> list[ColumnMapping]:
        """The warehouse type of every field, by every kind of value it was seen with."""
        return propose_columns(columns, samples, FIELDS.rule)
