"""What BigQuery would refuse of a table; the local warehouse honours it too, so that a project moves unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType, digits

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_COLUMN = 300
MOST_CLUSTER_COLUMNS = 4
_W = WarehouseType
_PREFIXES = ("_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier")
_FORBIDDEN = re.compile(r"""[!"$()*,./;?@\[\\\]^`{}~]|[\x00-\x1f\x7f]""")
_PARTITIONED = (_W.DATE, _W.DATETIME, _W.TIMESTAMP)
_CLUSTERED = (
    *_PARTITIONED,
    _W.BIGNUMERIC,
    _W.BOOL,
    _W.GEOGRAPHY,
    _W.INT64,
    _W.NUMERIC,
    _W.STRING,
)
# Digits before the point, and after it, that each decimal type can declare.
_DECIMALS = {_W.NUMERIC: (29, 9), _W.BIGNUMERIC: (38, 38)}


def refused_names(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each column name BigQuery does not take, and why."""
    for name in names:
        found = _FORBIDDEN.search(name)
        prefix = next((start for start in _PREFIXES if name.casefold().startswith(start)), None)
        if not name.strip():
            yield name, "is empty"
        elif len(name) > LONGEST_COLUMN:
            yield name, f"is longer than {LONGEST_COLUMN} characters"
        elif prefix is not None:
            yield name, f"begins with {prefix.upper()}"
        elif found is not None:
            yield name, f"contains {found.group() if found.group().isprintable() else 'a control character'}"


def names_instead(names: Sequence[str], taken: Iterable[str] = ()) -> dict[str, tuple[str, str]]:
    """For each column whose name cannot stay, the name it gets and why; different from all others and from ``taken``.

    Two names that differ only in capitals cannot both stay: the one that comes first does.
    """
    reasons = dict(refused_names(names))
    kept = {name.casefold(): name for name in taken}
    for name in names:
        if name not in reasons and kept.setdefault(name.casefold(), name) != name:
            reasons[name] = f"differs from {kept[name.casefold()][:60]} only in capitals"
    instead = {}
    for name in names:
        if name in reasons:
            instead[name] = (_free(_plain(name), kept), reasons[name])
            kept[instead[name][0].casefold()] = instead[name][0]
    return instead


def check_new_names(names: Mapping[str, str]) -> None:
    """Raise BadInput for a column (its name in the source → in the warehouse) that cannot get the name it is given."""
    seen: dict[str, str] = {}
    for column, name in names.items():
        reason = next((reason for _, reason in refused_names([name])), "")
        other = seen.setdefault(name.casefold(), column)
        if not reason and other != column:
            reason = f"is what “{other[:100]}” is called already; capitals make no other name"
        if reason:
            raise BadInput(
                f"The column “{column[:100]}” cannot be called “{name[:100]}” in the warehouse: that {reason}.",
                field="names",
                column=column,
                advice=f"Use letters, digits and _, at most {LONGEST_COLUMN}.",
            )


def _plain(name: str) -> str:
    """A name that BigQuery takes, as near to this one as can be."""
    plain = _FORBIDDEN.sub("_", name).strip()
    if plain.casefold().startswith(_PREFIXES):
        plain = plain.lstrip("_")
    return plain[:LONGEST_COLUMN].strip("_") or "column"


def _free(name: str, kept: Mapping[str, str]) -> str:
    """The name, or with the first number that nobody has."""
    found, number = name, 2
    while found.casefold() in kept:
        end = f"_{number}"
        found, number = name[: LONGEST_COLUMN - len(end)] + end, number + 1
    return found


def names_warning(names: Iterable[str]) -> str:
    """What to tell of columns BigQuery does not take, empty when it takes all."""
    refused = [f"{name[:60].strip() or '“”'} {reason}" for name, reason in refused_names(names)]
    if not refused:
        return ""
    more = f" and {len(refused) - 3:,} more" if len(refused) > 3 else ""
    return (
        f"BigQuery does not take these column names: {'; '.join(refused[:3])}{more}. "
        "Give them other names in the job, or in a view, before the project moves there."
    )


def check_digits(columns: Iterable[ColumnMapping]) -> None:
    """Raise BadInput for a decimal column with more digits than its type has in BigQuery."""
    for column in columns:
        if column.warehouse_type not in _DECIMALS or column.precision is None:
            continue
        precision, scale = digits(column)
        before, after = _DECIMALS[column.warehouse_type]
        if not (precision >= 1 and 0 <= scale <= min(after, precision) and precision - scale <= before):
            wider = " or choose BIGNUMERIC" if column.warehouse_type is _W.NUMERIC else ""
            raise BadInput(
                f"{column.warehouse_type}({precision}, {scale}) of the column {column.name} is not possible.",
                advice=f"Keep to {before} digits before the point and {after} after it{wider}.",
                field=column.name,
            )


def check_arrangement(schema: pa.Schema, partition_by: str | None, cluster_by: Sequence[str]) -> None:
    """Raise BadInput for an arrangement BigQuery does not have, or of columns the table has not."""
    if partition_by is not None:
        kind = _type_of(schema, partition_by, "partition_by")
        if kind not in _PARTITIONED:
            raise BadInput(
                f"The table cannot be arranged by day of {partition_by}, which is {kind}.",
                advice="Choose a DATE, DATETIME or TIMESTAMP column, or none.",
                field="partition_by",
            )
    if len(cluster_by) > MOST_CLUSTER_COLUMNS:
        raise BadInput(
            f"{len(cluster_by)} columns to arrange rows by are too many.",
            advice=f"Choose at most {MOST_CLUSTER_COLUMNS}.",
            field="cluster_by",
        )
    for name in cluster_by:
        kind = _type_of(schema, name, "cluster_by")
        if kind not in _CLUSTERED:
            raise BadInput(
                f"Rows cannot be arranged by {name}, which is {kind}.",
                advice="Choose a column of text, numbers without binary fractions, dates, times or BOOL.",
                field="cluster_by",
            )


def _type_of(schema: pa.Schema, name: str, field: str) -> WarehouseType:
    from b2b_recs.engine.schema.arrow import WAREHOUSE_TYPE

    if name not in schema.names:
        raise BadInput(f"The table has no column {name} to arrange it by.", advice="Choose another.", field=field)
    notes = schema.field(name).metadata or {}
    return WarehouseType(notes.get(WAREHOUSE_TYPE, b"STRING").decode())
