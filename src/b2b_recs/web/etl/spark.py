"""The small chart of a job's last runs: one bar a run, as few shapes as there are looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from b2b_recs.web.runs.models import RunStatus

RUNS, WIDTH, HEIGHT, BAR = 14, 100.0, 22.0, 5.0
LOWEST = 0.12  # share of the height that can still be seen; a run that failed loaded nothing and is a mark of it
_LOOKS = {RunStatus.COMPLETED: "ok", RunStatus.PARTIAL: "ok", RunStatus.FAILED: "bad"}

Ended = tuple[str, int]  # status and rows loaded of a run that is over


@dataclass(frozen=True)
class Spark:
    """``shapes`` are looks with the path of all their bars, in a picture 100 wide and 22 high."""

    shapes: tuple[tuple[str, str], ...]
    runs: int
    failed: int

    @property
    def words(self) -> str:
        """The chart in words."""
        return f"Last {self.runs} runs: {self.failed} failed"


def spark_of(ended: Sequence[Ended]) -> Spark:
    """The chart of runs, oldest first; rows loaded as height, and a run that failed is a mark at the foot."""
    most = max((rows for status, rows in ended if status != RunStatus.FAILED), default=0) or 1
    shapes: dict[str, str] = {}
    for at, (status, rows) in enumerate(ended):
        share = LOWEST if status == RunStatus.FAILED else max(LOWEST, rows / most)
        look, top = _LOOKS.get(RunStatus(status), "none"), HEIGHT * (1 - share)
        bar = f"M{WIDTH / RUNS * at:.2f} {top:.2f}h{BAR:g}V{HEIGHT:g}h-{BAR:g}z"
        shapes[look] = shapes.get(look, "") + bar
    failed = sum(status == RunStatus.FAILED for status, _ in ended)
    return Spark(tuple(shapes.items()), len(ended), failed)
