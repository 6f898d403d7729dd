"""What the API takes and gives for connections. No answer has a place for a secret."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.sources.contract import CheckResult, SourceType, TableInfo
from b2b_recs.engine.sources.describing import described
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.web.api.schemas import ErrorDetail, Given, Name, PageOf
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.connections.services import secrets_set_at

MOST_TABLES = 10_000
Parameters = dict[str, Any]
PARAMETERS = "The settings of that source type; GET /api/sources/ lists them as JSON Schema."


class SourceTypeOut(BaseModel):
    """One type of source this installation knows."""

    type: str
    name: str
    category: str = Field(description="relational, files, nosql or warehouses.")
    parameters: dict[str, Any] = Field(description="JSON Schema of what a connection of this type asks for.")
    secret_fields: list[str] = Field(description="The parameters that go in and never come out.")
    capabilities: dict[str, bool]
    installed: bool = Field(description="Whether what reads it is installed here.")
    install: str = Field(description="What to run when it is not installed; empty when nothing is needed.")
    verified_against: str
    grants: str = Field(description="What to run on the source so that a login may read and nothing else.")


class SourceTypes(BaseModel):
    """Every type, by name."""

    items: list[SourceTypeOut]


class TestIn(Given):
    """Parameters to try, not stored."""

    __test__ = False
    type: str = Field(max_length=40, description="postgresql, mysql, … as GET /api/sources/ lists them.")
    parameters: Parameters = Field(description=PARAMETERS)


class ConnectionIn(TestIn):
    """A connection to save."""

    name: Name
    proof: str | None = Field(
        default=None,
        max_length=500,
        description="What a passing test of the same parameters answered within ten minutes; then it is not repeated.",
    )


class ConnectionChange(Given):
    """What changes; everything left out stays."""

    name: Name | None = None
    enabled: bool | None = None
    parameters: Parameters | None = Field(
        default=None,
        description=f"{PARAMETERS} Only those that change; null takes one back to its default, or a secret away.",
    )


class TableOut(BaseModel):
    """A table of a source."""

    source_schema: str = Field(description="Empty where the source has no schemas.")
    source_table: str
    kind: str
    row_estimate: int | None = Field(description="As the source noted it last; null when it has not.")
    size_bytes: int | None = Field(description="As the source noted it last; null when it has not.")
    last_change: datetime | None


class TablesOut(BaseModel):
    """The tables a connection can read."""

    tables: list[TableOut]
    tables_total: int = Field(description=f"How many there are; at most {MOST_TABLES:,} are listed.")


class PassedTest(TablesOut):
    """A test that passed."""

    __test__ = False
    latency_ms: float
    server_version: str
    warning: str = Field(description="What is odd all the same, such as a folder without any file; empty when nothing.")
    name_suggested: str = Field(description="“{Type} {database}”.")
    proof: str = Field(description="To be given to create, so that it need not test again; good for ten minutes.")


class StoredTest(BaseModel):
    """How a test of a stored connection went."""

    __test__ = False
    status: Literal["passed", "failed", "unknown"] = Field(
        description="unknown: we could not carry it out, and the connection keeps the status it had."
    )
    dot: Literal["green", "red", "yellow", "grey"]
    tested_at: datetime
    latency_ms: float | None
    server_version: str | None
    warning: str | None = Field(description="What is odd though the test passed; empty when nothing.")
    error: ErrorDetail | None


class StoredTestWithTables(StoredTest):
    """The same with the tables, when it passed."""

    tables: list[TableOut] | None
    tables_total: int | None


class ConnectionOut(BaseModel):
    """A connection without its credentials."""

    id: int
    model_id: int
    name: str
    type: str
    type_name: str
    parameters: dict[str, Any] = Field(description="What is no secret.")
    enabled: bool
    dot: Literal["green", "red", "yellow", "grey"]
    last_test_status: str
    last_test_message: str
    last_test_at: datetime | None
    test_trouble: str = Field(description="Why the last test could not be carried out; empty when it could.")
    last_used_at: datetime | None
    created_at: datetime
    updated_at: datetime
    jobs: list[str] = Field(description="Names of the jobs that use it.")


class Connections(PageOf):
    """One page of connections."""

    items: list[ConnectionOut]


class ConnectionUpdated(BaseModel):
    """A changed connection, and what changed."""

    connection: ConnectionOut
    changes: list[str]
    jobs_affected: int


class CredentialField(BaseModel):
    """One secret of a connection; never its value."""

    field: str
    title: str
    is_set: bool
    set_at: datetime | None


class CredentialFields(BaseModel):
    """Which secrets of a connection are set, and since when."""

    items: list[CredentialField]


class Deleted(BaseModel):
    """What was deleted."""

    id: int
    name: str


def describe_type(declared: SourceType) -> SourceTypeOut:
    """A source type as programs see it."""
    return SourceTypeOut(**described(declared))


def describe(connection: Connection, jobs: list[str]) -> ConnectionOut:
    """A connection as programs see it."""
    declared = SOURCE_TYPES.get(connection.source_type)
    return ConnectionOut(
        id=connection.id,
        model_id=connection.model_id,
        name=connection.name,
        type=connection.source_type,
        type_name=declared.name if declared else connection.source_type,
        parameters=without_secrets(connection.parameters, declared),
        enabled=connection.enabled,
        dot=connection.dot,
        last_test_status=connection.last_test_status,
        last_test_message=connection.last_test_message,
        last_test_at=connection.last_test_at,
        test_trouble=connection.test_trouble,
        last_used_at=connection.last_used_at,
        created_at=connection.created_at,
        updated_at=connection.updated_at,
        jobs=jobs,
    )


def without_secrets(parameters: Mapping[str, Any], declared: SourceType | None) -> dict[str, Any]:
    """The parameters that are no secrets; of a type that is not known any more, none."""
    if declared is None:
        return {}
    return {name: value for name, value in parameters.items() if name not in declared.secret_fields}


def describe_credentials(connection: Connection) -> CredentialFields:
    """Which secret fields are set, and when. Call inside the organization's scope."""
    declared, set_at = SOURCE_TYPES.get(connection.source_type), secrets_set_at(connection)
    names = [*(declared.secret_fields if declared else ()), *set_at]
    titles = declared.Parameters.model_fields if declared else {}
    return CredentialFields(
        items=[
            CredentialField(
                field=name,
                title=(titles[name].title if name in titles else None) or name,
                is_set=name in set_at,
                set_at=set_at.get(name),
            )
            for name in dict.fromkeys(names)
        ]
    )


def describe_tables(tables: tuple[TableInfo, ...] | list[TableInfo]) -> dict[str, Any]:
    """Tables as fields of ``TablesOut``."""
    shown = [
        TableOut(
            source_schema=one.schema,
            source_table=one.name,
            kind=one.kind,
            row_estimate=one.row_estimate,
            size_bytes=one.size_bytes,
            last_change=one.last_change,
        )
        for one in tables[:MOST_TABLES]
    ]
    return {"tables": shown, "tables_total": len(tables)}


def describe_error(error: EngineError | None) -> ErrorDetail | None:
    """A refusal as a part of an answer."""
    if error is None:
        return None
    return ErrorDetail(code=error.code, message=error.message, advice=error.advice, field=error.field)


def suggested_name(source_type: str, parameters: Mapping[str, Any]) -> str:
    """The name a new connection is given unless somebody writes another: “{Type} {database}”."""
    declared = SOURCE_TYPES[source_type]
    place = next(
        (str(parameters[name]) for name in ("database", "dataset", "bucket", "path", "host") if parameters.get(name)),
        "",
    )
    return f"{declared.name} {place.replace(chr(92), '/').rstrip('/').rsplit('/', 1)[-1]}".strip()[:100]


def describe_check(found: CheckResult) -> dict[str, Any]:
    """A passed test as fields of an answer."""
    return {
        "latency_ms": round(found.latency_ms, 3),
        "server_version": found.server_version,
        "warning": found.warning,
    }
