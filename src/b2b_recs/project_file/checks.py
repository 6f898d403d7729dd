"""What a project file must fulfil beyond its shape: every name refers to something, every connection can be opened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.fitness import refuse_unfit
from b2b_recs.engine.sources.contract import SourceType
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.warehouse.names import checked_table
from b2b_recs.project_file.loads import MergeLoad, MergeSettings, TransactionalLoad, TransactionalSettings
from b2b_recs.project_file.names import nearest
from b2b_recs.project_file.problems import Document, Path, Problem
from b2b_recs.project_file.schema import ConnectionSection, JobSection, ProjectFile
from b2b_recs.project_file.wording import WORDS


def check(project: ProjectFile, document: Document) -> list[Problem]:
    """Every problem found, in no particular order."""
    return [
        *_connections(project.connections, document),
        *_jobs(project, document),
        *_datasets(project, document),
        *_pipeline(project, document),
        *_truth_values(project, document),
    ]


def _connections(sections: Mapping[str, ConnectionSection], document: Document) -> Iterator[Problem]:
    for name, section in sections.items():
        path: Path = ("connections", name)
        declared = SOURCE_TYPES.get(section.type)
        if declared is None:
            yield _unknown((*path, "type"), section.type, SOURCE_TYPES, "There is no source type", document)
            continue
        yield from _parameters(path, section, declared, document)


def _parameters(path: Path, section: ConnectionSection, declared: SourceType, document: Document) -> Iterator[Problem]:
    fields = declared.Parameters.model_fields
    for name in section.parameters.keys() - fields.keys():
        like = nearest(name, fields)
        advice = f"Did you mean {like}?" if like else f"Use {', '.join(fields)}."
        yield document.problem((*path, name), f"{declared.name} has no such setting.", advice)
    for name in declared.secret_fields:
        value = section.parameters.get(name)
        if value not in (None, "") and name not in section.references:
            yield document.problem(
                (*path, name),
                "A secret must not stand in the file.",
                "Write {env: NAME} and set that environment variable, or {secret: NAME} for one kept here already.",
            )
    literal = {
        name: value
        for name, value in section.parameters.items()
        if name in fields and name not in section.references and name not in declared.secret_fields
    }
    yield from _values(path, literal, section, declared, document)


def _values(
    path: Path, literal: Mapping[str, Any], section: ConnectionSection, declared: SourceType, document: Document
) -> Iterator[Problem]:
    """Problems of the values that can be judged now; those behind a reference are judged when the file is applied."""
    try:
        declared.Parameters.model_validate(dict(literal))
    except ValidationError as error:
        for one in error.errors(include_url=False):
            field = str(one["loc"][0]) if one["loc"] else ""
            if not field or field in section.references:
                continue
            if one["type"] == "missing":
                yield document.problem((*path, field), "This is missing.", f"Add '{field}: …'.")
                continue
            words = WORDS.get(one["type"])
            text = words.format(**one.get("ctx", {})) if words else str(one["msg"]).removeprefix("Value error, ")
            value = literal.get(field)
            yield document.problem((*path, field), f"{value!r}: {text[:1].lower()}{text[1:].rstrip('.')}.")


def _jobs(project: ProjectFile, document: Document) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for name, job in project.jobs.items():
        path: Path = ("jobs", name)
        if job.connection not in project.connections:
            known = project.connections
            yield _unknown((*path, "connection"), job.connection, known, "There is no connection", document)
        declared = project.source_type(job)
        if declared is not None:
            yield from _fitness(path, job, declared, document)
        field = "destination" if document.has((*path, "destination")) else "table"
        try:
            checked_table(job.destination)
        except BadInput as refusal:
            yield document.problem((*path, field), refusal.message, refusal.advice)
        if job.destination in taken:
            yield document.problem(
                (*path, field),
                f"The warehouse table {job.destination} is already filled by the job '{taken[job.destination]}'.",
                "Give one of them another destination.",
            )
        taken.setdefault(job.destination, name)
        yield from _columns(path, job, document)


def _fitness(path: Path, job: JobSection, declared: SourceType, document: Document) -> Iterator[Problem]:
    """Problems of a job that its type of source could never run."""
    try:
        spec = job.copy_spec(declared.capabilities.schemas)
    except ValueError as error:
        yield document.problem((*path, "table"), f"{job.table[:60]!r}: {error}.")
        return
    try:
        refuse_unfit(spec, declared)
    except BadInput as refusal:
        first, *rest = str(refusal.field).split(".")
        place = (*path, first, *((spec.load.strategy, *rest) if rest else ()))
        yield document.problem(place, refusal.message, refusal.advice)


def _columns(path: Path, job: JobSection, document: Document) -> Iterator[Problem]:
    if not job.columns:
        return
    used: list[tuple[Path, str]] = [((*path, "types", name), name) for name in job.types]
    if job.partition_by:
        used.append(((*path, "partition_by"), job.partition_by))
    used += [((*path, "cluster_by"), name) for name in job.cluster_by]
    settings = _incremental(job)
    if settings is not None:
        strategy, load = settings
        at = (*path, "load", strategy)
        used.append(((*at, "cursor"), load.cursor))
        used += [((*at, "key"), name) for name in load.key]
    for place, name in used:
        if name not in job.columns:
            yield document.problem(place, f"The column {name!r} is not among the job's columns.", "Add it to columns.")


def _incremental(job: JobSection) -> tuple[str, TransactionalSettings | MergeSettings] | None:
    if isinstance(job.load, TransactionalLoad):
        return "transactional", job.load.transactional
    return ("merge", job.load.merge) if isinstance(job.load, MergeLoad) else None


def _datasets(project: ProjectFile, document: Document) -> Iterator[Problem]:
    tables = {job.destination for job in project.jobs.values()}
    if not tables:
        return  # the tables come from jobs made elsewhere
    for name, dataset in project.datasets.items():
        path: Path = ("datasets", name)
        named: list[tuple[Path, str]] = [((*path, "base"), dataset.base)]
        named += [((*path, "joins", number, "table"), join.table) for number, join in enumerate(dataset.joins)]
        for place, table in named:
            if table not in tables:
                yield _unknown(place, table, tables, "No job of this file fills a table", document)


def _pipeline(project: ProjectFile, document: Document) -> Iterator[Problem]:
    if project.pipeline is not None and project.pipeline.dataset not in project.datasets:
        name = project.pipeline.dataset
        yield _unknown(("pipeline", "dataset"), name, project.datasets, "There is no dataset", document)


def _truth_values(project: ProjectFile, document: Document) -> Iterator[Problem]:
    """Places where ``true`` or ``false`` was taken for a number."""
    for path in document.lines:
        if isinstance(document.value(path), bool) and not isinstance(_read_as(project, path), bool):
            shown = str(document.value(path)).lower()
            yield document.problem(path, f"{shown} must be a number.")


def _read_as(value: Any, path: Path) -> Any:
    for part in path:
        if isinstance(value, BaseModel):
            names = {field.alias or name: name for name, field in type(value).model_fields.items()}
            extra = value.__pydantic_extra__ or {}
            value = extra[part] if part in extra else getattr(value, names[str(part)])
        else:
            value = value[part]
    return value


def _unknown(place: Path, name: str, known: Iterable[str], words: str, document: Document) -> Problem:
    names = sorted(known)
    like = nearest(name, names)
    if like:
        advice = f"Did you mean {like}?"
    else:
        advice = f"There is: {', '.join(names)}." if names else "The file defines none."
    return document.problem(place, f"{words} {name[:60]!r}.", advice)
