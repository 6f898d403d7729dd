"""What a job may ask of each type of source, before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.fitness import refuse_unfit
from b2b_recs.engine.etl.spec import Catalog, CopySpec, Files, Merge, Transactional
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.registry import SOURCE_TYPES


def job(load: Any, **changes: Any) -> CopySpec:
    return CopySpec(source_schema="", source_table="orders", destination_table="bq_orders", load=load, **changes)


MERGE = Merge(cursor="at", key=("id",))
UNFIT = [
    ("postgresql", job(Files()), "load", "PostgreSQL has no files", "as a catalog or by a cursor"),
    ("csv", job(Transactional(cursor="at")), "load", "CSV cannot be read by a cursor", "by files"),
    ("s3", job(MERGE), "load", "Amazon S3 cannot be read by a cursor", "by files"),
    ("csv", job(Files(), row_limit=5), "row_limit", "no row limit", "Leave it out"),
    ("csv", job(Catalog(), cluster_by=("a", "b", "c", "d", "e")), "cluster_by", "5 columns", "at most 4"),
    ("mysql", job(Catalog(), cluster_by=("a", "a")), "cluster_by", "“a” is named twice", "Take one out"),
    ("mysql", job(Merge(cursor="at", key=("id", "id"))), "load.key", "“id” is named twice", "Take one out"),
]


def dated(form: str) -> CopySpec:
    return job(Catalog(), types=(ColumnMapping("day", "", WarehouseType.DATE, format=form),))


@pytest.mark.parametrize("kind", SOURCE_TYPES)
def test_a_format_for_dates_is_refused_where_it_would_not_be_read(kind: str) -> None:
    refuse_unfit(dated(""), SOURCE_TYPES[kind])
    if SOURCE_TYPES[kind].capabilities.date_formats:
        refuse_unfit(dated("%d/%m/%Y"), SOURCE_TYPES[kind])
        return
    with pytest.raises(BadInput, match="“day” has a format for dates") as refused:
        refuse_unfit(dated("%d/%m/%Y"), SOURCE_TYPES[kind])
    assert refused.value.field == "types" and "Leave the format out" in refused.value.advice


def test_what_casts_on_its_server_reads_no_format_for_dates() -> None:
    assert [kind for kind, one in SOURCE_TYPES.items() if not one.capabilities.date_formats] == ["postgresql"]


@pytest.mark.parametrize(("kind", "spec", "field", "words", "mend"), UNFIT)
def test_what_cannot_run_is_refused_with_its_field_and_its_mend(
    kind: str, spec: CopySpec, field: str, words: str, mend: str
) -> None:
    with pytest.raises(BadInput) as refused:
        refuse_unfit(spec, SOURCE_TYPES[kind])
    assert (refused.value.field, words in refused.value.message, mend in refused.value.advice) == (field, True, True)


@pytest.mark.parametrize(
    "kind", [kind for kind, declared in SOURCE_TYPES.items() if not declared.capabilities.incremental]
)
def test_a_source_without_cursors_is_loaded_as_a_catalog(kind: str) -> None:
    refuse_unfit(job(Catalog(), row_limit=5, cluster_by=("a", "b", "c", "d")), SOURCE_TYPES[kind])
    with pytest.raises(BadInput):
        refuse_unfit(job(MERGE), SOURCE_TYPES[kind])


@pytest.mark.parametrize("kind", ["postgresql", "firestore", "bigquery"])
def test_a_source_with_cursors_is_loaded_by_them(kind: str) -> None:
    refuse_unfit(job(MERGE), SOURCE_TYPES[kind])
    refuse_unfit(job(Transactional(cursor="at"), row_limit=5), SOURCE_TYPES[kind])


def test_files_are_loaded_one_by_one() -> None:
    refuse_unfit(job(Files(), cluster_by=("a",)), SOURCE_TYPES["csv"])
