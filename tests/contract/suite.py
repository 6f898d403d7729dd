"""What every part of the contract of sources knows of the suite that runs it: the type, its server, what it can do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from contract.lines import COLUMNS, Arena, lines_with, request_for

from b2b_recs.engine.sources.contract import ReadRequest, Source, SourceType
from b2b_recs.engine.sources.registry import SOURCE_TYPES


class Suite:
    """Subclasses set ``type`` and what differs, and provide the fixture ``arena``."""

    type: ClassVar[str]
    # Whether a column can be a primary key, and whether the source knows types other than text.
    keyed: ClassVar[bool] = True
    # Whether columns have an order of their own; otherwise they come by name.
    ordered_columns: ClassVar[bool] = True
    # Whether a read sees the state of the last look even after a table was dropped.
    sees_the_past: ClassVar[bool] = False
    # Whether a table without rows is still there.
    empty_tables: ClassVar[bool] = True
    # The smallest step of a time this source can hold.
    tick: ClassVar[timedelta] = timedelta(microseconds=1)
    # Whether it dials a server.
    dials: ClassVar[bool] = True
    # Rows, and characters of each, of a table too large to be in memory as a whole when the reader goes away.
    heavy_rows: ClassVar[int] = 40_000
    heavy_text: ClassVar[int] = 1_000

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls) -> Iterator[Arena]:
        raise AssertionError("provided by the subclass")

    @pytest.fixture(scope="class")
    @classmethod
    def lines(cls, arena: Arena) -> Arena:
        arena.make("lines", COLUMNS, lines_with(cls.tick), key="id" if cls.keyed else None)
        return arena

    @pytest.fixture
    def source(self, lines: Arena) -> Iterator[Source]:
        with lines.open() as source:
            yield source

    def declared(self) -> SourceType:
        """The declaration of the type."""
        return SOURCE_TYPES[self.type]

    def private_server(self) -> AbstractContextManager[Arena]:
        """An arena with a table ``large`` of some 60,000 rows of 500 characters, whose sessions a test may cut."""
        raise AssertionError("provided by the subclass")

    def lines_request(self, source: Source, lines: Arena, **more: Any) -> ReadRequest:
        """A read of the lines, in the order of their ids where the source has one."""
        order = {"order_by": ("id",)} if self.declared().capabilities.ordered and "order_by" not in more else {}
        return request_for(source, lines, lines.named("lines"), COLUMNS, **order, **more)
