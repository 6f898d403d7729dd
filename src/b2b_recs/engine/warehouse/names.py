"""The one door for names in the warehouse: datasets, tables, and names quoted into SQL."""

from __future__ import annotations

import re

from b2b_recs.engine.errors import BadInput

REJECTED_SUFFIX = "__rejected"
LEDGER_SUFFIX = "__files"
STOPPED_SUFFIX = "__stopped"
_KEPT_FOR = (
    (REJECTED_SUFFIX, "the rejected rows"),
    (LEDGER_SUFFIX, "the list of files"),
    (STOPPED_SUFFIX, "the rows that stopped a run"),
)
_LONGEST = 200
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def checked_name(name: str, field: str) -> str:
    """``name`` unchanged when it can name a dataset or a table. Raises BadInput with ``field``."""
    if not isinstance(name, str) or len(name) > _LONGEST or not _NAME.fullmatch(name):
        shown = name if isinstance(name, str) and len(name) <= 60 else f"{str(name)[:60]}…"
        raise BadInput(
            f"{shown!r} cannot name a warehouse {'dataset' if 'dataset' in field else 'table'}.",
            advice=f"Use letters, digits and underscores, start with a letter or underscore, at most {_LONGEST}.",
            field=field,
        )
    return name


def checked_dataset(name: str) -> str:
    """A dataset's name, unchanged. Raises BadInput."""
    return checked_name(name, "destination_dataset")


def checked_table(name: str) -> str:
    """The name of a table that a job fills, unchanged. Raises BadInput, also for the table kept beside another."""
    checked_existing(name)
    for suffix, kept in _KEPT_FOR:
        if name.casefold().endswith(suffix):
            raise BadInput(
                f"No job can fill {name}: a name that ends in {suffix} is for {kept} of another table.",
                advice=f"Choose a name that does not end in {suffix}.",
                field="destination_table",
            )
    return name


def checked_existing(name: str) -> str:
    """The name of any table, also of one kept beside another, unchanged. Raises BadInput."""
    return checked_name(name, "destination_table")


def kept_beside(name: str) -> bool:
    """Whether a table of that name is kept beside another one and no job fills it."""
    return name.casefold().endswith(tuple(suffix for suffix, _ in _KEPT_FOR))


def rejected_name(table: str) -> str:
    """The name of the table that keeps the rejected rows of ``table``."""
    return checked_existing(table) + REJECTED_SUFFIX


def ledger_name(table: str) -> str:
    """The name of the table that tells which files ``table`` was loaded from."""
    return checked_existing(table) + LEDGER_SUFFIX


def stopped_name(table: str) -> str:
    """The name of the table that keeps the rejected rows of the last run that was stopped because of them."""
    return checked_existing(table) + STOPPED_SUFFIX


def quoted(name: str) -> str:
    """Any column or view name as an SQL identifier. Raises BadInput for an empty name and one with NUL."""
    if not name or "\x00" in name:
        raise BadInput(f"{name!r} cannot be a column name.", advice="Give it another name in the job.", field="columns")
    return '"' + name.replace('"', '""') + '"'


def checked_columns(names: list[str]) -> None:
    """Refuse columns whose names are the same but for capitals, which no SQL engine here can tell apart."""
    seen: dict[str, str] = {}
    for name in names:
        quoted(name)
        other = seen.setdefault(name.casefold(), name)
        if other is not name:
            raise BadInput(
                f"The columns {other} and {name} differ only in capitals.",
                advice="Choose one of them, or rename one in a view.",
                field="columns",
            )
