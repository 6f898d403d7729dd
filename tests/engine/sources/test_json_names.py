"""An object of a JSON file with a name twice is rejected, and no other is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from engine.sources.test_files_formats import read
from engine.sources.test_files_tables import opened, request_of
from hypothesis import given
from hypothesis import strategies as st

from b2b_recs.engine.sources.files.json_names import refuse_repeated, surely_once
from b2b_recs.engine.sources.files.json_values import Values, record_of

TWICE = [
    '{"a": 1, "b": "x", "a": 2}', '{"a":1,"a":1}', '{"a":null,"b":"::","a":"10:30"}', '{"a":1,"\\u0061":2}',
    '{"a":1,"a":2,"\\u003a":3}', '{"a":1,"a":2,"x:y":3,"q":"\\u003A"}', '{"b":{"c":1,"c":2},"a":1,"a":2,"n":'
    + "9" * 5000 + "}",
]  # fmt: skip
ONCE = [
    '{"a": 1, "b": "\\"a\\": 2"}', '{"a":1,"x:y":"10:30"}', '{"a":1,"b":{"a":1,"c":{"a":2}}}', '{"a":1,"A":2}',
    '{"a":1,"x\\u003ay":":"}', '{"a":1,"b":[{"c":1,"c":2}]}', '{"a":1,"":2}',
]  # fmt: skip


@pytest.mark.parametrize("write", [bytes, gzip.compress])
@pytest.mark.parametrize("layout", ["lines", "array"])
def test_an_object_with_a_name_twice_is_rejected_and_those_around_it_are_read(
    tmp_path: Path, layout: str, write: Callable[[bytes], bytes]
) -> None:
    written = [record for pair in zip(ONCE, TWICE, strict=True) for record in pair]
    text = "\n".join(written) if layout == "lines" else f"[{','.join(written)}]"
    (tmp_path / "a.json").write_bytes(write(text.encode()))
    with opened(tmp_path, "json") as source:
        request = request_of(source, "json", "a.json")
        rows, rejected = read(source, request)
    assert [row["a"] for row in rows] == ["1"] * len(ONCE)
    # What is nested stays text, as it is written.
    assert rows[5]["b"] == '[{"c":1,"c":2}]'
    assert [reason for _, reason in rejected] == ["The record has the name “a” more than once."] * len(TWICE)


NAMES = st.text('ab:"\\é', max_size=3)
PAIRS = st.lists(
    st.tuples(NAMES, st.sampled_from(["1", '"::"', '"\\u003a"', '{"a":1,"a":{"b":2}}', "null"])), max_size=4
)


@given(objects=st.lists(st.tuples(PAIRS, st.booleans()), max_size=4), asked=st.sets(NAMES))
def test_counting_never_takes_a_name_twice_for_one(
    objects: list[tuple[list[tuple[str, str]], bool]], asked: set[str]
) -> None:
    written, twice = [], []
    for pairs, escaped in objects:
        names = [json.dumps(name).replace(":", "\\u003A" if escaped else ":") for name, _ in pairs]
        written.append(
            f"{{{', '.join(f'{name}: {value}' for name, (_, value) in zip(names, pairs, strict=True))}}}".encode()
        )
        twice.append(len({name for name, _ in pairs}) < len(pairs))
    records = [record_of(one) for one in written]
    sure = surely_once(written, records, [Values(records, name) for name in asked])
    assert not (sure and any(twice))
    # Only names that hide a colon leave counting in doubt.
    assert sure or any(twice) or any(":" in name for record in records for name in record)
    for one, repeated in zip(written, twice, strict=True):
        if repeated:
            with pytest.raises(ValueError, match="more than once"):
                refuse_repeated(one)
        else:
            refuse_repeated(one)
