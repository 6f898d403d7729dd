"""What the data says against answers of the set-up page: a customer that looks like none, too many days to test on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_recs.engine.counting import counted
from b2b_recs.engine.errors import BadInput
from b2b_recs.web.ui.formats import grouped

if TYPE_CHECKING:  # takes long to load, and only the question itself needs it
    from b2b_recs.engine.datasets.leaving_out import Buyers
    from b2b_recs.engine.datasets.staying import Staying

FEWEST = 10  # with fewer customers, equal numbers say nothing
_OF_ONE = 1.5  # products a customer buys on average, below which its column rather names products


def customer_doubt(buyers: Buyers) -> str:
    """Why the customer's column looks like no customer; "" when nothing speaks against it."""
    if buyers.customers < FEWEST:
        return ""
    many = grouped(buyers.customers)
    if buyers.customers == buyers.products:
        return f"It has {many} different values, as many as the product. Does it name who bought?"
    if buyers.pairs <= _OF_ONE * buyers.customers and buyers.products >= FEWEST:
        return f"Nearly each of its {many} values goes with one product only. Does it name who bought?"
    return ""


def test_days_fault(typed: str, stays: Staying) -> BadInput | None:
    """Why a test period leaves too little to learn from; None when it leaves at least as long a history."""
    if not typed.strip() or not stays.rows:
        return None
    days, span = int(typed), int(stays.days)
    if 2 * days <= stays.days:
        return None
    most = span // 2
    left = f"{counted(span - days, 'day')} to learn from, which is less" if span > days else "nothing to learn from"
    told = f"The orders span {counted(span, 'day')}: {counted(days, 'day')} to test on would leave {left}."
    advice = f"Give {most:,} or fewer, or load older orders." if most else "Load older orders."
    return BadInput(told, field="test_days", advice=advice)
