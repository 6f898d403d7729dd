"""Writing a project file: reading it back gives the same project, whatever it says."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from project_texts import EXAMPLE

from b2b_recs.engine.datasets.spec import Condition, DatasetSpec, Filters, Join, Roles
from b2b_recs.engine.etl.spec import Catalog, CopySpec, Files, Merge, Transactional
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.training.spec import TestSplit, TrainingSpec
from b2b_recs.project_file.reading import parse_project
from b2b_recs.project_file.schedules import Schedule
from b2b_recs.project_file.schema import (
    ConnectionSection,
    EnvironmentReference,
    JobSection,
    ModelSection,
    PipelineSection,
    ProjectFile,
    SecretReference,
)
from b2b_recs.project_file.writing import write_project

characters = st.characters(exclude_categories=["C", "Z"], include_characters=" ") | st.sampled_from(
    "'\"{}[]:#&*!|>%@`,-?~0"
)
awkward = st.sampled_from(
    ["yes", "null", "1e3", "02:00", "0x1F", "1_000", "2024-01-31", "~", "- a", "a: b", "a #b", "=", "<<"]
)
texts = st.text(characters, min_size=1, max_size=20) | awkward
names = texts.map(str.strip).filter(bool)
columns = st.text(characters, min_size=1, max_size=12) | awkward
several = st.lists(columns, max_size=3, unique=True).map(tuple)
lengths = st.integers(0, 10_000).map(lambda minutes: timedelta(minutes=minutes))
backfills = st.just("all") | st.integers(1, 5000) | st.dates(date(1990, 1, 1), date(2100, 1, 1))
deletes = st.sampled_from(["keep", "count", "remove"])
keys = st.lists(columns, min_size=1, max_size=3, unique=True).map(tuple)
whole = st.builds(Catalog, keep_days=st.integers(1, 90))
by_file = st.builds(Files, deletes=st.sampled_from(["keep", "remove"]))
by_cursor = st.one_of(
    st.builds(Transactional, cursor=columns, key=several, backfill=backfills, lag=lengths, lag_units=st.integers(0, 9)),
    st.builds(Transactional, cursor=columns, key=keys, deletes=deletes),
    st.builds(Merge, cursor=columns, key=keys, backfill=backfills, lag=lengths, deletes=deletes),
)
times = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
days = st.sampled_from(["monday", "wednesday", "sunday"])
schedules = st.builds(
    lambda form, paused: Schedule.model_validate(form | ({"paused": True} if paused and form else {})),
    st.one_of(
        st.just({}),
        st.builds(lambda minutes: {"every_minutes": minutes}, st.integers(1, 1440)),
        st.builds(lambda minute: {"hourly": minute}, st.integers(0, 59)),
        st.builds(lambda time: {"daily": time}, times),
        st.builds(lambda day, time: {"weekly": {"day": day, "time": time}}, days, times),
        st.builds(
            lambda days, time: {"weekly": {"days": days, "time": time}}, st.lists(days, min_size=1, max_size=3), times
        ),
        st.builds(
            lambda day, time: {"monthly": {"day": day, "time": time}}, st.integers(1, 31) | st.just("last"), times
        ),
        st.sampled_from(["0 2 1-5 * *", "*/7 * * * *", "5 4 * * MON,WED", "0 0 29 2 *", "30 1 31 * *"]).map(
            lambda cron: {"cron": cron}
        ),
    ),
    st.booleans(),
)
overrides = st.builds(
    lambda names, kind, mode, digits: tuple(
        ColumnMapping(name, "", kind, mode, *(digits if "NUMERIC" in kind.value else (None, None))) for name in names
    ),
    st.lists(columns, max_size=2, unique=True),
    st.sampled_from(WarehouseType),
    st.sampled_from(Mode),
    st.tuples(st.integers(1, 38), st.integers(0, 9)),
)
some_rows = st.none() | st.integers(1, 10**9)
rest: dict[str, Any] = {
    "source_table": columns,
    "destination_table": st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True),
    "types": overrides,
    "drift": st.sampled_from(["add", "ignore", "stop"]),
    "reject_threshold": st.floats(0, 1),
    "partition_by": st.none() | columns,
    "cluster_by": several,
    "reconcile": st.sampled_from(["counts", "checksums"]),
    "parallel": st.integers(1, 16),
    "time_zone": st.sampled_from(["UTC", "Europe/Berlin"]),
}
tables = st.builds(CopySpec, source_schema=columns, load=whole | by_cursor, row_limit=some_rows, **rest)
file_tables = st.one_of(
    st.builds(CopySpec, source_schema=st.just(""), load=whole, row_limit=some_rows, **rest),
    st.builds(CopySpec, source_schema=st.just(""), load=by_file, **rest),
)
specs = tables | file_tables
places = st.sampled_from(
    [
        (tables, {"type": "postgresql", "host": "db.example", "database": "shop", "username": "reader"}),
        (file_tables, {"type": "sftp", "host": "files.example", "username": "reader", "format": "csv"}),
    ]
)
conditions = st.builds(
    Condition,
    column=columns,
    op=st.sampled_from(["=", "!=", "in", "not starts", "matches"]),
    value=texts | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | several,
)
datasets = st.builds(
    DatasetSpec,
    base=columns,
    joins=st.lists(st.builds(Join, table=columns, on=st.dictionaries(columns, columns, max_size=2)), max_size=2).map(
        tuple
    ),
    roles=st.builds(Roles, customer=columns, product=columns, time=columns, revenue=st.none() | columns),
    filters=st.builds(
        Filters,
        where=st.lists(conditions, max_size=2).map(tuple),
        history_days=st.none() | st.integers(1, 9999),
        top_revenue_share=st.floats(0.01, 1),
    ),
    upper_case=several,
)
trainings = st.builds(
    TrainingSpec,
    algorithms=st.just("auto") | st.just(("ease", "buy_again")),
    parameters=st.just({}) | st.just({"ease": {"regularization": 12.5}}),
    split=st.builds(TestSplit, test_days=st.integers(1, 99)) | st.just(TestSplit(test_share=0.1)),
    headline=st.sampled_from(["ndcg@10", "recall@50"]),
    deploy=st.sampled_from(["when_better", "always", "never"]),
    refit=st.sampled_from(["all", "training"]),
    seed=st.integers(0, 99),
)
passwords = st.builds(EnvironmentReference, env=st.just("SHOP_PASSWORD")) | st.builds(SecretReference, secret=names)


@st.composite
def projects(draw: st.DrawFn) -> ProjectFile:
    """Any project whose names refer to each other as they must."""
    connection = draw(names)
    kinds, fields = draw(places)
    jobs: dict[str, JobSection] = {}
    for name, spec in draw(st.dictionaries(names, kinds, max_size=2)).items():
        if spec.destination_table not in {job.destination for job in jobs.values()}:
            jobs[name] = JobSection.of(connection, spec, draw(schedules), draw(st.booleans()))
    found = {} if jobs else draw(st.dictionaries(names, datasets, max_size=2))
    pipeline = PipelineSection.of(next(iter(found)), draw(trainings), draw(schedules)) if found else None
    return ProjectFile(
        version=1,
        model=ModelSection(name=draw(names), description=draw(texts | st.just("two\nlines")), currency="GBP"),
        connections={connection: ConnectionSection(**fields, password=draw(passwords))},
        jobs=jobs,
        datasets=found,
        pipeline=pipeline,
    )


@settings(max_examples=80, deadline=None)
@given(projects())
def test_what_is_written_reads_back_as_the_same_project_and_the_same_text(project: ProjectFile):
    text = write_project(project)
    again = parse_project(text).project
    assert again == project
    assert write_project(again) == text


@settings(max_examples=100, deadline=None)
@given(specs, schedules)
def test_a_job_says_everything_its_copy_needs(spec: CopySpec, schedule: Schedule):
    job = JobSection.of("shop", spec, schedule)
    again = job.copy_spec(schemas=bool(spec.source_schema))
    assert again == spec
    assert JobSection.of("shop", again, job.schedule) == job


@settings(max_examples=50, deadline=None)
@given(trainings)
def test_a_pipeline_says_everything_its_training_needs(spec: TrainingSpec):
    assert PipelineSection.of("purchases", spec).training_spec() == spec


@settings(max_examples=100, deadline=None)
@given(schedules)
def test_a_schedule_survives_its_rule_and_its_definition(schedule: Schedule):
    assert Schedule.of(schedule.spec("Asia/Tokyo"), schedule.paused, "Asia/Tokyo") == schedule
    assert Schedule.model_validate(schedule.definition()) == schedule


def test_the_example_is_written_as_people_would():
    text = write_project(parse_project(EXAMPLE).project)
    assert parse_project(text).project == parse_project(EXAMPLE).project
    assert text.startswith("version: 1\nmodel: {name: Giftware wholesale, currency: GBP, time_zone: Europe/London}\n")
    assert '    schedule: {daily: "02:00"}\n' in text
    assert "    password: {env: SHOP_PASSWORD}\n" in text
    assert "destination" not in text
