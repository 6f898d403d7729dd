"""Which rows of its table a model would learn from, in words: what each filter leaves out, and what stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_recs.engine.counting import counted
from b2b_recs.web.projects.setup import SetupForm
from b2b_recs.web.projects.setup_saving import BOUNDS, number_faults
from b2b_recs.web.ui.formats import percent

if TYPE_CHECKING:
    from b2b_recs.engine.datasets.spec import DatasetSpec
    from b2b_recs.engine.datasets.staying import Staying


_ONCE = ", where a row that more than one of them leaves out counts once"


def stays_in_words(form: SetupForm, spec: DatasetSpec, stays: Staying, above: int = 0) -> str:
    """Every filter that leaves rows out, in the order they are applied, then what stays; faults are not counted.

    ``above`` are the rows that the ticks and conditions leave out each by itself, added up.
    """
    filters = spec.filters
    causes = {
        "unknown": ("has", "have", "no customer, product or time"),
        "where": ("is", "are", "left out by the ticks and conditions above"),
        "history": ("is", "are", f"older than the last {counted(filters.history_days or 0, 'day')}"),
        "orders": ("is", "are", f"of customers with fewer than {filters.min_orders_per_customer:,} orders"),
        "top": ("is", "are", f"of products outside the top {filters.top_revenue_share * 100:g} % of revenue"),
    }
    place = spec.base if all(join.kind == "left" for join in spec.joins) else f"{spec.base} with what is joined to it"
    gone = []
    for cause, rows in stays.gone:
        one, many, what = causes[cause]
        if cause == "where":
            for condition, out in stays.apart:
                gone += [f"{counted(out, one, many)} left out by the saved condition “{condition}”"] if out else []
                rows -= out
            what += _ONCE if above > rows else ""
        gone += [f"{counted(rows, one, many)} {what}"] if rows else []
    worth = ""
    if any(role.name == "revenue" and role.chosen for role in form.roles):
        worth = f" and {percent(stays.of_worth)} of the revenue"
    if not gone:
        told = f"Nothing is left out: all {counted(stays.all_rows, 'row')} of {place} stay."
    else:
        part = percent(stays.rows / stays.all_rows)
        told = f"Of the {counted(stays.all_rows, 'row')} of {place}, {'; '.join(gone)}. "
        told += f"{counted(stays.rows, 'row stays', 'rows stay')} ({part}){worth}."
        told += "" if stays.rows else " Nothing is left to learn from."
    return f"{told}{_not_counted(form)}"


def _not_counted(form: SetupForm) -> str:
    """What cannot be counted as it stands."""
    faulty = [f"“{BOUNDS[name][0]}”" for name in _counting_faults(form)]
    faulty += ["the conditions that are not complete"] if any(one.faults for one in form.rules if not one.blank) else []
    return f" Not counted until it can be used: {', '.join(faulty)}." if faulty else ""


def _counting_faults(form: SetupForm) -> list[str]:
    return [str(fault.field) for fault in number_faults(form) if fault.field in ("history_days", "top_share")]
