"""What every source that dials promises of lines that fail in the middle of reading: no shorter table, no long wait."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from contract.asking import asked_of
from contract.lines import Arena, request_for
from contract.suite import Suite
from relay import Relay

from b2b_recs.engine import errors
from b2b_recs.engine.sources import ahead, interrupting
from b2b_recs.engine.sources.contract import Batch, Source

# What is still to come of a table when its line fails: more than a batch, much less than the table.
BYTES_MORE = 100_000


class BrokenLinesContract(Suite):
    """Part of the contract of sources."""

    # Whether most of a large table is still to come once its first batch is there.
    comes_in_parts: ClassVar[bool] = True
    # Seconds after which a reader that was cancelled, and a source that was closed, must have let go of a server that
    # hangs: ten times what they are told to wait.
    lets_go: ClassVar[float] = 5.0

    @pytest.fixture
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(interrupting, "PATIENCE_SECONDS", 0.3)
        monkeypatch.setattr(ahead, "LEFT_SECONDS", 2.0)

    @contextlib.contextmanager
    def relayed(self, arena: Any) -> Iterator[tuple[Relay, Callable[[], Source]]]:
        """A relay before the server, and how a source is opened through it."""
        relay = Relay(arena.parameters()["port"])
        with contextlib.closing(relay):
            yield relay, lambda: arena.open(port=relay.port)

    @contextlib.contextmanager
    def begun(
        self, arena: Arena, cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[Relay, Source, Iterator[Batch]]]:
        """The relay, the source, and the rest of a large table of which a batch was read."""
        with self.relayed(arena) as (relay, open_), contextlib.ExitStack() as later:
            source = open_()
            # After the relay has let go of everything: closing may wait for a server that is gone.
            later.callback(source.close)
            later.callback(relay.cut)
            request = request_for(source, arena, arena.named("heavy"), batch_bytes=64 * 1024)
            batches = source.read(request, cancelled)
            assert next(batches).rows.num_rows
            yield relay, source, batches

    @asked_of(lambda suite: suite.dials and suite.comes_in_parts)
    def test_a_line_that_ends_in_the_middle_is_not_the_end_of_the_table(self, heavy: Arena) -> None:
        with self.begun(heavy) as (relay, _, batches):
            relay.end_after(BYTES_MORE)
            with pytest.raises(errors.EngineError) as caught:
                list(batches)
            assert isinstance(caught.value, errors.ConnectionLost | errors.SourceTimeout), repr(caught.value)
            assert caught.value.transient and caught.value.advice

    @asked_of(lambda suite: suite.dials and suite.comes_in_parts)
    @pytest.mark.usefixtures("impatient")
    def test_a_read_of_a_server_that_hangs_can_be_cancelled(self, heavy: Arena) -> None:
        stop = threading.Event()
        with self.begun(heavy, stop.is_set) as (relay, source, batches):
            relay.stall()
            ended = Doing(lambda: list(batches))
            time.sleep(0.3)
            stop.set()
            ended.join(self.lets_go)
            assert not ended.is_alive(), "the reader still waits for the server"
            assert isinstance(ended.error, errors.Cancelled)
            closed = Doing(source.close)
            closed.join(self.lets_go)
            assert not closed.is_alive(), "closing still waits for the server"
            assert closed.error is None


class Doing(threading.Thread):
    """Does something that may never end, and keeps the error it ended with."""

    def __init__(self, action: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.error: BaseException | None = None
        self._action = action
        self.start()

    def run(self) -> None:
        try:
            self._action()
        except BaseException as error:
            self.error = error
