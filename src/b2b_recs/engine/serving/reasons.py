"""Why a product is shown, in words a sales rep can say to the customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from b2b_recs.engine.serving.answers import AGAIN, DUE

DAY = 86_400_000_000  # microseconds
STALE_DAYS = 60
DUE_SHARE = 0.8
SIMILAR = "Customers with similar orders buy it."
RECENT = "Popular in the last 30 days."
ALWAYS = "Popular with all customers."
UNKNOWN_CUSTOMER = "This customer is not in the data the model learnt from, so the list shows what is popular."


class Purchase(NamedTuple):
    """A customer's history with one product: distinct orders, first and last time in microseconds since
    1970-01-01 UTC, and the usual quantity of an order (0 when not known)."""

    orders: int
    first: int
    last: int
    quantity: float


@dataclass(frozen=True, slots=True)
class Moment:
    """The time ages are counted from, in microseconds.

    While the data is fresh that is now. When the data ended long ago, "33 days ago" would be wrong or absurd: then
    ages are counted to the end of the data and the last order is given by its date.
    """

    at: int
    dated: bool

    @classmethod
    def of(cls, now: datetime, data_until: int | None) -> Moment:
        """The moment for a request at ``now`` to a model whose last order is ``data_until`` microseconds."""
        at = int(now.timestamp() * 1_000_000)
        if data_until is not None and at - data_until > STALE_DAYS * DAY:
            return cls(data_until, True)
        return cls(at, False)


def bought(purchase: Purchase, moment: Moment) -> tuple[str, str]:
    """The reason and the list for a product the customer has ordered."""
    age = max(0, moment.at - purchase.last)
    last = _date(purchase.last) if moment.dated else _ago(age // DAY)
    amount = f" About {_number(purchase.quantity)} an order." if purchase.quantity >= 1 else ""
    if purchase.orders < 2 or purchase.last - purchase.first < DAY:
        times = "once" if purchase.orders < 2 else f"{purchase.orders} times"
        return f"Ordered {times}, {last}.{amount}", AGAIN
    interval = (purchase.last - purchase.first) / (purchase.orders - 1)
    words = f"Ordered every {_days(round(interval / DAY))}; last {last}.{amount}"
    return words, DUE if age >= DUE_SHARE * interval else AGAIN


def _days(days: int) -> str:
    return "day" if days <= 1 else f"{days:,} days"


def _ago(days: int) -> str:
    return ("today", "yesterday")[days] if days < 2 else f"{days:,} days ago"


def _date(at: int) -> str:
    day = datetime.fromtimestamp(at / 1_000_000, UTC)
    return f"on {day.day} {day:%b %Y}"


def _number(quantity: float) -> str:
    return f"{quantity:,.0f}"
