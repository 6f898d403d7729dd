"""A file read by ranges is the file, and never more of it is held than the range in hand and the one on its way."""

from __future__ import annotations

import io
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b_recs.engine.sources.files import range_file

CONTENT = bytes(at * 7 % 251 for at in range(200_000))


class Piece(bytes):
    """Bytes of one range that count how many of them are held at once."""

    held: ClassVar[int] = 0
    most: ClassVar[int] = 0

    def counted(self) -> Piece:
        Piece.held += len(self)
        Piece.most = max(Piece.most, Piece.held)
        return self

    def __del__(self) -> None:
        Piece.held -= len(self)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(range_file, "FIRST_BYTES", 1_000)
    monkeypatch.setattr(range_file, "MOST_BYTES", 8_000)
    monkeypatch.setattr(range_file, "_BUFFER", 500)


@pytest.mark.usefixtures("narrow")
def test_a_file_read_to_its_end_holds_two_ranges_at_most() -> None:
    Piece.held = Piece.most = 0
    with range_file.range_file(len(CONTENT), lambda start, stop: Piece(CONTENT[start:stop]).counted()) as file:
        read = b"".join(iter(lambda: file.read(700), b""))
    assert read == CONTENT
    # the range in hand, the one on its way, and for a moment the one that is let go
    assert 8_000 <= Piece.most <= 3 * 8_000


@given(st.lists(st.tuples(st.integers(0, len(CONTENT)), st.integers(0, 30_000)), max_size=12))
def test_any_jumps_read_what_stands_there(jumps: list[tuple[int, int]]) -> None:
    plain = io.BytesIO(CONTENT)
    with range_file.range_file(len(CONTENT), lambda start, stop: CONTENT[start:stop]) as file:
        for place, size in jumps:
            file.seek(place)
            plain.seek(place)
            assert file.read(size) == plain.read(size)
