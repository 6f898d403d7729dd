"""Asking a source something within a request: bounded in time, outside every transaction, in a thread of its own.

What the source says is its answer, a refusal included. What keeps us from asking at all is ``TestNotPossible``, which
says nothing about the source: the status a connection had stays.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Generic, TypeVar

from b2b_recs.engine.errors import BadInput, ConnectionRefused, DriverMissing, EngineError, SourceRefused, SourceTimeout
from b2b_recs.engine.sources.contract import CheckResult, Source
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.connections.services import guard, opener
from b2b_recs.web.tenancy import scope

SECONDS = 20.0
# A port that is closed and one that a firewall hides are told apart by the time they take, so both take this long
# where strangers share the platform.
UNREACHABLE_SECONDS = 15.0
AT_ONCE = 16
_room = threading.BoundedSemaphore(AT_ONCE)
Answer = TypeVar("Answer")
log = logging.getLogger(__name__)


class TestNotPossible(EngineError):
    """The test could not be carried out by us; ``retry_after`` is seconds."""

    __test__ = False
    code: ClassVar[str] = "test_not_possible"
    default_transient: ClassVar[bool] = True
    retry_after: ClassVar[int] = 30


@dataclass(frozen=True, slots=True)
class Tested:
    """How a test went: ``status`` is passed, failed or unknown; ``error`` says why not passed."""

    status: str
    at: datetime
    check: CheckResult | None = None
    error: EngineError | None = None


def ask(open_source: Callable[[], Source], question: Callable[[Source], Answer]) -> Answer:
    """What the source answers.

    Raises the source's refusal, BadInput, DriverMissing, or TestNotPossible when we could not ask.
    """
    if not _room.acquire(blocking=False):
        raise TestNotPossible("Too many tests run at this moment.", advice="Test again in half a minute.")
    asked: _Asked[Answer] = _Asked(open_source, question)
    started = time.monotonic()
    threading.Thread(target=asked.run, name="source-question", daemon=True).start()
    try:
        if guard().enabled and not asked.opened.wait(UNREACHABLE_SECONDS):
            raise ConnectionRefused("Nothing answered in time.")
        return asked.answer.result(max(0.0, started + SECONDS - time.monotonic()))
    except (ConnectionRefused, SourceTimeout) as refusal:
        # Some sources dial only when they are asked something.
        unreached = isinstance(refusal, ConnectionRefused) or not asked.is_open
        raise _alike(refusal, started) if guard().enabled and unreached else refusal from None
    except TimeoutError:
        raise TestNotPossible(
            f"The test did not end within {SECONDS:.0f} seconds.", advice="Test again; a large source may need longer."
        ) from None
    except EngineError as error:
        if isinstance(error, SourceRefused | BadInput | DriverMissing):
            raise
        raise TestNotPossible(error.message, advice=error.advice, field=error.field) from error
    except Exception as fault:
        log.exception("a source could not be asked")
        raise TestNotPossible(
            "The test stopped at a fault of the platform.", advice="The operator finds the cause in the log."
        ) from fault


class _Asked(Generic[Answer]):
    """One question on its way; nobody waits for it any more once the time is over, and it still closes its source."""

    def __init__(self, open_source: Callable[[], Source], question: Callable[[Source], Answer]) -> None:
        self.open_source, self.question = open_source, question
        self.opened = threading.Event()  # opened, or refused
        self.is_open = False
        self.answer: Future[Answer] = Future()

    def run(self) -> None:
        try:
            with self.open_source() as source:
                self.is_open = True
                self.opened.set()
                self.answer.set_result(self.question(source))
        except BaseException as error:  # handed to the thread that waits
            if not self.answer.done():
                self.answer.set_exception(error)
        finally:
            self.opened.set()
            _room.release()


def _alike(refusal: EngineError, started: float) -> ConnectionRefused:
    """The one refusal of whatever cannot be reached, after the one time it takes."""
    time.sleep(max(0.0, started + UNREACHABLE_SECONDS - time.monotonic()))
    return ConnectionRefused(
        "Nothing answered at this address.",
        advice="Check host and port, that the server runs, and that its firewall lets this installation in.",
        field=refusal.field or "host",
    )


def test_stored(organization_id: int, connection_id: int) -> Tested:
    """Test a stored connection and keep on it how that went; call outside every scope.

    Our own failure keeps the status the connection had.
    """
    now = datetime.now(UTC)
    try:
        with scope(organization_id):
            open_source = opener(Connection.objects.get(id=connection_id))
        tested = Tested("passed", now, ask(open_source, lambda source: source.check()))
    except (SourceRefused, BadInput) as refusal:
        tested = Tested("failed", now, error=refusal)
    except EngineError as trouble:  # the store of secrets is closed, or the test ran out of our time
        tested = Tested("unknown", now, error=trouble)
    note_test(organization_id, connection_id, tested)
    return tested


test_stored.__test__ = False  # type: ignore[attr-defined]


def note_test(organization_id: int, connection_id: int, tested: Tested) -> None:
    """Keep on a connection how a test of it went."""
    words = str(tested.error or "")
    if tested.status == "unknown":
        values = {"test_trouble": words, "test_trouble_at": tested.at}
    else:
        values = {
            "last_test_status": tested.status,
            "last_test_message": words,
            "last_test_at": tested.at,
            "test_trouble": "",
            "test_trouble_at": None,
        }
    with scope(organization_id):
        Connection.objects.filter(id=connection_id).update(**values)
