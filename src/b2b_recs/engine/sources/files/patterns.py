"""Which files a table name means: one path, or a pattern such as orders/2024-*.csv or orders/**/*.parquet."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WILD = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A table name taken apart: ``*`` and ``?`` stay within one folder, ``**`` is any folders, ``#`` names a part.

    Names that begin with a dot or an underscore are left out unless the pattern writes that sign: programs keep their
    own files under such names.
    """

    path: str
    part: str = ""

    @classmethod
    def of(cls, table: str, *, parts: bool = False) -> Pattern:
        """The pattern a table name means; with ``parts`` what follows the last ``#`` is a worksheet."""
        path, mark, part = table.rpartition("#")
        return cls(path, part) if parts and mark and path else cls(table)

    @property
    def wild(self) -> bool:
        """Whether it may mean several files."""
        return _WILD.search(self.path) is not None

    @property
    def prefix(self) -> str:
        """The text every path that matches begins with."""
        return _WILD.split(self.path, maxsplit=1)[0]

    def matches(self, path: str) -> bool:
        """Whether the pattern means this path; a path always means itself."""
        return path == self.path or (self.wild and _compiled(self.path).fullmatch(path) is not None)


def hidden(path: str) -> bool:
    """Whether a path leads through a name that programs keep for themselves."""
    return any(name[:1] in ("", ".", "_") for name in path.split("/"))


# A folder that no program keeps for itself.
_FOLDER = r"(?:[^/._][^/]*/)"


def _compiled(pattern: str) -> re.Pattern[str]:
    """The pattern as an expression that never goes back over what it has matched: the first fit is as good as any."""
    groups: list[list[str]] = [[]]
    for name in pattern.split("/"):
        if name == "**":
            groups.append([])
        else:
            groups[-1].append(_name(name))
    first, *others = ["/".join(group) for group in groups]
    if not others:
        return re.compile(first, re.DOTALL)
    *middle, last = others
    start = f"{first}/" if groups[0] else ""
    between = "".join(f"(?>{_FOLDER}*?{group}/)" for group in middle if group)
    return re.compile(f"{start}{between}{_FOLDER}*{last}", re.DOTALL)


def _name(name: str) -> str:
    """One name of a pattern as such an expression."""
    shown = r"(?![._])" if name[:1] in ("*", "?") else ""
    first, *others = [_fixed(piece) for piece in re.split(r"\*+", name)]
    if not others:
        return shown + first
    *middle, last = others
    return shown + first + "".join(f"(?>[^/]*?{piece})" for piece in middle) + f"[^/]*{last}"


def _fixed(piece: str) -> str:
    return "".join("[^/]" if sign == "?" else re.escape(sign) for sign in piece)
