"""What the API takes for a job; the part that says how to copy follows the engine's own declaration."""

from __future__ import annotations

from copy import copy
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationError, create_model

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.schema.formats import text_format
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.project_file.names import warehouse_name
from b2b_recs.runtime.schedules import ScheduleSpec
from b2b_recs.web.api.failures import words_of
from b2b_recs.web.api.schemas import LARGEST_ID, BodyId, Given, Name
from b2b_recs.web.etl.loads import Load, load_form, load_of

MOST_COLUMNS = 5_000
MANUAL = ScheduleSpec()


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("there is no time zone of that name; use one such as Europe/London or UTC")
    return value


Column = Annotated[str, StringConstraints(min_length=1, max_length=300)]
# As its source has it, where no name at all is one, too.
SourceColumn = Annotated[str, StringConstraints(max_length=300)]
Columns = Annotated[tuple[SourceColumn, ...], Field(max_length=MOST_COLUMNS)]
NewName = Annotated[str, StringConstraints(max_length=1_000)]
WarehouseTable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
TimeZone = Annotated[str, AfterValidator(_zone)]


class ColumnType(Given):
    """What one column becomes, where the proposal is not wanted."""

    name: SourceColumn
    warehouse_type: WarehouseType
    mode: Mode = Mode.NULLABLE
    precision: int | None = Field(default=None, ge=1, le=76)
    scale: int | None = Field(default=None, ge=0, le=76)
    format: str = Field(
        default="",
        max_length=40,
        description="How text writes dates, such as %d/%m/%Y, or numbers, such as 1.234,56; empty for the usual way.",
    )

    def mapping(self) -> ColumnMapping:
        """The same as the engine takes it."""
        decimal = self.warehouse_type in (WarehouseType.NUMERIC, WarehouseType.BIGNUMERIC)
        if not decimal and (self.precision is not None or self.scale is not None):
            raise BadInput(
                f"{self.warehouse_type.value} takes no number of digits.",
                field="types",
                column=self.name,
                advice="Leave out digits and decimals (precision and scale).",
            )
        if self.scale is not None and (self.precision is None or self.scale > self.precision):
            raise BadInput(
                f"The column “{self.name}” has more digits after the point than digits in all.",
                field="types",
                column=self.name,
                advice="Give at least as many digits (precision) as decimals (scale).",
            )
        mapping = ColumnMapping(
            self.name, "", self.warehouse_type, self.mode, self.precision, self.scale, format=self.format
        )
        try:
            text_format(mapping)
        except BadInput as refusal:
            raise BadInput(refusal.message, field="types", advice=refusal.advice, column=self.name) from None
        return mapping


# What the API asks of a part more narrowly than the engine does; every other part is the engine's own.
NARROWED: dict[str, tuple[Any, Any]] = {
    "source_schema": (
        Annotated[str, StringConstraints(max_length=300)],
        Field(default="", description="Empty where the source has no schemas."),
    ),
    "source_table": (Column, Field(description="The table, view or file pattern to copy.")),
    "destination_table": (
        WarehouseTable | None,
        Field(default=None, description="The warehouse table; `bq_` and the source's name when left out."),
    ),
    "load": (Load, Field(description="How rows are loaded.")),
    "columns": (Columns, Field(default=(), description="The columns to copy; empty means all.")),
    "types": (
        Annotated[tuple[ColumnType, ...], Field(max_length=MOST_COLUMNS)],
        Field(default=(), description="Types that differ from the proposal."),
    ),
    "names": (
        Annotated[dict[SourceColumn, NewName], Field(max_length=MOST_COLUMNS)],
        Field(
            default_factory=dict,
            description="What columns are called in the warehouse, by their names in the source. Columns whose names "
            "BigQuery does not take get the proposed one when none is given.",
        ),
    ),
    "gone": (
        Columns,
        Field(
            default=(),
            description="Columns the warehouse table has and the source may be without, by their names in the "
            "warehouse; another one that is missing stops a run that copies all columns.",
        ),
    ),
    "row_limit": (
        int | None,
        Field(default=None, ge=1, le=LARGEST_ID, description="The most rows a run reads."),
    ),
    "partition_by": (Column | None, Field(default=None, description="Arrange the table by day of this column.")),
    "cluster_by": (
        Annotated[Columns, Field(max_length=4)],
        Field(default=(), description="Arrange rows by these columns, at most four."),
    ),
    "time_zone": (
        TimeZone | None,
        Field(default=None, description="For times without a zone; the model's when left out."),
    ),
}
FIXED = {"destination_dataset"}


class JobBasis(Given):
    """What a job is beside its copy."""

    name: Name
    connection_id: BodyId
    enabled: bool = Field(default=True, description="Whether its schedule is followed and it runs with all others.")
    schedule: ScheduleSpec = Field(default=MANUAL, description="When it runs by itself.")
    paused: bool = Field(default=False, description="Keep the schedule without following it.")
    check_source: bool = Field(
        default=True, description="Compare with the columns the source has now; false saves without asking it."
    )


def _parts() -> dict[str, Any]:
    """Every part of a copy as the API takes it."""
    parts: dict[str, Any] = {}
    for name, field in CopySpec.model_fields.items():
        if name not in FIXED:
            parts[name] = NARROWED.get(name) or (field.annotation, copy(field))
    return parts


JobSettings: Any = create_model("JobSettings", __base__=JobBasis, __doc__="Everything a job is.", **_parts())
JobIn: Any = create_model(
    "JobIn",
    __base__=JobSettings,
    __doc__="A job to create.",
    draft_id=(BodyId | None, Field(default=None, description="The draft this job was; it becomes the job.")),
)
JobChange: Any = create_model(
    "JobChange",
    __base__=Given,
    __doc__="What changes of a job; everything left out stays.",
    **{
        name: (field.annotation | None, Field(default=None, description=field.description))
        for name, field in {**JobBasis.model_fields}.items()
    },
    **{name: (part[0] | None, Field(default=None, description=part[1].description)) for name, part in _parts().items()},
)


class DraftIn(Given):
    """What a wizard holds; the values are kept as they are and checked when the job is created."""

    name: Name
    connection_id: BodyId
    draft_id: BodyId | None = Field(default=None, description="The draft to bring up to date; a new one without.")
    step: int = Field(default=1, ge=1, le=5, description="The step the wizard shows.")
    completed_steps: list[Annotated[int, Field(ge=1, le=5)]] = Field(default_factory=list, max_length=5)
    values: dict[str, Any] = Field(default_factory=dict, description="Parts of a job, as add-source takes them.")


class NameIn(Given):
    """A name to look up."""

    name: Name
    source_id: BodyId | None = Field(default=None, description="The job being edited, which may keep its name.")


class Toggle(Given):
    """Whether schedules are followed: of one job, or of the whole model."""

    enabled: bool
    source_id: BodyId | None = Field(default=None, description="Only this job; without it the whole model.")


def spec_of(settings: Any, time_zone: str) -> CopySpec:
    """The engine's copy of what the API was given; ``time_zone`` is the model's. Raises BadInput naming the field."""
    given = {name: getattr(settings, name) for name in CopySpec.model_fields if name not in FIXED}
    given |= {
        "load": load_of(settings.load),
        "types": tuple(one.mapping() for one in settings.types),
        "destination_table": settings.destination_table or warehouse_name(settings.source_table),
        "time_zone": settings.time_zone or time_zone,
    }
    try:
        return CopySpec.model_validate(given)
    except ValidationError as error:
        raise _unfit(error) from None


def settings_form(name: str, connection_id: int, enabled: bool, spec: CopySpec) -> dict[str, Any]:
    """A job as the API takes it, without its schedule."""
    document = spec.model_dump(mode="json", exclude=FIXED)
    types = [{field: one[field] for field in ColumnType.model_fields} for one in document["types"]]
    own = {"name": name, "connection_id": connection_id, "enabled": enabled}
    return {**own, **document, "load": load_form(spec.load), "types": types}


def changed_settings(form: dict[str, Any], change: BaseModel) -> Any:
    """The settings after a change. Raises BadInput naming the field."""
    given = change.model_dump(mode="json", exclude_unset=True)
    try:
        return JobSettings.model_validate({**form, **given})
    except ValidationError as error:
        raise _unfit(error) from None


def schedule_in(settings: Any, time_zone: str) -> ScheduleSpec:
    """The schedule asked for; in the model's time zone when it names none."""
    schedule: ScheduleSpec = settings.schedule
    if "time_zone" in schedule.model_fields_set:
        return schedule
    return schedule.model_copy(update={"time_zone": time_zone})


def _unfit(error: ValidationError) -> BadInput:
    message, advice, field = words_of(error.errors(include_url=False, include_input=False))
    return BadInput(message, advice=advice, field=field)
