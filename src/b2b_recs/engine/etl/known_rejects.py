"""Which rejected rows a table keeps already: those are neither counted nor kept again when they are read again."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

from b2b_recs.engine.sources.contract import RejectedRow
from b2b_recs.engine.warehouse.local import LocalTable


def fingerprint(row: RejectedRow) -> str:
    """What tells a rejected row, with its column and reason, from others."""
    told = (json.dumps(row.row, ensure_ascii=False), row.column, row.reason)
    return hashlib.sha256("\0".join(told).encode("utf-8", "surrogatepass")).hexdigest()


class KnownRejects:
    """The rejected rows beside a table, each to be taken once: of equal rows as many are known as are kept."""

    def __init__(self, table: LocalTable) -> None:
        self._kept = table.rejected
        self._left: Counter[str] | None = None

    def take(self, mark: str) -> bool:
        """Whether a row with this fingerprint is kept already."""
        if self._left is None:
            # Read only now: most runs reject nothing.
            self._left = Counter()
            if self._kept.exists():
                self._left.update(self._kept.read(columns=["fingerprint"])["fingerprint"].to_pylist())
        if self._left[mark] <= 0:
            return False
        self._left[mark] -= 1
        return True
