"""The declaration of MongoDB."""

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
from b2b_recs.engine.sources.mongodb.kinds import FIELDS, RULES
from b2b_recs.engine.sources.mongodb.parameters import MongoDBParameters
from b2b_recs.engine.sources.proposing import TypeRule, propose_columns


class MongoDB(SourceType):
    """The declaration of MongoDB."""

    type: ClassVar[str] = "mongodb"
    name: ClassVar[str] = "MongoDB"
    category: ClassVar[str] = "nosql"
    Parameters: ClassVar[ParametersModel] = MongoDBParameters
    capabilities: ClassVar[Capabilities] = Capabilities(snapshot=False, sampled=True)
    last_change: ClassVar[str] = "not told, because a server keeps no such time of a collection"
    verified_against: ClassVar[str] = (
        "the vendor's client against a double of the wire protocol (OP_MSG, SCRAM); no server could be had"
    )
    extra: ClassVar[str] = "mongodb"
    driver: ClassVar[str] = "pymongo"
    rules: ClassVar[Mapping[str, TypeRule]] = RULES
    grants: ClassVar[str] = """use admin
db.createUser({user: "b2b_recs_reader", pwd: passwordPrompt(), roles: [{role: "read", db: "your_database"}]})"""

    def open(self, parameters: Any, dial: Dialer) -> Source:
        """Connect. Raises HostUnknown, ConnectionRefused, AuthenticationRefused, SourceRefused, DriverMissing."""
        if not isinstance(parameters, MongoDBParameters):
            raise TypeError("parameters must be MongoDBParameters")
        from b2b_recs.engine.sources.mongodb.source import MongoDBSource

        return MongoDBSource(parameters, dial)

    def met_columns(self, fields: Fields) -> list[ColumnInfo]:
        """Fields that were met while reading, as columns."""
        return [FIELDS.column(name, kinds) for name, kinds in fields.items()]

    def propose(
        self, columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]], time_zone: str
    ) -> list[ColumnMapping]:
        """The warehouse type of every field, by every kind of value it was seen with."""
        return propose_columns(columns, samples, FIELDS.rule)
