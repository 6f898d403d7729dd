"""Files of one table whose names of columns have nothing in common: in some of them the first line may be a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from b2b_recs.engine.counting import counted
from b2b_recs.engine.errors import SourceRefused


def refuse_strangers(names: Mapping[str, Sequence[str]]) -> None:
    """Raise SourceRefused where the files, by their paths with the names found in each, fall into groups of which no
    name is in another. A table would then hold rows whose values are nowhere, or have lost one as its names.
    """
    groups = _groups({path: found for path, found in names.items() if found})
    sizes = Counter(groups.values())
    if len(sizes) < 2:
        return
    fewest = min(sizes.values())
    strange = [path for path, group in groups.items() if sizes[group] == fewest]
    # Of as many of one kind as of the other, files without any name of their own are the strange ones.
    unnamed = [path for path in strange if all(name == f"column_{at}" for at, name in enumerate(names[path], 1))]
    path = (unnamed or strange)[-1]
    other = next(other for other, group in groups.items() if group != groups[path])
    more = sum(group == groups[path] for group in groups.values()) - 1
    also = f", as {counted(more, 'other file')} like it," if more else ""
    raise SourceRefused(
        f"The file {path[:200]}{also} has no column in common with {other[:200]}: its first line gave "
        f"{_some(names[path])}, the other file's {_some(names[other])}. One of them may begin without the names.",
        advice="Write the names into the first line of every file, or keep the file elsewhere. If the files are right, "
        "say in the connection whether the first line holds the names.",
        field="header",
    )


def _groups(files: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """A number for each file, the same for those that are connected by names."""
    leader: list[int] = []
    by_name: dict[str, int] = {}

    def first(group: int) -> int:
        while leader[group] != group:
            leader[group] = leader[leader[group]]
            group = leader[group]
        return group

    begun: dict[str, int] = {}
    known: dict[tuple[str, ...], int] = {}
    for path, names in files.items():
        told = tuple(name.casefold() for name in names)
        if told not in known:
            mine = len(leader)
            leader.append(mine)
            known[told] = mine
            for name in told:
                leader[first(by_name.setdefault(name, mine))] = first(mine)
        begun[path] = known[told]
    return {path: first(group) for path, group in begun.items()}


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{name[:40]}”" for name in names[:3])
    return f"{shown} and {len(names) - 3:,} more" if len(names) > 3 else shown
