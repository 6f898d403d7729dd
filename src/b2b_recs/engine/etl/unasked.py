"""Fields that rows have beyond the columns a run reads: noticed while reading, then read as well, or told.

Only where the columns of a table are those of a sample (capability ``sampled``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import pyarrow.dataset as ds

from b2b_recs.engine.counting import counted, listed
from b2b_recs.engine.etl.journal import Staged
from b2b_recs.engine.etl.plan import Fixed, Plan
from b2b_recs.engine.sources.contract import Fields
from b2b_recs.engine.warehouse.local import LocalTable

# Names beyond which they are keys of data rather than columns: they are told, and not added.
MOST_NAMES = 300
# How often a run reads again because of fields it met; only a source that changes meanwhile brings it to more than one.
MOST_READS = 3
_SHOWN = 12


def together(several: Iterable[Fields], without: Collection[str] = ()) -> Fields:
    """The sum of what was noticed, of at most one name more than may be added: that one says that there are more."""
    total: dict[str, dict[str, int]] = {}
    for fields in several:
        for name, kinds in fields.items():
            if name in without or (name not in total and len(total) > MOST_NAMES):
                continue
            mine = total.setdefault(name, {})
            for kind, rows in kinds.items():
                mine[kind] = mine.get(kind, 0) + rows
    return total


def wider(plan: Plan, staged: Sequence[Staged], make: Callable[[Fixed], Plan]) -> Plan | None:
    """The plan that also reads the fields that were met; None when there are none, or the job leaves them out.

    ``make`` plans a run anew and raises SchemaDrift where the job is to stop at new columns.
    """
    met = together(item.unasked for item in staged)
    if not met or len(met) > MOST_NAMES:
        return None
    plan_with = make(replace(plan.fixed, met={**plan.met, **met}))
    before, after = ({column.name for column in one.layout.columns} for one in (plan, plan_with))
    return plan_with if after - before else None


def told(plan: Plan, staged: Sequence[Staged], *, added: bool) -> Iterator[str]:
    """What to tell of fields that no looked-at row had; ``added``: whether the job takes new columns."""
    loaded = {name: kinds for name, kinds in plan.met.items() if name in plan.layout.schema.names}
    if loaded:
        yield f"{_met(loaded)} loaded with a second read: {_named(loaded)}."
    left = together(item.unasked for item in staged)
    if len(left) > MOST_NAMES:
        yield (
            f"More than {MOST_NAMES} fields that the rows looked at beforehand do not have were met and left out, "
            f"among them {', '.join(list(left)[:_SHOWN])}. Let more of them be looked at in the connection, or choose "
            "the job's columns."
        )
    elif left and added:
        yield f"{_met(left)} left out, because the source went on changing: {_named(left)}. Run the job again."
    elif left:
        yield f"{_met(left)} left out, as the job says: {_named(left)}."


def without_values(plan: Plan, table: LocalTable, staged: Sequence[Staged]) -> str:
    """A warning of columns the source did not show and in which no row of a whole table has a value; "" without."""
    paths = [str(table.folder / item.part.path) for item in staged if item.part.rows]
    names = [name for name in plan.layout.unshown if name not in plan.met]
    if plan.bounds is not None or not paths or not names:
        return ""
    rows = ds.dataset(paths, format="parquet")
    empty = [name for name in names if rows.count_rows(filter=ds.field(name).is_valid()) == 0]
    return f"No row has a value in {listed(empty[:_SHOWN], len(empty))}; it is empty now." if empty else ""


def _met(fields: Fields) -> str:
    one = "field that no row looked at beforehand has was met while reading and"
    many = "fields that no row looked at beforehand has were met while reading and"
    return counted(len(fields), one, many)


def _named(fields: Fields) -> str:
    shown = [f"{name} (in {counted(sum(kinds.values()), 'row')})" for name, kinds in list(fields.items())[:_SHOWN]]
    return listed(shown, len(fields))
