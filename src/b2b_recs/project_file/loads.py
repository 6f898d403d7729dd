"""How a job of a project file loads its table: one section per strategy of the engine."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, PlainSerializer, Tag, model_validator

from b2b_recs.engine.etl.spec import Catalog, Files, Merge, Transactional
from b2b_recs.project_file.values import Column, Columns, Duration, Section


class IncrementalSettings(Section):
    """Read what is new by a cursor column; see the engine's Incremental."""

    cursor: Column
    backfill: Literal["all"] | Annotated[int, Field(ge=1, strict=True)] | date = "all"
    lag: Duration = timedelta(hours=1)
    lag_units: Annotated[int, Field(ge=0)] = 1000
    deletes: Literal["keep", "count", "remove"] = "keep"


class TransactionalSettings(IncrementalSettings):
    """Append new rows by a cursor column."""

    key: Columns = ()

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        if self.deletes != "keep" and not self.key:
            raise ValueError("deleted rows are found by the key, so a key is needed")
        return self


class MergeSettings(IncrementalSettings):
    """Take over new and changed rows by a column of last change."""

    key: Annotated[Columns, Field(min_length=1)]


class FilesSettings(Section):
    """Load each file once, and again when it changed."""

    deletes: Literal["keep", "remove"] = "keep"


class CatalogSettings(Section):
    """Replace the whole table each run."""

    keep_days: Annotated[int, Field(ge=1)] = 30


class TransactionalLoad(Section):
    """``{transactional: {cursor: …}}``."""

    transactional: TransactionalSettings

    def load(self) -> Transactional:
        """The engine's load."""
        return Transactional(**dict(self.transactional))


class MergeLoad(Section):
    """``{merge: {cursor: …, key: …}}``."""

    merge: MergeSettings

    def load(self) -> Merge:
        """The engine's load."""
        return Merge(**dict(self.merge))


class FilesLoad(Section):
    """``{files: {deletes: …}}``."""

    files: FilesSettings

    def load(self) -> Files:
        """The engine's load."""
        return Files(**dict(self.files))


class CatalogLoad(Section):
    """``{catalog: {keep_days: …}}``."""

    catalog: CatalogSettings

    def load(self) -> Catalog:
        """The engine's load."""
        return Catalog(**dict(self.catalog))


LOADS = {"transactional": TransactionalLoad, "merge": MergeLoad, "files": FilesLoad, "catalog": CatalogLoad}
# Loads that can be asked for by their name alone.
PLAIN_LOADS = ("catalog", "files")


def _kind_of_load(value: Any) -> str | None:
    if isinstance(value, str):
        return "word"
    for name, kind in LOADS.items():
        if isinstance(value, kind) or (isinstance(value, dict) and name in value):
            return name
    return "catalog" if isinstance(value, dict) else None


def _load_form(load: TransactionalLoad | MergeLoad | FilesLoad | CatalogLoad | str) -> Any:
    if isinstance(load, str):
        return load
    form = load.model_dump(exclude_defaults=True)
    return next((name for name in PLAIN_LOADS if form == {name: {}}), form)


Load = Annotated[
    Annotated[TransactionalLoad, Tag("transactional")]
    | Annotated[MergeLoad, Tag("merge")]
    | Annotated[FilesLoad, Tag("files")]
    | Annotated[CatalogLoad, Tag("catalog")]
    | Annotated[Literal["catalog", "files"], Tag("word")],
    Discriminator(_kind_of_load),
    PlainSerializer(_load_form),
]
