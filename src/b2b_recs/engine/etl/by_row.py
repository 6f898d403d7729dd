"""Which staged rows the table has already, where no key tells: whole rows are compared, and counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from b2b_recs.engine.etl.plan import Plan
from b2b_recs.engine.etl.positions import FILE, ROW, Positions, equal, positions_of
from b2b_recs.engine.warehouse.names import quoted

if TYPE_CHECKING:
    import duckdb


def by_row(
    connection: duckdb.DuckDBPyConnection, plan: Plan, later: Sequence[Sequence[str]]
) -> tuple[Positions, Positions]:
    """Rows of ``staged`` that ``stored`` has, and rows of ``stored`` whose place a staged one takes.

    The n-th of equal staged rows is known when the table has n of them, so equal rows stay equal in number. ``later``
    are columns that the table got after rows it holds, oldest first: a row from before is the same one when all other
    columns agree, and the staged one, which has the value, takes its place.
    """
    names = [column.name for column in plan.layout.columns]
    columns = ", ".join(map(quoted, names))
    cursor = quoted(plan.cursor.name) if plan.cursor is not None else columns
    bounded = f"({cursor} >= (SELECT min({cursor}) FROM staged) OR {cursor} IS NULL)"  # noqa: S608 - quoted names
    connection.execute("CREATE TEMP TABLE rows_met (sf VARCHAR, sr BIGINT, tf VARCHAR, tr BIGINT, same BOOLEAN)")
    _meet(connection, names, bounded, same=True)
    late: set[str] = set()
    for added in reversed(later):
        late |= set(added) & set(names)
        base = [name for name in names if name not in late]
        if late and base:
            empty = " AND ".join(f"{quoted(name)} IS NULL" for name in names if name in late)
            _meet(connection, base, f"{bounded} AND {empty}", same=False)
    known = positions_of(connection, "SELECT sf, sr FROM rows_met WHERE same")
    return known, positions_of(connection, "SELECT tf, tr FROM rows_met WHERE NOT same")


def _meet(connection: duckdb.DuckDBPyConnection, names: Sequence[str], condition: str, *, same: bool) -> None:
    """Pair the rows left on either side that have the same in these columns, one with one."""
    nth = f"row_number() OVER (PARTITION BY {', '.join(map(quoted, names))}) AS nth"
    left = "SELECT *, {nth} FROM {table} x ANTI JOIN rows_met ON x.{file} = {f} AND x.{row} = {r} {where}"
    given = {"nth": nth, "file": FILE, "row": ROW}
    staged = left.format(table="staged", f="sf", r="sr", where="", **given)
    stored = left.format(table="stored", f="tf", r="tr", where=f"WHERE {condition}", **given)
    connection.execute(
        f"INSERT INTO rows_met SELECT s.{FILE}, s.{ROW}, t.{FILE}, t.{ROW}, {same} "  # noqa: S608 - quoted names
        f"FROM ({staged}) s JOIN ({stored}) t ON {equal(names)} AND s.nth = t.nth"
    )
