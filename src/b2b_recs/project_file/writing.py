"""A project as a file: the one way it is written, so that equal projects give equal text."""

from __future__ import annotations

import io
import json
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from b2b_recs.project_file.schema import JobSection, PipelineSection, ProjectFile

LINE = 96
SECTIONS = ("connections", "jobs", "datasets")
_PLAIN = re.compile(r"[^\W\d](?:[\w ./()-]*[\w)])?|\d+\.\d+\.\d+\.\d+")
_TAKEN = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def write_project(project: ProjectFile) -> str:
    """The file as text. Reading it gives the same project; settings at their default are left out."""
    content = project.model_dump(exclude_defaults=True, by_alias=True)
    document: dict[str, Any] = {"version": project.version}
    model = {"name": project.model.name, "currency": project.model.currency, "time_zone": project.model.time_zone}
    document["model"] = model | content["model"]
    for name in SECTIONS:
        if content.get(name):
            document[name] = content[name]
    for name, job in project.jobs.items():
        document["jobs"][name] = _job(project, job, document["jobs"][name])
    if project.pipeline is not None:
        document["pipeline"] = _pipeline(project.pipeline, content["pipeline"])
    writer = YAML(typ="rt", pure=True)
    writer.width = 100_000
    writer.allow_unicode = True
    writer.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    writer.dump(_block(document, 0), stream)
    return stream.getvalue()


def _job(project: ProjectFile, job: JobSection, content: dict[str, Any]) -> dict[str, Any]:
    """A job without what follows from its table; left out, its time zone is the model's."""
    if "time_zone" in job.model_fields_set and job.time_zone != project.model.time_zone:
        content["time_zone"] = job.time_zone
    if job.destination == job.model_copy(update={"destination": ""}).written_out(project.schemas(job)).destination:
        content.pop("destination", None)
    return content


def _pipeline(pipeline: PipelineSection, content: dict[str, Any]) -> dict[str, Any]:
    """A pipeline with the choices people look for, even where they are the defaults."""
    chosen = {
        "dataset": pipeline.dataset,
        "algorithms": pipeline.algorithms,
        "split": pipeline.split.model_dump(exclude_none=True),
        "deploy": pipeline.deploy,
    }
    return chosen | {name: value for name, value in content.items() if name not in chosen}


def _block(value: Any, depth: int) -> Any:
    """Containers one name per line; small ones in one line, as people write them."""
    if isinstance(value, dict):
        flow = depth > 0 and bool(value) and _fits(value)
        mapping = CommentedMap(
            {key if key == "on" else _text(key): _block(inner, depth + 1) for key, inner in value.items()}
        )
        if flow or not value:
            mapping.fa.set_flow_style()
        return mapping
    if isinstance(value, list | tuple):
        sequence = CommentedSeq([_block(inner, depth + 1) for inner in value])
        if _fits(value):
            sequence.fa.set_flow_style()
        return sequence
    return _text(value)


def _fits(value: Any) -> bool:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return len(text) <= LINE and "\\n" not in text


def _text(value: Any) -> Any:
    """Text in quotes unless it is plainly a word, a name or an address to every reader of YAML."""
    if isinstance(value, str) and (not _PLAIN.fullmatch(value) or value.casefold() in _TAKEN):
        return DoubleQuotedScalarString(value)
    return value
