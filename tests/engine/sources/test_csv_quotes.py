"""A quote that is not closed, or closed in the middle of a value, costs its own line and no other."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from engine.sources.test_files_formats import csv_rows

from b2b_recs.engine.errors import SourceRefused
from b2b_recs.engine.sources.files import csv_quotes
from b2b_recs.engine.sources.files.csv_quotes import WithoutQuoteFaults
from b2b_recs.engine.sources.files.limits import Limits

NOT_CLOSED, MORE = "a quote is not closed", "a closing quote is followed by more text"


@pytest.mark.parametrize(
    ("content", "ids", "faults"),
    [
        (b'id,b\n1,a\n2,"open\n3,c\n4,d\n', "134", [f"Line 3: {NOT_CLOSED}."]),
        (b'id,b\n1,a\n2,"inch\n3,c\n4,"d"\n5,e\n', "1345", [f"Line 3: {MORE}."]),
        (b'id,b\n1,"x"y"\n2,z\n', "2", [f"Line 2: {MORE}."]),
        (b'id,b\r\n1,"a\r\n""b"\r\n2,"\r\n3,c', "13", [f"Line 4: {NOT_CLOSED}."]),
        (b'id,b\r1,"a\r2,b\r', "2", [f"Line 2: {NOT_CLOSED}."]),
        (b'id,b\n1,5" pipe\n2,5"\n3,"a ""b"""\n4,"x" \n', "123", [f"Line 5: {MORE}."]),
        (b'id,b\n1,a\n2,"', "1", [f"Line 3: {NOT_CLOSED}."]),
        ('id,b\n1,"é\n2,ü\n'.encode("utf-16"), "2", [f"Line 2: {NOT_CLOSED}."]),
    ],
    ids=ascii,
)  # fmt: skip
def test_a_line_with_a_faulty_quote_is_rejected_and_the_others_are_kept(
    tmp_path: Path, content: bytes, ids: str, faults: list[str]
) -> None:
    rows, rejected = csv_rows(tmp_path, content)
    assert "".join(row["id"] for row in rows) == ids
    assert rejected == [("_line", reason) for reason in faults]


def test_a_file_of_nothing_but_such_lines_has_no_rows(tmp_path: Path) -> None:
    rows, rejected = csv_rows(tmp_path, b'1,"a"b\n2,"c"d\n', header="no")
    assert rows == []
    assert [reason for _, reason in rejected] == [f"Line 1: {MORE}.", f"Line 2: {MORE}."]


def test_names_in_such_a_line_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match=rf"The names in the file a.csv cannot be told. Line 1: {NOT_CLOSED}."):
        csv_rows(tmp_path, b'id,"b\n1,a\n2,c\n', header="yes")


def passed(content: bytes) -> tuple[bytes, list[tuple[bytes, str]]]:
    check = WithoutQuoteFaults(io.BytesIO(content), ",", '"')
    return io.BufferedReader(check).read(), [(fault.text, fault.reason) for fault in check.faults]


def test_it_does_not_matter_where_pieces_of_the_text_end(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(5)
    for _ in range(200):
        signs = chance.choice((b'aa,\n""', b'a,\n\r"'))
        content = bytes(chance.choice(signs) for _ in range(chance.randint(0, 24)))
        monkeypatch.setattr(csv_quotes, "_PIECE", 1000)
        whole = passed(content)
        assert whole[1] or whole[0] == content
        # What goes on has no fault in it any more.
        assert passed(whole[0]) == (whole[0], [])
        monkeypatch.setattr(csv_quotes, "_PIECE", chance.choice((1, 2, 3, 7)))
        assert passed(content) == whole, content


def test_a_quote_is_looked_for_only_as_far_as_a_record_may_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_quotes, "_PIECE", 64)
    monkeypatch.setattr(csv_quotes, "LIMITS", Limits(row_bytes=1000))
    held: list[int] = []
    content = b'1,"open\n' + b"2,x\n" * 2000 + b'3,"y"\n'

    class Text(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            held.append(size or 0)
            return super().read(size)

    check = WithoutQuoteFaults(Text(content), ",", '"')
    assert io.BufferedReader(check).read() == content[8:]
    assert [fault.reason for fault in check.faults] == [f"Line 1: {NOT_CLOSED}."]
    assert max(held) <= 2000
