# ruff: noqa: E501 - prose of a page
"""The page about sources, written from what each type declares of itself."""

from __future__ import annotations

from typing import Any

from b2b_recs.engine.sources.contract import Capabilities, SourceType
from b2b_recs.engine.sources.form_help import help_of
from b2b_recs.engine.sources.registry import SOURCE_TYPES

CATEGORIES = {
    "relational": "Relational databases",
    "warehouses": "Warehouses",
    "nosql": "Document databases",
    "files": "Files and object storage",
}
# What holds for several types of a category, before them.
_BEFORE = {
    "nosql": """
A collection declares no columns: those shown are the fields of the documents looked at, and others may hold more. A run of a job
that takes every column notices fields that none of them had and loads them in the same run, or says which it left out; see
[columns that are guessed](etl.md#columns-that-are-guessed-mongodb-and-firestore).
""",
    "files": """
**Files of this machine** (CSV, Parquet, JSON, Excel, and databases of SQLite) are read below the folders that the operator names
in `B2B_RECS_FILE_FOLDERS`, several separated by colons, links followed, and nowhere else. Unless it is set, that is the folder
`files` in the home of the installation, `.b2b-recs/files`, which `b2b-recs up` makes. So with `B2B_RECS_FILE_FOLDERS=/srv/files` a
connection may name `/srv/files/orders`, or just `orders`. When hosted, each organization reads only the folder below them that
is named by its number. Processes read the variable when they start.

Object stores, SFTP and https addresses need no folder.

**Encodings of CSV files.** With `auto` a mark at the beginning (UTF-8, UTF-16, GB 18030), UTF-16 and UTF-8 are known for certain. What
is none of these was written by an older program and names no encoding: it is read as windows-1252, or as latin-1 where windows-1252
has no such character. The columns then say so, with low confidence, and every run that loads such a file warns, because a Cyrillic,
Czech or Japanese file looks wrong that way: choose its encoding in the connection. shift_jis, big5 and euc-kr are Microsoft's code
pages 932, 950 and 949, which hold all of those. A row with bytes that the encoding does not have is rejected, and a file whose names
of columns have such bytes is refused; nothing is replaced. JSON is Unicode, and the other formats name their own encoding.
A line of CSV in which a quote is not closed, or is followed by more text, is rejected with its number; the lines around it are read.
So is an object of JSON that has a name twice; what is nested in an object stays text, as it is written.
""",
}
# What a capability means for the one who sets up a job.
_ABLE = {
    "incremental": "append new rows by a column",
    "ordered": "go on after the last row when a read is interrupted",
    "snapshot": "one state for counting and reading",
    "checksum": "sums compared as well as counts",
    "key_ranges": "large tables read in parallel",
    "row_estimates": "row estimates in the list of tables",
    "last_change": "last change in the list of tables",
    "files": "each file loaded once, again when it changed",
}
_HEAD = """# Sources

Every type of source a connection can have, what its form asks for, what it can do, and against what its reading was tested.
What each column type becomes is on the page about [types](types.md).

A source is only read: in a read-only session where there is such a thing, with a login that needs no more than the rights
shown here. Passwords and keys are sealed when they are saved and never shown again. Every address is checked at the moment of
dialling ([outgoing guard](decisions/outgoing-guard.md)).

Vendors' drivers are extras. A type whose driver is missing says so, with the command that installs it; `b2b-recs sources`
lists every type and whether its driver is there.

This page is written by `python -m b2b_recs.engine.sources.sources_page`; a test fails when it is out of date.

| type | name | driver | verified against |
|---|---|---|---|
"""


def page() -> str:
    """The whole page as Markdown."""
    declared = list(SOURCE_TYPES.values())
    rows = "".join(
        f"| `{one.type}` | [{one.name}](#{one.type}) | {_driver(one)} | {one.verified_against} |\n" for one in declared
    )
    chapters = []
    for category, title in CATEGORIES.items():
        chapters.append(f"\n# {title}\n{_BEFORE.get(category, '')}")
        chapters += [_chapter(one) for one in declared if one.category == category]
    return _HEAD + rows + "".join(chapters)


def abilities(capabilities: Capabilities) -> list[str]:
    """What a source with these capabilities can do, in words."""
    return [words for name, words in _ABLE.items() if getattr(capabilities, name)]


def _driver(declared: SourceType) -> str:
    return f"`requirements/{declared.extra}.txt`" if declared.extra else "included"


def _chapter(declared: SourceType) -> str:
    words = help_of(declared)
    able = "; ".join(abilities(declared.capabilities)) or "read whole tables"
    return (
        f'\n<a id="{declared.type}"></a>\n\n## {declared.name}\n\n'
        f"Can: {able}.\n\nLast change of a table: {declared.last_change}.\n\n"
        f"Verified against: {declared.verified_against}.\n\n"
        f"| setting | meaning | default |\n|---|---|---|\n{_settings(declared)}\n"
        f"**{words.heading}.** {words.grants}\n\n```\n{declared.grants.strip()}\n```\n\n"
        f"Before a test: {' '.join((words.reach, *words.notes))}\n"
    )


def _settings(declared: SourceType) -> str:
    lines = []
    for name, field in declared.Parameters.model_fields.items():
        secret = " Kept sealed, never shown again." if name in declared.secret_fields else ""
        words = f"**{field.title}**: {field.description}{secret}".replace("|", "\\|").replace("\n", " ")
        lines.append(f"| `{name}` | {words} | {_default(name, field, declared)} |\n")
    return "".join(lines)


def _default(name: str, field: Any, declared: SourceType) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if name in declared.secret_fields or value in ("", None, ()):
        return "–"
    return f"`{value}`".replace("|", "\\|")


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
