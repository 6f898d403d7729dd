"""What is wrong with a project file: which file, line and field, what value, and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from b2b_recs.engine.errors import BadInput

MOST_SHOWN = 20
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault; ``line`` counts from 1 and is None when the file as a whole is at fault."""

    file: str
    line: int | None
    field: str
    message: str
    advice: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        what = f"{self.field}: {self.message}" if self.field else self.message
        return f"{place}: {what} {self.advice}".rstrip()


class ProjectFileRefused(BadInput):
    """A project file that cannot be used; ``problems`` has every fault found, in the order of the file."""

    code: ClassVar[str] = "bad_project_file"

    def __init__(self, problems: Sequence[Problem]) -> None:
        ordered = sorted(problems, key=lambda problem: problem.line or 0)
        shown = [str(problem) for problem in ordered[:MOST_SHOWN]]
        if len(ordered) > MOST_SHOWN:
            shown.append(f"{len(ordered) - MOST_SHOWN} more problems are not shown.")
        super().__init__("\n".join(shown), field=ordered[0].field or None)
        self.problems = tuple(ordered)


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content as plain values, and the line of every value in it."""

    file: str
    content: Mapping[str, Any]
    lines: Mapping[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int | None:
        """The line of a value, or of the nearest part around it that is in the file."""
        while path not in self.lines:
            if not path:
                return None
            path = path[:-1]
        return self.lines[path]

    def has(self, path: Path) -> bool:
        """Whether the file holds something at that path."""
        return path in self.lines

    def value(self, path: Path) -> Any:
        """What the file holds at that path."""
        found: Any = self.content
        for part in path:
            found = found[part]
        return found

    def problem(self, path: Path, message: str, advice: str = "") -> Problem:
        """A problem at that path."""
        return Problem(self.file, self.line(path), dotted(path), message, advice)


def dotted(path: Path) -> str:
    """A path as people write it: ``datasets.purchases.joins[0].table``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
