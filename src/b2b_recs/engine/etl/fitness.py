"""Whether a job could ever run: what it asks for against what its source type can do."""

from __future__ import annotations

from collections.abc import Sequence

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.spec import CopySpec, Files, Incremental
from b2b_recs.engine.schema.formats import FORMATS
from b2b_recs.engine.sources.contract import SourceType
from b2b_recs.engine.warehouse.bigquery import MOST_CLUSTER_COLUMNS


def refuse_unfit(spec: CopySpec, declared: SourceType) -> None:
    """Raise BadInput naming the first part of the job that this type of source, or the warehouse, cannot do.

    Looks at nothing but the job and the declaration, so it can be asked before anything is opened.
    """
    if isinstance(spec.load, Files):
        _refuse_files(spec, declared)
    if isinstance(spec.load, Incremental):
        if not declared.capabilities.incremental:
            advice = "Load it by files, or as a catalog." if declared.capabilities.files else "Load it as a catalog."
            raise BadInput(f"{declared.name} cannot be read by a cursor.", field="load", advice=advice)
        _refuse_twice(spec.load.key, "load.key")
    if len(spec.cluster_by) > MOST_CLUSTER_COLUMNS:
        raise BadInput(
            f"{len(spec.cluster_by)} columns to arrange rows by are too many.",
            field="cluster_by",
            advice=f"Choose at most {MOST_CLUSTER_COLUMNS}.",
        )
    _refuse_twice(spec.cluster_by, "cluster_by")
    if not declared.capabilities.date_formats:
        _refuse_date_formats(spec, declared)


def _refuse_files(spec: CopySpec, declared: SourceType) -> None:
    if not declared.capabilities.files:
        ways = "as a catalog or by a cursor" if declared.capabilities.incremental else "as a catalog"
        raise BadInput(
            f"{declared.name} has no files that could be loaded one by one.", field="load", advice=f"Load it {ways}."
        )
    if spec.row_limit is not None:
        raise BadInput(
            "Files are loaded whole, so there can be no row limit.", field="row_limit", advice="Leave it out."
        )


def _refuse_date_formats(spec: CopySpec, declared: SourceType) -> None:
    for mapping in spec.types:
        if mapping.format in FORMATS:
            raise BadInput(
                f"The column “{mapping.name[:100]}” has a format for dates, which {declared.name} cannot read.",
                field="types",
                column=mapping.name,
                advice="Leave the format out, and choose STRING where text holds dates written otherwise.",
            )


def _refuse_twice(names: Sequence[str], field: str) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise BadInput(f"The column “{name[:100]}” is named twice.", field=field, advice="Take one out.")
