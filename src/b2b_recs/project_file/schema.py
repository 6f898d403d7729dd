"""Everything a project file may say; the one description that reading, writing and the pages share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    StringConstraints,
    Tag,
    model_validator,
)

from b2b_recs.engine.datasets.spec import DatasetSpec
from b2b_recs.engine.etl.spec import Catalog, CopySpec, Transactional
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.training.spec import TrainingSpec
from b2b_recs.project_file.names import join_table, split_table, warehouse_name
from b2b_recs.project_file.schedules import Schedule

MANUAL = Schedule()
UNITS = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}


class Section(BaseModel):
    """A part of the file: unknown keys are refused, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("there is no time zone of that name; use one such as Europe/London or UTC")
    return value


def _clean(value: str) -> str:
    if value != value.strip() or not value.isprintable():
        raise ValueError("a name has no spaces around it and no control characters")
    return value


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d{1,6}) (second|minute|hour|day)s?", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a length of time is a number and a unit, such as 90 minutes, 2 hours or 1 day")
    return timedelta(seconds=int(match[1]) * UNITS[match[2]])


def _duration_words(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    unit = next(unit for unit, size in UNITS.items() if seconds % size == 0)
    count = seconds // UNITS[unit]
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Name = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(_clean)]
Column = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Columns = Annotated[tuple[Column, ...], BeforeValidator(_one_or_many)]
TimeZone = Annotated[str, AfterValidator(_zone)]
Duration = Annotated[timedelta, BeforeValidator(_duration), PlainSerializer(_duration_words)]
WarehouseName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]


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


class TransactionalSettings(Section):
    """Append new rows by a cursor column; see the engine's Transactional."""

    cursor: Column
    key: Columns = ()
    backfill: Literal["all"] | Annotated[int, Field(ge=1, strict=True)] | date = "all"
    lag: Duration = timedelta(hours=1)
    lag_units: Annotated[int, Field(ge=0)] = 1000


class CatalogSettings(Section):
    """Replace the whole table each run."""

    keep_days: Annotated[int, Field(ge=1)] = 30


class TransactionalLoad(Section):
    """``{transactional: {cursor: …}}``."""

    transactional: TransactionalSettings


class CatalogLoad(Section):
    """``{catalog: {keep_days: …}}``."""

    catalog: CatalogSettings


def _kind_of_load(value: Any) -> str | None:
    if isinstance(value, TransactionalLoad) or (isinstance(value, dict) and "transactional" in value):
        return "transactional"
    if value == "catalog" or isinstance(value, str):
        return "word"
    return "catalog" if isinstance(value, dict | CatalogLoad) else None


def _load_form(load: TransactionalLoad | CatalogLoad | str) -> Any:
    if isinstance(load, CatalogLoad) and load.catalog == CatalogSettings():
        return "catalog"
    return load if isinstance(load, str) else load.model_dump(exclude_defaults=True)


Load = Annotated[
    Annotated[TransactionalLoad, Tag("transactional")]
    | Annotated[CatalogLoad, Tag("catalog")]
    | Annotated[Literal["catalog"], Tag("word")],
    Discriminator(_kind_of_load),
    PlainSerializer(_load_form),
]


def _table(value: Any) -> Any:
    return join_table(*split_table(value)) if isinstance(value, str) else value


def _type_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"([A-Za-z0-9]+)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?(\s+REQUIRED)?", value, re.IGNORECASE)
    names = [kind.value for kind in WarehouseType]
    if match is None or match[1].upper() not in names:
        raise ValueError(f"there is no such warehouse type; use one of {', '.join(names)}, such as NUMERIC(12, 2)")
    if match[2] and match[1].upper() not in ("NUMERIC", "BIGNUMERIC"):
        raise ValueError("only NUMERIC and BIGNUMERIC take a number of digits")
    digits = f"({int(match[2])}, {int(match[3] or 0)})" if match[2] else ""
    return match[1].upper() + digits + (" REQUIRED" if match[4] else "")


TypeText = Annotated[str, BeforeValidator(_type_text)]


class JobSection(Section):
    """One source table copied to one warehouse table."""

    connection: Name
    table: Annotated[str, BeforeValidator(_table)]
    load: Load
    schedule: Schedule = MANUAL
    destination: WarehouseName = ""
    columns: Columns = ()
    types: dict[Column, TypeText] = Field(default_factory=dict)
    partition_by: Column | None = None
    cluster_by: Columns = ()
    row_limit: Annotated[int, Field(ge=1)] | None = None
    drift: Literal["add", "ignore", "stop"] = "add"
    reject_threshold: Annotated[float, Field(ge=0, le=1)] = 0.05
    time_zone: TimeZone = "UTC"
    enabled: bool = True

    @model_validator(mode="before")
    @classmethod
    def _settled(cls, value: Any) -> Any:
        """Write short forms out, so that two ways to say the same are the same."""
        if not isinstance(value, Mapping):
            return value
        settled = dict(value)
        if settled.get("load") == "catalog":
            settled["load"] = {"catalog": {}}
        if "destination" not in settled and isinstance(settled.get("table"), str):
            try:
                settled["destination"] = warehouse_name(split_table(settled["table"])[1])
            except ValueError:
                settled["destination"] = "bq_table"  # the table itself is refused
        return settled

    def copy_spec(self) -> CopySpec:
        """What the engine is asked to copy."""
        schema, table = split_table(self.table)
        load: Transactional | Catalog
        if isinstance(self.load, TransactionalLoad):
            settings = self.load.transactional
            load = Transactional(
                cursor=settings.cursor,
                key=settings.key,
                backfill=settings.backfill,
                lag=settings.lag,
                lag_units=settings.lag_units,
            )
        else:
            load = Catalog(keep_days=self.load.catalog.keep_days) if isinstance(self.load, CatalogLoad) else Catalog()
        return CopySpec(
            source_schema=schema,
            source_table=table,
            destination_table=self.destination,
            load=load,
            columns=self.columns,
            types=tuple(_mapping(name, text) for name, text in self.types.items()),
            row_limit=self.row_limit,
            drift=self.drift,
            reject_threshold=self.reject_threshold,
            partition_by=self.partition_by,
            cluster_by=self.cluster_by,
            time_zone=self.time_zone,
        )

    @classmethod
    def of(cls, connection: str, spec: CopySpec, schedule: Schedule = MANUAL, enabled: bool = True) -> JobSection:
        """The section that asks for this copy."""
        if isinstance(spec.load, Transactional):
            load: dict[str, Any] = {"transactional": spec.load.model_dump()}
        else:
            load = {"catalog": spec.load.model_dump()}
        return cls.model_validate(
            {
                "connection": connection,
                "table": join_table(spec.source_schema, spec.source_table),
                "load": load,
                "schedule": schedule,
                "destination": spec.destination_table,
                "columns": spec.columns,
                "types": {mapping.name: _mapping_text(mapping) for mapping in spec.types},
                "partition_by": spec.partition_by,
                "cluster_by": spec.cluster_by,
                "row_limit": spec.row_limit,
                "drift": spec.drift,
                "reject_threshold": spec.reject_threshold,
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


def _mapping(name: str, text: str) -> ColumnMapping:
    kind, _, rest = text.partition("(")
    digits = re.findall(r"\d+", rest)
    return ColumnMapping(
        name=name,
        source_type="",
        warehouse_type=WarehouseType(kind.split()[0]),
        mode=Mode.REQUIRED if text.endswith(" REQUIRED") else Mode.NULLABLE,
        precision=int(digits[0]) if digits else None,
        scale=int(digits[1]) if digits else None,
    )


def _mapping_text(mapping: ColumnMapping) -> str:
    digits = f"({mapping.precision}, {mapping.scale or 0})" if mapping.precision is not None else ""
    return mapping.warehouse_type.value + digits + (" REQUIRED" if mapping.mode == Mode.REQUIRED else "")
