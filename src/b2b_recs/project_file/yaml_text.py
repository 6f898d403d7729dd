"""YAML text to plain values with the line of each, refusing what a project file has no use for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from b2b_recs.project_file.problems import Document, Path, Problem, ProjectFileRefused, dotted

MOST_BYTES = 1024 * 1024
MOST_VALUES = 50_000
MOST_DEPTH = 20


def parse_yaml(text: str, file: str) -> Document:
    """The content of a file. Raises ProjectFileRefused naming the line of the first thing that cannot be read."""
    if len(text) > MOST_BYTES:
        raise ProjectFileRefused([Problem(file, None, "", "The file is larger than 1 MB.", "Split it into several.")])
    reader = YAML(typ="rt", pure=True)
    reader.allow_duplicate_keys = False
    try:
        loaded = reader.load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        raise ProjectFileRefused([_syntax(error, text, file)]) from None
    if loaded is None:
        advice = "Start with 'version: 1' and 'model: {name: …}'."
        raise ProjectFileRefused([Problem(file, None, "", "The file is empty.", advice)])
    if not isinstance(loaded, CommentedMap):
        advice = "Start with 'version: 1' and 'model: {name: …}'."
        raise ProjectFileRefused([Problem(file, 1, "", "The file is not a set of 'name: value' lines.", advice)])
    plain = _Plain(file)
    content = plain.convert(loaded, ())
    return Document(file, content, plain.lines)


class _Plain:
    """Turns what the reader gives into dicts, lists and scalars, and remembers lines."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Path, int] = {(): 1}
        self._values = 0

    def convert(self, value: Any, path: Path) -> Any:
        self._values += 1
        if self._values > MOST_VALUES or len(path) > MOST_DEPTH:
            raise self._refused(path, "The file holds too much, or an alias repeats itself.", "Make it smaller.")
        if isinstance(value, CommentedMap):
            return {key: self._item(value, key, path) for key in value}
        if isinstance(value, CommentedSeq):
            return [self._element(value, position, path) for position in range(len(value))]
        return self._scalar(value, path)

    def _item(self, mapping: CommentedMap, key: Any, path: Path) -> Any:
        line = mapping.lc.data[key][0] + 1 if mapping.lc.data and key in mapping.lc.data else self.lines[path]
        if not isinstance(key, str):
            self.lines[(*path, str(key))] = line
            raise self._refused((*path, str(key)), "A name must be text.", f'Put it in quotes: "{key}".')
        inner = (*path, str(key))
        self.lines[inner] = line
        return self.convert(mapping[key], inner)

    def _element(self, sequence: CommentedSeq, position: int, path: Path) -> Any:
        inner = (*path, position)
        known = sequence.lc.data and position in sequence.lc.data
        self.lines[inner] = int(sequence.lc.data[position][0]) + 1 if known else self.lines[path]
        return self.convert(sequence[position], inner)

    def _scalar(self, value: Any, path: Path) -> Any:
        if value is None or isinstance(value, bool):
            return value
        for kind in (str, int, float):
            if isinstance(value, kind):
                return kind(value)
        if isinstance(value, date) and not isinstance(value, datetime):
            return date(value.year, value.month, value.day)
        raise self._refused(path, "This kind of value has no use here.", "Write text, a number, true, false or a date.")

    def _refused(self, path: Path, message: str, advice: str) -> ProjectFileRefused:
        return ProjectFileRefused([Problem(self.file, self.lines.get(path), dotted(path), message, advice)])


def _syntax(error: Exception, text: str, file: str) -> Problem:
    if isinstance(error, ReaderError):
        at = text.count("\n", 0, error.position) + 1
        return Problem(file, at, "", "There is a character that cannot stand in such a file.", "Remove it.")
    if not isinstance(error, MarkedYAMLError):
        return Problem(file, None, "", "The file is not YAML.", "Compare it with the example in the documentation.")
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else None
    if isinstance(error, DuplicateKeyError):
        found = re.search(r'found duplicate key "(.*?)" with', str(error.problem), re.DOTALL)
        name = found.group(1) if found else ""
        return Problem(file, line, name, "This name stands twice in the same place.", "Keep one of the two.")
    problem = str(error.problem or "the text cannot be read")
    if "'\\t'" in problem or (mark is not None and "\t" in _line(text, mark.line)):
        return Problem(file, line, "", "A tab cannot indent a line.", "Use spaces.")
    if "single document" in str(error.context or "") + problem:
        return Problem(file, line, "", "The file holds a second document after '---'.", "Keep one document per file.")
    return Problem(file, line, "", f"The line cannot be read: {problem}.", "Check indentation, colons and quotes.")


def _line(text: str, number: int) -> str:
    lines: Sequence[str] = text.split("\n")
    return lines[number] if number < len(lines) else ""
