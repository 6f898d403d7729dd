"""JSON text of any value: numbers with every digit, lists and records field by field."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from b2b_recs.engine.schema.json_check import is_json
from b2b_recs.engine.sources.casting.families import Family, unpacked
from b2b_recs.engine.sources.casting.printing import printed
from b2b_recs.engine.sources.casting.ways import Refused, Unsure, Way, follow

_BARE = (Family.INTEGER, Family.DECIMAL, Family.BOOL, Family.JSON)
_NEEDS_ESCAPE = r'["\\\x00-\x1f]'


def to_json() -> Way:
    """Values of any family but text as JSON; ``one`` takes an array of one value."""

    def one(row: pa.Array) -> str | None:
        try:
            return whole(row)[0].as_py()  # type: ignore[no-any-return]
        except (pa.ArrowInvalid, Unsure):
            raise Refused("holds text that is not UTF-8, or no JSON") from None

    def whole(values: pa.Array) -> pa.Array:
        text = json_text(values)
        if not all(value is None or is_json(value) for value in text.to_pylist()):
            raise Unsure
        return text

    return Way(whole, one, lambda values: [values.slice(at, 1) for at in range(len(values))])


def json_text(values: pa.Array) -> pa.Array:
    """JSON text of each value, NULL for NULL. Raises ArrowInvalid where text is not UTF-8."""
    family, plain = unpacked(values)
    if family is Family.STRUCTURE:
        return _structure(plain)
    if family is Family.BYTES:
        coded = [None if value is None else f'"{base64.b64encode(value).decode()}"' for value in plain.to_pylist()]
        return pa.array(coded, pa.string())
    text = text_of(family, plain)
    if family in _BARE:
        return text
    if family is Family.FLOAT:
        return pc.if_else(pc.is_finite(plain), text, _quoted(text))
    return _quoted(text)


def text_of(family: Family, plain: pa.Array) -> pa.Array:
    """Text of values that are no lists or records. Raises ArrowInvalid where it is not UTF-8."""
    text, refused = follow(printed(family, plain.type), plain, pa.string())
    if refused:
        raise pa.ArrowInvalid("not UTF-8")
    return text


def _quoted(text: pa.Array) -> pa.Array:
    if pc.any(pc.match_substring_regex(text, _NEEDS_ESCAPE)).as_py():
        escaped = [None if value is None else json.dumps(value, ensure_ascii=False) for value in text.to_pylist()]
        return pa.array(escaped, pa.string())
    return pc.binary_join_element_wise('"', text, '"', "")


def _structure(values: pa.Array) -> pa.Array:
    if pt.is_struct(values.type):
        return _record(values)
    if pt.is_map(values.type):
        return _list(values, _pairs, "{", "}")
    if pt.is_union(values.type):
        return _union(values)
    return _list(values, _items, "[", "]")


def _record(values: pa.StructArray) -> pa.Array:
    if values.type.num_fields == 0:
        return pc.if_else(values.is_valid(), "{}", None)
    parts: list[Any] = []
    for at, part in enumerate(values.flatten()):
        name = json.dumps(values.type.field(at).name, ensure_ascii=False)
        parts += [f"{',' if at else '{'}{name}:", _items(part)]
    return pc.if_else(values.is_valid(), pc.binary_join_element_wise(*parts, "}", ""), None)


def _items(values: pa.Array) -> pa.Array:
    return pc.fill_null(json_text(values), "null")


def _pairs(entries: pa.StructArray) -> pa.Array:
    keys, items = entries.flatten()
    family, plain = unpacked(keys)
    names = json_text(keys) if family in (Family.STRUCTURE, Family.BYTES) else text_of(family, plain)
    quoted = names if family is Family.BYTES else _quoted(names)
    return pc.binary_join_element_wise(quoted, ":", _items(items), "")


def _list(values: pa.Array, texts: Callable[[pa.Array], pa.Array], before: str, after: str) -> pa.Array:
    """Lists of any kind, of items that ``texts`` prints."""
    if pt.is_map(values.type):
        values = values.cast(pa.list_(pa.struct([values.type.key_field, values.type.item_field])))
    if pt.is_list_view(values.type) or pt.is_large_list_view(values.type):
        lengths, items = _viewed(values, texts)
    else:
        lengths = pc.cast(pc.fill_null(pc.list_value_length(values), 0), pa.int32())
        items = texts(values.flatten())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, items), ",")
    return pc.if_else(values.is_valid(), pc.binary_join_element_wise(before, joined, after, ""), None)


def _viewed(values: pa.Array, texts: Callable[[pa.Array], pa.Array]) -> tuple[pa.Array, pa.Array]:
    """The length of each list and the items of all, for lists that lie anywhere in their items.

    Arrow's own cast of such lists takes wrong items where the array is part of another.
    """
    present = values.is_valid().to_numpy(zero_copy_only=False)
    lengths = np.where(present, values.sizes.to_numpy(), 0).astype(np.int64)
    starts = values.offsets.to_numpy().astype(np.int64)
    filled = lengths > 0
    first = int(starts[filled].min()) if filled.any() else 0
    last = int((starts + lengths)[filled].max()) if filled.any() else 0
    before = np.cumsum(lengths) - lengths
    places = np.arange(lengths.sum()) - np.repeat(before, lengths) + np.repeat(starts - first, lengths)
    items = texts(values.values.slice(first, last - first))
    return pa.array(lengths, pa.int32()), items.take(pa.array(places, pa.int64()))


def _union(values: pa.UnionArray) -> pa.Array:
    """Values of several types, each as the JSON of its own."""
    if values.offset:
        # The codes and offsets of a slice are those of the whole array.
        values = values.take(pa.array(range(len(values)), pa.int64()))
    fields = range(values.type.num_fields)
    children = {values.type.type_codes[at]: json_text(values.field(at)).to_pylist() for at in fields}
    dense = values.type.mode == "dense"
    places = values.offsets.to_pylist() if dense else range(len(values))
    codes = values.type_codes.to_pylist()
    return pa.array([children[code][place] for code, place in zip(codes, places, strict=True)], pa.string())
