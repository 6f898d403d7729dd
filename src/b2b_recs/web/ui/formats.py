"""Numbers, times and states in words, the same on every page."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from b2b_recs.engine.counting import counted as counted
from b2b_recs.engine.counting import percent as in_percent

SYMBOLS = {
    "GBP": "£",
    "EUR": "€",
    "USD": "$",
    "JPY": "¥",
    "INR": "₹",
    "PLN": "zł",
    "CHF": "CHF",
    "AUD": "A$",
    "CAD": "C$",
}

# status → (dot, word); the dot never stands alone
STATES = {
    "pending": ("", "Waiting"),
    "waiting": ("", "Waiting"),
    "running": ("busy", "Running"),
    "cancelling": ("warn", "Stopping"),
    "completed": ("ok", "Completed"),
    "done": ("ok", "Done"),
    "partial": ("warn", "Partial"),
    "failed": ("bad", "Failed"),
    "cancelled": ("", "Cancelled"),
    "skipped": ("", "Skipped"),
    "draft": ("", "Draft"),
    "active": ("ok", "Active"),
    "paused": ("warn", "Paused"),
    "archived": ("", "Archived"),
    "retired": ("", "Retired"),
    "candidate": ("", "Candidate"),
    "blessed": ("ok", "Passed the gate"),
    "deployed": ("ok", "Deployed"),
    "never": ("", "Never tested"),
    "passed": ("ok", "Works"),
    "refused": ("bad", "Refused"),
    "unknown": ("warn", "Not tested"),
}


# A number and its unit stay on one line.
_JOIN = "\N{NO-BREAK SPACE}"


def state_of(status: str) -> tuple[str, str]:
    """The dot's colour ("ok", "bad", "warn", "busy" or "") and the word for a status."""
    return STATES.get(status, ("", status.replace("_", " ").capitalize()))


def grouped(value: object) -> str:
    """A whole number with thousands separated, "–" when there is none."""
    if value is None or value == "":
        return "–"
    return f"{int(value):,}"  # type: ignore[call-overload]


def decimals(value: object, places: int = 3) -> str:
    """A share or a metric such as .381; 1.000 keeps its one."""
    if value is None or value == "":
        return "–"
    text = f"{float(value):.{places}f}"  # type: ignore[arg-type]
    return text[1:] if text.startswith("0.") else text


def percent(share: float) -> str:
    """A share as "12 %", on one line; see the engine's."""
    return in_percent(share).replace(" %", f"{_JOIN}%")


def duration(seconds: object) -> str:
    """Seconds as "38 ms", "1.2 s", "2 m 5 s", "3 h 4 m" or "9 d 2 h"."""
    if seconds is None or seconds == "":
        return "–"
    s = float(seconds)  # type: ignore[arg-type]
    if s < 1:
        return f"{s * 1000:.0f}{_JOIN}ms"
    if s < 60:
        return f"{s:.1f}{_JOIN}s"
    minutes, rest = divmod(int(s), 60)
    if s < 3600:
        return f"{minutes}{_JOIN}m {rest}{_JOIN}s" if rest else f"{minutes}{_JOIN}m"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}{_JOIN}h {rest}{_JOIN}m"
    return f"{hours // 24}{_JOIN}d {hours % 24}{_JOIN}h" if hours % 24 else f"{hours // 24}{_JOIN}d"


def money(value: object, currency: str) -> str:
    """An amount with its currency, rounded to whole units from a thousand up."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return "–"
    if not amount.is_finite():
        return "–"
    symbol = SYMBOLS.get(currency, currency)
    number = f"{abs(amount):,.0f}" if abs(amount) >= 1000 else f"{abs(amount):,.2f}"
    return f"{'−' if amount < 0 else ''}{symbol} {number}"


def data_size(value: object) -> str:
    """Bytes as "512 B", "3.4 KB", "120 MB"."""
    if value is None or value == "":
        return "–"
    size = float(value)  # type: ignore[arg-type]
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.0f}{_JOIN}{unit}" if size >= 10 or unit == "B" else f"{size:.1f}{_JOIN}{unit}"
        size /= 1000
    return "–"


def ago(then: datetime, now: datetime | None = None) -> str:
    """How long ago in whole units that passed, or in how long to the nearest unit: "just now", "5m ago", "in 2h"."""
    gap = ((now or datetime.now(UTC)) - then).total_seconds()
    size = abs(gap)
    if size < 5:
        return "just now"
    for limit, unit, letter in ((60, 1, "s"), (3600, 60, "m"), (86400, 3600, "h"), (float("inf"), 86400, "d")):
        # What is to come is rounded: seven days less a moment are seven days.
        count = int(size // unit if gap > 0 else (size + unit / 2) // unit)
        if count * unit < limit:
            text = f"{count}{letter}"
            break
    return f"{text} ago" if gap > 0 else f"in {text}"


def share(value: float, low: float, high: float) -> float:
    """Where ``value`` lies between ``low`` and ``high``, as per cent held inside 0 to 100."""
    if high <= low:
        return 0.0
    return min(100.0, max(0.0, 100.0 * (value - low) / (high - low)))
