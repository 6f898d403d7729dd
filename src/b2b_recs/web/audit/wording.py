"""What settings and their values are called in the audit log: documents keep names that only programs read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from b2b_recs.engine.etl.spec import CopySpec

# a path in a document, its parts joined by blanks → what people call it
_PATHS = {
    "source schema": "schema that is read",
    "source table": "table that is read",
    "destination table": "warehouse table",
    "destination dataset": "part of the warehouse",
    "load strategy": "what a run loads",
    "load cursor": "column that tells what is new",
    "load key": "key",
    "load backfill": "how far back the first run goes",
    "load lag": "time that is read again",
    "load lag units": "numbers that are read again",
    "load deletes": "rows gone from the source",
    "load keep days": "days earlier versions are kept",
    "columns": "columns that are copied",
    "row limit": "most rows of a run",
    "drift": "new columns in the source",
    "gone": "columns the source no longer has",
    "reject threshold": "share of rows that may be rejected",
    "partition by": "a part for each day of",
    "cluster by": "rows arranged by",
    "reconcile": "what is compared after a run",
    "parallel": "sessions that read at the same time",
    "base": "table of orders",
    "upper case": "columns in capitals",
    "roles customer": "column of the customer",
    "roles product": "column of the product",
    "roles time": "column of the time",
    "roles revenue": "column of the revenue",
    "roles quantity": "column of the quantity",
    "roles order": "column of the order",
    "roles customer name": "column of the customer’s name",
    "roles product name": "column of the product’s name",
    "roles category": "column of the category",
    "filters history days": "last days that count",
    "filters top revenue share": "products of the top share of revenue",
    "filters min orders per customer": "orders a customer has at least",
    "split test days": "days to test on",
    "split test share": "share of lines to test on",
    "headline": "measure that decides",
    "deploy": "when a version goes into service",
    "refit": "orders the served version learns from",
    "seed": "start of the random numbers",
}
_PATTERNS = (
    (re.compile(r"types (.+) warehouse type"), "type of {}"),
    (re.compile(r"types (.+) source type"), "type of {} in the source"),
    (re.compile(r"types (.+) (mode|precision|scale|format)"), "{1} of {0}"),
    (re.compile(r"filters where (\d+)"), "condition {}"),
    (re.compile(r"joins (\d+) table"), "joined table {}"),
    (re.compile(r"joins (\d+) on (.+)"), "column of joined table {} that matches {}"),
    (re.compile(r"joins (\d+) kind"), "rows kept with joined table {}"),
    (re.compile(r"parameters (\S+) (.+)"), "{1} of {0}"),
)
_VALUES: dict[str, Mapping[str, str]] = {
    "load strategy": {"transactional": "new rows", "merge": "new and changed rows", "catalog": "the whole table",
                      "files": "new and changed files"},
    "load deletes": {"keep": "kept", "count": "counted", "remove": "removed"},
    "drift": {"add": "added", "ignore": "left out", "stop": "stop the run"},
    "reconcile": {"counts": "counts", "checksums": "counts and sums"},
    "deploy": {"when_better": "when it is better", "always": "always", "never": "never"},
    "refit": {"all": "all", "training": "those before the test"},
}  # fmt: skip
# What programs note beside a setting, and a draft's schedule, which is told with the schedules.
_INTERNAL = re.compile(r"types .+ (name|reason|confidence|warning)|schedule .+|paused")
# What a copy has where nobody said otherwise, by path.
_USUAL = {
    name.replace("_", " "): field.default
    for name, field in CopySpec.model_fields.items()
    if isinstance(field.default, str | int | float)
}
_SHARES = {"reject threshold", "filters top revenue share", "split test share"}


def is_noise(path: str, before: Any, after: Any) -> bool:
    """Whether a change tells nobody anything: a note of a program, or what held anyway written down."""
    if _INTERNAL.fullmatch(path) is not None:
        return True
    return before in (None, "") and (after in (None, "") or after == _USUAL.get(path))


def path_words(path: str) -> str:
    """What people call a setting of a document."""
    if path in _PATHS:
        return _PATHS[path]
    for pattern, words in _PATTERNS:
        found = pattern.fullmatch(path)
        if found is not None:
            return words.format(*found.groups())
    return path


def value_words(path: str, value: Any) -> Any:
    """A value of that setting as people say it; what needs no words stays as it is."""
    if path in _SHARES and isinstance(value, int | float) and not isinstance(value, bool):
        return f"{100 * value:g} %"
    return _VALUES.get(path, {}).get(value, value) if isinstance(value, str) else value


def condition_words(value: Mapping[str, Any]) -> str | None:
    """A condition of a dataset in one line; None for anything else."""
    if set(value) - {"column", "op", "value"} or "op" not in value:
        return None
    wanted = value.get("value")
    shown = ", ".join(map(str, wanted)) if isinstance(wanted, list) else "" if wanted is None else str(wanted)
    return f"{value.get('column')} {value['op']} {shown}".strip()
