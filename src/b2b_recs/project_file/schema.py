"""Everything a project file may say; the one description that reading, writing and the pages share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from b2b_recs.engine.datasets.spec import DatasetSpec
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.schema.formats import FORMATS
from b2b_recs.engine.schema.number_formats import NUMBER_FORMATS
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.sources.contract import SourceType
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.training.spec import TrainingSpec
from b2b_recs.project_file.loads import LOADS, PLAIN_LOADS, Load
from b2b_recs.project_file.names import join_table, split_table, warehouse_name
from b2b_recs.project_file.schedules import Schedule
from b2b_recs.project_file.values import Column, Columns, Name, Section, SourceColumn, TimeZone, WarehouseName

MANUAL = Schedule()


class ModelSection(Section):
    """The model itself."""

    name: Name
    description: str = ""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "EUR"
    time_zone: TimeZone = "UTC"


class EnvironmentReference(Section):
    """A value taken from an environment variable when the file is applied."""

    env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class SecretReference(Section):
    """A value already kept by the installation under a name."""

    secret: Name


def _kind_of_value(value: Any) -> str:
    if isinstance(value, EnvironmentReference) or "env" in (value if isinstance(value, dict) else ()):
        return "env"
    if isinstance(value, SecretReference | dict):
        return "secret"
    return "many" if isinstance(value, list | tuple) else "one"


Reference = EnvironmentReference | SecretReference
Scalar = str | int | float | bool | None
Parameter = Annotated[
    Annotated[EnvironmentReference, Tag("env")]
    | Annotated[SecretReference, Tag("secret")]
    | Annotated[tuple[str, ...], Tag("many")]
    | Annotated[Scalar, Tag("one")],
    Discriminator(_kind_of_value),
]


class ConnectionSection(BaseModel):
    """A connection: its type and that type's own parameters, beside it in the file."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Parameter]
    type: str

    @property
    def parameters(self) -> dict[str, Any]:
        """Every parameter as written: plain values and references."""
        return dict(self.__pydantic_extra__ or {})

    @property
    def references(self) -> dict[str, Reference]:
        """The parameters that stand in the file only by reference."""
        kinds = (EnvironmentReference, SecretReference)
        return {name: value for name, value in self.parameters.items() if isinstance(value, kinds)}


_TYPE = re.compile(
    r"([A-Za-z0-9]+)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?(?:\s+AS\s+(\S.*?))?(\s+REQUIRED)?", re.IGNORECASE
)


def _type_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = _TYPE.fullmatch(value)
    names = [kind.value for kind in WarehouseType]
    if match is None or match[1].upper() not in names:
        raise ValueError(f"there is no such warehouse type; use one of {', '.join(names)}, such as NUMERIC(12, 2)")
    if match[2] and match[1].upper() not in ("NUMERIC", "BIGNUMERIC"):
        raise ValueError("only NUMERIC and BIGNUMERIC take a number of digits")
    if match[4]:
        _check_format(match[1].upper(), match[4])
    digits = f"({int(match[2])}, {int(match[3] or 0)})" if match[2] else ""
    form = f" AS {match[4]}" if match[4] else ""
    return match[1].upper() + digits + form + (" REQUIRED" if match[5] else "")


def _check_format(kind: str, form: str) -> None:
    if kind in ("INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64"):
        if form not in NUMBER_FORMATS:
            known = ", ".join(NUMBER_FORMATS)
            raise ValueError(
                f"{form[:40]} is not a known way of writing numbers; use {known}, as in {kind} AS 1.234,56"
            )
    elif kind not in ("DATE", "DATETIME"):
        raise ValueError("only dates and numbers take a format, such as DATE AS %d/%m/%Y or NUMERIC AS 1.234,56")
    elif form not in FORMATS:
        raise ValueError(f"{form[:40]} is not a known way of writing dates; use one such as DATE AS %d/%m/%Y")


TypeText = Annotated[str, BeforeValidator(_type_text)]


class JobSection(Section):
    """One source table copied to one warehouse table.

    How ``table`` is read depends on the type of the connection, which the job alone does not know: ``schemas`` says
    whether that type has them.
    """

    connection: Name
    table: str
    load: Load
    schedule: Schedule = MANUAL
    destination: WarehouseName = ""
    columns: Columns = ()
    types: dict[SourceColumn, TypeText] = Field(default_factory=dict)
    names: dict[SourceColumn, Column] = Field(default_factory=dict)
    gone: Columns = ()
    detect: bool = False
    partition_by: Column | None = None
    cluster_by: Columns = ()
    row_limit: Annotated[int, Field(ge=1)] | None = None
    drift: Literal["add", "ignore", "stop"] = "add"
    reject_threshold: Annotated[float, Field(ge=0, le=1)] = 0.05
    reconcile: Literal["counts", "checksums"] = "counts"
    parallel: Annotated[int, Field(ge=1, le=16)] = 2
    time_zone: TimeZone = "UTC"
    enabled: bool = True

    @model_validator(mode="before")
    @classmethod
    def _settled(cls, value: Any) -> Any:
        """Write short forms out, so that two ways to say the same are the same."""
        if not isinstance(value, Mapping):
            return value
        settled = dict(value)
        if settled.get("load") in PLAIN_LOADS:
            settled["load"] = {settled["load"]: {}}
        return settled

    def written_out(self, schemas: bool) -> JobSection:
        """The same job with its table in the one way it is written, and the destination that follows from it."""
        try:
            schema, table = split_table(self.table, schemas)
        except ValueError:
            schema, table = "", self.table  # the checks of the file refuse it
        destination = self.destination or warehouse_name(table)
        return self.model_copy(update={"table": join_table(schema, table), "destination": destination})

    def copy_spec(self, schemas: bool = True) -> CopySpec:
        """What the engine is asked to copy. Raises ValueError for a table that is not named as its source does."""
        schema, table = split_table(self.table, schemas)
        load = LOADS[self.load].model_validate({self.load: {}}) if isinstance(self.load, str) else self.load
        return CopySpec(
            source_schema=schema,
            source_table=table,
            destination_table=self.destination or warehouse_name(table),
            load=load.load(),
            columns=self.columns,
            types=tuple(_mapping(name, text) for name, text in self.types.items()),
            names=self.names,
            gone=self.gone,
            row_limit=self.row_limit,
            drift=self.drift,
            reject_threshold=self.reject_threshold,
            partition_by=self.partition_by,
            cluster_by=self.cluster_by,
            reconcile=self.reconcile,
            parallel=self.parallel,
            time_zone=self.time_zone,
        )

    @classmethod
    def of(cls, connection: str, spec: CopySpec, schedule: Schedule = MANUAL, enabled: bool = True) -> JobSection:
        """The section that asks for this copy."""
        return cls.model_validate(
            {
                "connection": connection,
                "table": join_table(spec.source_schema, spec.source_table),
                "load": {spec.load.strategy: spec.load.model_dump(exclude={"strategy"})},
                "schedule": schedule,
                "destination": spec.destination_table,
                "columns": spec.columns,
                "types": {mapping.name: _mapping_text(mapping) for mapping in spec.types},
                "names": spec.names,
                "gone": spec.gone,
                "partition_by": spec.partition_by,
                "cluster_by": spec.cluster_by,
                "row_limit": spec.row_limit,
                "drift": spec.drift,
                "reject_threshold": spec.reject_threshold,
                "reconcile": spec.reconcile,
                "parallel": spec.parallel,
                "time_zone": spec.time_zone,
                "enabled": enabled,
            }
        )


class PipelineSection(TrainingSpec):
    """What is trained on which dataset, when, and when its model goes into service."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    dataset: Name
    headline: str = Field(default="ndcg@10", alias="metric")
    schedule: Schedule = MANUAL

    def training_spec(self) -> TrainingSpec:
        """What the engine is asked to train."""
        return TrainingSpec.model_validate({name: getattr(self, name) for name in TrainingSpec.model_fields})

    @classmethod
    def of(cls, dataset: str, spec: TrainingSpec, schedule: Schedule = MANUAL) -> PipelineSection:
        """The section that asks for this training."""
        settings = {name: getattr(spec, name) for name in TrainingSpec.model_fields if name != "headline"}
        return cls.model_validate(settings | {"dataset": dataset, "metric": spec.headline, "schedule": schedule})


class ProjectFile(Section):
    """A whole file."""

    version: Literal[1]
    model: ModelSection
    connections: dict[Name, ConnectionSection] = Field(default_factory=dict)
    jobs: dict[Name, JobSection] = Field(default_factory=dict)
    datasets: dict[Name, DatasetSpec] = Field(default_factory=dict)
    pipeline: PipelineSection | None = None

    @model_validator(mode="after")
    def _written_out(self) -> Self:
        """Write out what follows from the type of a job's connection, so that two ways to say the same are the same."""
        self.jobs.update({name: job.written_out(self.schemas(job)) for name, job in self.jobs.items()})
        return self

    def source_type(self, job: JobSection) -> SourceType | None:
        """The type of source a job reads, None when the file does not say or there is no such type."""
        connection = self.connections.get(job.connection)
        return SOURCE_TYPES.get(connection.type) if connection is not None else None

    def schemas(self, job: JobSection) -> bool:
        """Whether the tables of a job's source have schemas."""
        declared = self.source_type(job)
        return declared is None or declared.capabilities.schemas


def _mapping(name: str, text: str) -> ColumnMapping:
    kind, precision, scale, form, required = cast(re.Match[str], _TYPE.fullmatch(text)).groups()
    return ColumnMapping(
        name=name,
        source_type="",
        warehouse_type=WarehouseType(kind),
        mode=Mode.REQUIRED if required else Mode.NULLABLE,
        precision=int(precision) if precision else None,
        scale=int(scale or 0) if precision else None,
        format=form or "",
    )


def _mapping_text(mapping: ColumnMapping) -> str:
    digits = f"({mapping.precision}, {mapping.scale or 0})" if mapping.precision is not None else ""
    form = f" AS {mapping.format}" if mapping.format else ""
    return mapping.warehouse_type.value + digits + form + (" REQUIRED" if mapping.mode == Mode.REQUIRED else "")
