"""Which tables a place with files has, and which files a table is."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from b2b_recs.engine.errors import BadInput, FilesMissing, SourceRefused, TableMissing
from b2b_recs.engine.sources.contract import FileInfo, TableInfo
from b2b_recs.engine.sources.files.formats import PACKINGS, Format
from b2b_recs.engine.sources.files.limits import LIMITS
from b2b_recs.engine.sources.files.patterns import Pattern, hidden
from b2b_recs.engine.sources.files.store import FileStore

# Files looked into for their number of rows or their worksheets while tables are listed.
_LOOKED_INTO = 50


def list_tables(store: FileStore, form: Format) -> list[TableInfo]:
    """A pattern for each folder with several files of the format, then each file (each part of it), by path."""
    files = sorted((file for file in _listed(store, "") if form.fits(file.path) and not hidden(file.path)), key=_path)
    patterns: list[TableInfo] = []
    single: list[TableInfo] = []
    folders: dict[tuple[str, str], list[FileInfo]] = defaultdict(list)
    for file in files:
        folders[_folder_and_ending(file.path)].append(file)
    rows = {file.path: _rows(store, form, file) for file in files[:_LOOKED_INTO]}
    for (folder, ending), inside in folders.items():
        if len(inside) > 1:
            counts = [rows.get(file.path) for file in inside]
            known = [count for count in counts if count is not None]
            patterns.append(
                TableInfo(
                    "",
                    f"{folder}*{ending}",
                    "files",
                    sum(known) if len(known) == len(counts) else None,
                    sum(file.size for file in inside),
                    _newest(inside),
                )
            )
    for at, file in enumerate(files):
        names = [file.path]
        if form.has_parts and at < _LOOKED_INTO:
            names = [f"{file.path}#{part}" for part in _parts(store, form, file)] or names
        single.extend(TableInfo("", name, "file", rows.get(file.path), file.size, file.modified) for name in names)
    return [*patterns, *single]


def find_files(store: FileStore, form: Format, schema: str, table: str) -> tuple[Pattern, list[FileInfo]]:
    """The pattern a table name means and its files by path. Raises FilesMissing, TableMissing, BadInput."""
    if not table or "\x00" in table or not _is_text(table):
        raise BadInput(f"{table[:40]!r} is not the name of a file.", advice="Choose one from the list.", field="table")
    whole, parted = Pattern(table), Pattern.of(table, parts=form.has_parts)
    candidates = _listed(store, min(whole.prefix, parted.prefix, key=len))
    for pattern in (whole, parted):
        exact = [file for file in candidates if file.path == pattern.path]
        files = exact or sorted((file for file in candidates if pattern.matches(file.path)), key=_path)
        if files and not schema:
            return pattern, files
    if whole.wild:
        raise FilesMissing(
            f"No file matches {table[:200]!r} in {_named(store)}.",
            advice="Put a file there, or check the connection's folder and the pattern: * stands for any name, ** for "
            "any folders.",
            field="source_table",
        )
    raise TableMissing(
        f"{store.kind} {store.place} has no file {table[:200]!r}.",
        advice="Choose a file from the list, or put it there.",
        field="source_table",
    )


def nothing_found(store: FileStore, form: Format) -> str:
    """What a test of a place says in which no file of the format lies."""
    endings = ", ".join(f".{ending}" for ending in form.extensions)
    return f"{store.kind} {store.place} has no {form.name} file yet, whose names end in {endings}."


def _named(store: FileStore) -> str:
    """The place inside a sentence: the folder orders."""
    return f"{store.kind[:1].lower()}{store.kind[1:]} {store.place}"


def _listed(store: FileStore, prefix: str) -> list[FileInfo]:
    found = []
    for file in store.list(prefix):
        found.append(file)
        if len(found) > LIMITS.files:
            raise SourceRefused(
                f"{store.kind} {store.place} has more than {LIMITS.files:,} files under {prefix or 'its top'!r}.",
                advice="Write a pattern that begins with a folder, so that fewer files are looked at.",
            )
    return found


def _rows(store: FileStore, form: Format, file: FileInfo) -> int | None:
    if not form.counts_at_a_glance:
        return None
    try:
        with store.open(file) as content:
            return form.rows_at_a_glance(content, file)
    except SourceRefused:
        # A list of tables is no place to fail over one damaged file; reading it says what is wrong.
        return None


def _parts(store: FileStore, form: Format, file: FileInfo) -> list[str]:
    try:
        with store.open(file) as content:
            return form.parts(content, file)
    except SourceRefused:
        return []


def _folder_and_ending(path: str) -> tuple[str, str]:
    """The folder with its last slash, and the ending with its packing: ("orders/", ".csv.gz")."""
    folder, slash, name = path.rpartition("/")
    stem, dot, last = name.rpartition(".")
    if last.lower() in PACKINGS and "." in stem:
        last = f"{stem.rpartition('.')[2]}.{last}"
    return folder + slash, dot + last


def _newest(files: list[FileInfo]) -> datetime | None:
    return max((file.modified for file in files if file.modified is not None), default=None)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _path(file: FileInfo) -> str:
    return file.path
