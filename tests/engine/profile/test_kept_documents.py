"""Documents about tables are made once, in the background, and kept beside the version they are about."""

from __future__ import annotations

import threading
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import BaseModel

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.profile import kept
from b2b_recs.engine.profile.kept import Answer, Place, Workshop
from b2b_recs.engine.warehouse.local import LocalWarehouse


class Found(BaseModel):
    """An example of a document."""

    number: int


@pytest.fixture
def place(tmp_path: Path) -> Place[Found]:
    table = LocalWarehouse(tmp_path).table("raw_data", "bq_orders")
    table.append(pa.table({"id": [1]}))
    return Place(table, "statistics-0", Found)


def test_a_document_is_made_once_and_read_by_everybody_after(place: Place[Found]) -> None:
    begun, go_on, made = threading.Event(), threading.Event(), []

    def make() -> Found:
        begun.set()
        assert go_on.wait(5)
        made.append(1)
        return Found(number=7)

    workshop = Workshop()
    assert not workshop.ask(place, make).ready
    assert begun.wait(5)
    assert not workshop.ask(place, make).ready
    assert not Workshop().ask(place, make, wait=0.05).ready  # another process finds it under way
    go_on.set()
    assert workshop.ask(place, make, wait=5) == Answer(Found(number=7))
    assert Workshop().ask(place, lambda: Found(number=8)) == Answer(Found(number=7))
    assert made == [1]


def test_only_a_few_wait_their_turn_and_the_others_are_begun_when_asked_for_again(
    place: Place[Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_WAITING", 2)
    go_on, workshop = threading.Event(), Workshop()
    places = [Place(place.table, f"statistics-{number}", Found) for number in range(4)]

    def make() -> Found:
        assert go_on.wait(5)
        return Found(number=1)

    threads = threading.active_count()
    assert not any(workshop.ask(one, make).ready for one in places)
    assert threading.active_count() == threads + 2
    go_on.set()
    assert all(workshop.ask(one, make, wait=5).ready for one in places)


def test_a_refusal_is_told_and_tried_again_later(place: Place[Found], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Found:
        raise BadInput("No.")

    def break_down() -> Found:
        raise RuntimeError("a password")

    workshop = Workshop()
    answer = workshop.ask(place, refuse, wait=5)
    assert answer.refusal is not None and answer.refusal.message == "No."
    assert workshop.ask(place, lambda: Found(number=1), wait=0.1) == answer
    answer = Workshop().ask(place, break_down, wait=5)
    assert answer.refusal is not None and "password" not in str(answer.refusal)
    monkeypatch.setattr(kept, "_REFUSED_SECONDS", 0)
    assert workshop.ask(place, lambda: Found(number=1), wait=5).document == Found(number=1)


def test_a_folder_that_cannot_be_written_keeps_nothing_and_answers_all_the_same(
    place: Place[Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, *arguments: object, **more: object) -> int:
        raise OSError("read-only")

    monkeypatch.setattr(Path, "mkdir", full)
    assert Workshop().ask(place, lambda: Found(number=3), wait=5).document == Found(number=3)
    assert not place.path.exists()


def test_a_document_of_another_form_is_made_anew_and_old_ones_go(
    place: Place[Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    place.path.parent.mkdir()
    place.path.write_text('{"other": 1}')
    assert Workshop().ask(place, lambda: Found(number=2), wait=5).document == Found(number=2)
    monkeypatch.setattr(kept, "MOST", 2)
    for number in range(4):
        Place(place.table, f"statistics-{number + 1}", Found).write(Found(number=number))
    assert len(list(place.path.parent.glob("*.json"))) == 2
    with pytest.raises(ValueError, match="cannot name"):
        Place(place.table, "../x", Found).read()
