"""What is known about the values of one version of a table, as a document that can be kept and sent."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from b2b_recs.engine.profile.columns import Kind
from b2b_recs.engine.profile.values import Plain


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)


class TopValue(_Document):
    """A value and the rows that have it."""

    value: Plain
    rows: int


class Histogram(_Document):
    """Rows by where their value lies: ``edges`` has one more than ``rows``, both ends belong to the last bar.

    When a few values lie far off, the bars show where 98 % lie and ``below`` and ``above`` count the rest.
    """

    edges: list[Plain]
    rows: list[int]
    below: int = 0
    above: int = 0


class Lengths(_Document):
    """Lengths of texts in characters, of bytes in bytes."""

    shortest: int
    longest: int
    mean: float


class Sign(_Document):
    """Something that values show which may be a fault; ``count`` is rows, ``examples`` are values that show it."""

    what: str
    count: int
    examples: list[Plain] = []


class ColumnProfile(_Document):
    """One column. Everything but rows and NULLs is of the values that are not NULL.

    ``distinct_exact`` is False for an estimate (a few per cent off); ``median`` is an estimate always. ``counted_rows``
    are the rows over which values were counted; None when they could not be counted.
    """

    name: str
    type: str = Field(description="The warehouse type, with its digits.")
    kind: Kind
    rows: int
    nulls: int
    distinct: int
    distinct_exact: bool = False
    minimum: Plain = None
    maximum: Plain = None
    mean: float | None = None
    median: Plain = None
    lengths: Lengths | None = None
    top: list[TopValue] = []
    counted_rows: int | None = None
    histogram: Histogram | None = None
    signs: list[Sign] = []

    @property
    def filled(self) -> int:
        """Rows that have a value."""
        return self.rows - self.nulls

    @property
    def null_share(self) -> float:
        """The share of rows without a value, 0 to 1; 0 for a table without rows."""
        return self.nulls / self.rows if self.rows else 0.0

    @property
    def sampled(self) -> bool:
        """Whether values were counted over some of the rows only."""
        return self.counted_rows is not None and self.counted_rows < self.filled


class KeyCheck(_Document):
    """Whether a key tells rows apart: rows that share theirs with another, rows with a NULL in it, and one example."""

    columns: list[str]
    repeated: int
    with_null: int
    example: list[Plain] = []


class TableProfile(_Document):
    """The profile of one version of a table; ``stopped`` says why some columns were not counted in full."""

    form: Literal[1] = 1  # a document of another form is made anew
    version: int
    at: datetime
    seconds: float
    rows: int
    key: KeyCheck | None
    columns: list[ColumnProfile]
    stopped: Literal["", "time", "memory"] = ""
