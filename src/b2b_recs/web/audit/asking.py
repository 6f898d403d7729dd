"""What a reader of the audit log asks for, read from an address and held to what there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from b2b_recs.web.audit.kinds import GROUPS
from b2b_recs.web.audit.telling import CHANGED, CREATED, REMOVED

PERIODS = {"day": ("Last 24 hours", 1), "week": ("Last 7 days", 7), "month": ("Last 30 days", 30),
           "quarter": ("Last 90 days", 90), "all": ("All time", 0)}  # fmt: skip
ACTORS = {"people": "People", "programs": "API keys", "platform": "The platform itself"}
ACTIONS = {CREATED: "Created", CHANGED: "Changed", REMOVED: "Deleted"}
USUAL_PERIOD = "month"


@dataclass(frozen=True)
class Ask:
    """Words to find in object, actor or kind; who acted, what was done, to which kind, in which period."""

    words: str = ""
    actor: str = ""
    action: str = ""
    group: str = ""
    period: str = USUAL_PERIOD
    until: date | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Ask:
        """What the address asks for; what it does not know is left out."""

        def one_of(name: str, known: Mapping[str, object], otherwise: str = "") -> str:
            value = query.get(name, "")
            return value if value in known else otherwise

        return cls(
            query.get("q", "").strip().replace("\0", "")[:200],
            one_of("who", ACTORS),
            one_of("action", ACTIONS),
            one_of("kind", GROUPS),
            one_of("period", PERIODS, USUAL_PERIOD),
            _day(query.get("until", "")),
        )

    @property
    def times(self) -> dict[str, datetime]:
        """The conditions on an entry's time; the period ends now, or with the day given."""
        days = PERIODS[self.period][1]
        end = datetime.now(UTC)
        found = {}
        if self.until is not None:
            end = datetime.combine(self.until, time(), UTC) + timedelta(days=1)
            found["pgh_created_at__lt"] = end
        if days:
            found["pgh_created_at__gte"] = end - timedelta(days=days)
        return found

    @property
    def narrowed(self) -> bool:
        """Whether entries of the period were left out."""
        return bool(self.words or self.actor or self.action or self.group or self.until)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year <= 9000 else None
