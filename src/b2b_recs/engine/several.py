"""Every fault of what was asked at once: collected while its parts are checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from b2b_recs.engine.errors import BadInput


class Several(BadInput):
    """More than one part of what was asked cannot be used; speaks as the first of them."""

    def __init__(self, faults: Sequence[BadInput]) -> None:
        first = faults[0]
        super().__init__(first.message, advice=first.advice, field=first.field, column=first.column)
        self.faults = tuple(faults)


def together(faults: Sequence[BadInput]) -> BadInput:
    """What was found, to be raised: one fault as it is, more as Several."""
    return faults[0] if len(faults) == 1 else Several(faults)


class Collected:
    """The faults of the parts that were checked so far."""

    def __init__(self) -> None:
        self.found: list[BadInput] = []

    @contextmanager
    def part(self) -> Iterator[None]:
        """Checks one part: its BadInput is kept, and what comes after it is checked too."""
        try:
            yield
        except Several as refusal:
            self.found += refusal.faults
        except BadInput as refusal:
            self.found.append(refusal)

    def refuse(self) -> None:
        """Raise what was found, if anything was."""
        if self.found:
            raise together(self.found)
