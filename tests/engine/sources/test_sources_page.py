"""The page about sources says what the types declare."""

from __future__ import annotations

from pathlib import Path

from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.sources.sources_page import CATEGORIES, page

ROOT = Path(__file__).parents[3]
PROMISED = [
    "postgresql", "mysql", "mariadb", "sqlserver", "oracle", "redshift", "bigquery", "snowflake", "sqlite", "mongodb",
    "firestore", "csv", "parquet", "json", "excel", "gcs", "s3", "azure_blob", "sftp",
]  # fmt: skip


def test_the_page_about_sources_is_up_to_date() -> None:
    assert (ROOT / "docs/sources.md").read_text("utf-8") == page()


def test_every_promised_type_is_there() -> None:
    assert sorted(SOURCE_TYPES) == sorted(PROMISED)
    assert {declared.category for declared in SOURCE_TYPES.values()} == set(CATEGORIES)


def test_every_type_says_what_its_last_change_is_or_that_it_tells_none() -> None:
    for declared in SOURCE_TYPES.values():
        assert declared.last_change.startswith("not told, because ") != declared.capabilities.last_change, declared.type


def test_every_extra_has_its_requirements() -> None:
    for declared in SOURCE_TYPES.values():
        if declared.extra:
            assert (ROOT / f"requirements/{declared.extra}.txt").is_file(), declared.type


def test_the_grant_on_a_folder_covers_the_files_there_and_those_to_come() -> None:
    command = SOURCE_TYPES["csv"].grants.splitlines()[0].split()
    entries = command[command.index("--modify") + 1].split(",")
    assert entries == ["user:b2b-recs:rX", "default:user:b2b-recs:rX"]
    assert "--recursive" in command and "--default" not in command
