"""Answers about rows that never change, kept for whoever asks the same again."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from b2b_recs.engine.warehouse.local import LocalTable

Answer = TypeVar("Answer")


class Kept(Generic[Answer]):
    """The answers to the questions asked last, at most ``most`` of them; threads may share it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, question: Hashable, ask: Callable[[], Answer]) -> Answer:
        """The answer that is kept, else the one ``ask`` finds; what it raises is not kept."""
        with self._guard:
            if question in self._answers:
                self._answers.move_to_end(question)
                return self._answers[question]
        found = ask()
        with self._guard:
            self._answers[question] = found
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)
        return found


def content_of(tables: Sequence[tuple[LocalTable, int]]) -> str:
    """A mark of these versions' rows: by the files that hold them, so that a table made anew is another."""
    mark = hashlib.sha256()
    for table, version in tables:
        mark.update(f"{table.folder.resolve()}\n{version}\n".encode())
        for name in sorted(table.file_names(version)):
            mark.update(f"{name}\n".encode())
    return mark.hexdigest()
