"""A project file, read and checked: every fault names file, line, field and value, and says how to mend it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.project_file.checks import check
from b2b_recs.project_file.problems import Document, Problem, ProjectFileRefused
from b2b_recs.project_file.schema import ConnectionSection, EnvironmentReference, ProjectFile, SecretReference
from b2b_recs.project_file.wording import problems_of
from b2b_recs.project_file.yaml_text import parse_yaml


@dataclass(frozen=True, slots=True)
class ResolvedConnection:
    """A connection ready to be stored or opened.

    ``parameters`` are the plain ones; ``secrets`` hold values from the environment and must not be shown; ``stored``
    names secrets the installation keeps already. ``references`` is how the file wrote each value that is not plain
    (``{"password": {"env": "SHOP_PASSWORD"}}``), so that an export can write it the same way.
    """

    type: str
    parameters: dict[str, Any]
    secrets: dict[str, str] = field(repr=False)
    stored: dict[str, str]
    references: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that can be applied: what it says, and where it says it."""

    project: ProjectFile
    document: Document

    def refusal(self, path: tuple[str | int, ...], message: str, advice: str = "") -> ProjectFileRefused:
        """A refusal that names the file, the line and the field of ``path``, such as ``("jobs", "orders")``."""
        return ProjectFileRefused([self.document.problem(path, message, advice)])

    def connections(self, environment: Mapping[str, str] = os.environ) -> dict[str, ResolvedConnection]:
        """Every connection with its references to the environment followed.

        Raises ProjectFileRefused naming every variable that is not set.
        """
        missing: list[Problem] = []
        resolved = {
            name: self._resolve(name, section, environment, missing)
            for name, section in self.project.connections.items()
        }
        if missing:
            raise ProjectFileRefused(missing)
        return resolved

    def _resolve(
        self, name: str, section: ConnectionSection, environment: Mapping[str, str], missing: list[Problem]
    ) -> ResolvedConnection:
        secret_fields = SOURCE_TYPES[section.type].secret_fields
        resolved = ResolvedConnection(section.type, {}, {}, {}, {})
        for key, value in section.parameters.items():
            if isinstance(value, SecretReference):
                resolved.stored[key] = value.secret
            elif isinstance(value, EnvironmentReference):
                text = environment.get(value.env)
                if text is None:
                    place = ("connections", name, key)
                    words = f"The environment variable {value.env} is not set."
                    missing.append(self.document.problem(place, words, f"Set it and apply again: export {value.env}=…"))
                    continue
                (resolved.secrets if key in secret_fields else resolved.parameters)[key] = text
            elif key not in secret_fields:  # a secret that stands in the file can only be the empty one
                resolved.parameters[key] = value
        for key, reference in section.references.items():
            resolved.references[key] = reference.model_dump()
        return resolved


def read_project(path: Path) -> ReadFile:
    """The project file at ``path``. Raises ProjectFileRefused with every fault found."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(path, "The file is not text in UTF-8.", "Save it as UTF-8.") from error
    except FileNotFoundError as error:
        raise _refused(path, "There is no such file.", "Check the path.") from error
    except OSError as error:
        raise _refused(path, f"The file cannot be read: {error.strerror}.", "Check the path.") from error
    return parse_project(text, path.name)


def parse_project(text: str, file: str = "project.yaml") -> ReadFile:
    """The project file in ``text``; ``file`` is what refusals call it."""
    document = parse_yaml(text, file)
    try:
        project = ProjectFile.model_validate(document.content)
    except ValidationError as error:
        raise ProjectFileRefused(problems_of(error, document)) from None
    problems = check(project, document)
    if problems:
        raise ProjectFileRefused(problems)
    return ReadFile(project, document)


def _refused(path: Path, message: str, advice: str) -> ProjectFileRefused:
    return ProjectFileRefused([Problem(path.name, None, "", message, advice)])
