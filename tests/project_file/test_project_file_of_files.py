"""Jobs on sources whose tables have no schema: files, buckets, collections."""

from __future__ import annotations

import pytest
from project_texts import EXAMPLE

from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.project_file.problems import ProjectFileRefused
from b2b_recs.project_file.reading import parse_project
from b2b_recs.project_file.schema import ConnectionSection, JobSection, ModelSection, ProjectFile
from b2b_recs.project_file.writing import write_project

SETTINGS = {
    "csv": {"location": "/srv/files"},
    "parquet": {"location": "/srv/files"},
    "json": {"location": "/srv/files"},
    "excel": {"location": "/srv/files"},
    "gcs": {"format": "csv", "bucket": "orders", "service_account": {"env": "KEY"}},
    "s3": {"format": "csv", "bucket": "orders", "access_key_id": "A", "secret_access_key": {"env": "KEY"}},
    "azure_blob": {"format": "csv", "account": "shop", "container": "orders", "account_key": {"env": "KEY"}},
    "sftp": {"format": "csv", "host": "files.example", "username": "reader", "password": {"env": "KEY"}},
    "firestore": {"project": "shop-1", "service_account": {"env": "KEY"}},
}
TABLES = ["orders/*.csv", "book.xlsx#Sheet 1", "orders", "a.b", '"a".b', " ä ", "*"]
FILES = """\
version: 1
model: {name: Shop}
connections: {folder: {type: csv, location: /srv/files}}
jobs:
  orders: {connection: folder, table: orders/*.csv, load: files}
"""


def test_these_are_the_types_without_schemas() -> None:
    assert {kind for kind, one in SOURCE_TYPES.items() if not one.capabilities.schemas} == set(SETTINGS)


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("table", TABLES)
def test_a_table_without_a_schema_is_written_whole_and_read_back(kind: str, table: str) -> None:
    project = ProjectFile(
        version=1,
        model=ModelSection(name="Shop"),
        connections={"place": ConnectionSection(type=kind, **SETTINGS[kind])},
        jobs={"orders": JobSection(connection="place", table=table, load="catalog")},
    )
    text = write_project(project)
    assert "destination" not in text
    again = parse_project(text).project
    assert again == project and write_project(again) == text
    job = again.jobs["orders"]
    spec = job.copy_spec(again.schemas(job))
    assert (job.table, spec.source_schema, spec.source_table) == (table, "", table)


def test_the_destination_follows_from_the_whole_name() -> None:
    job = parse_project(FILES).project.jobs["orders"]
    assert (job.destination, job.copy_spec(schemas=False).load.strategy) == ("bq_orders_csv", "files")


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("load: files", "load: {transactional: {cursor: at}}", "load", "by a cursor. Load it by files"),
        ("load: files", "load: {merge: {cursor: at, key: id}}", "load", "by a cursor. Load it by files"),
        ("load: files", "load: files, row_limit: 5", "row_limit", "there can be no row limit. Leave it out."),
        ("orders/*.csv", '""', "table", "orders/*.csv"),
    ],
)  # fmt: skip
def test_what_files_cannot_do_is_refused(old: str, new: str, field: str, words: str) -> None:
    with pytest.raises(ProjectFileRefused) as caught:
        parse_project(FILES.replace(old, new))
    found = [problem for problem in caught.value.problems if problem.field == f"jobs.orders.{field}"]
    assert len(found) == 1 and words in str(found[0])


def test_a_table_of_a_database_is_still_written_one_way() -> None:
    project = parse_project(EXAMPLE.replace("public.products", "'\"public\".products'")).project
    assert project.jobs["products"].table == "public.products"
