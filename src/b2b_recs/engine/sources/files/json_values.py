"""Values of JSON as they are written: every digit stays, whatever a number would become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Record = dict[str, msgspec.Raw]

_DECODER = msgspec.json.Decoder(Record)
_STRING = msgspec.json.Decoder(str)
_QUOTE, _NULL, _OBJECT, _LIST = ord('"'), ord("n"), ord("{"), ord("[")
_WORDS = {ord("t"), ord("f")}
_NOTHING = pa.array([b"", b"n"], pa.binary())
_INT64 = 2**63
NESTED = pa.struct([])
_NUMERIC, _BIGNUMERIC = pa.decimal128(38, 9), pa.decimal256(76, 38)


def record_of(written: bytes) -> Record:
    """The values of one object, each as it is written. Raises ValueError in words."""
    try:
        return _DECODER.decode(written)
    except msgspec.ValidationError:
        raise ValueError("is not a JSON object") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ValueError("is not valid JSON") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None


class Values:
    """The values of one name in some records: how many have it, and all as they are written, joined."""

    def __init__(self, records: Sequence[Record], name: str) -> None:
        # What is written is never empty, so nothing says that there is none.
        self._found: list[msgspec.Raw | bytes] = [record.get(name, b"") for record in records]
        self._lengths = np.fromiter(map(len, self._found), np.int32, len(self._found))
        self.present = int(np.count_nonzero(self._lengths))
        self.joined = b"".join(self._found)

    def array(self) -> pa.Array:
        """Each value as it is written, empty where there is none."""
        ends = np.zeros(len(self._lengths) + 1, np.int32)
        np.cumsum(self._lengths, out=ends[1:])
        buffers = [None, pa.py_buffer(ends), pa.py_buffer(self.joined)]
        return pa.Array.from_buffers(pa.binary(), len(self._lengths), buffers)

    def one_by_one(self) -> pa.Array:
        """``text_of`` each value. Raises ValueError when one of them is no text."""
        return pa.array([text_of(bytes(value), as_json=False) for value in self._found], pa.string())


def texts(values: Values, *, as_json: bool) -> pa.Array:
    """``text_of`` the values of one name, all at once. Raises ValueError when any of them is no text."""
    written = values.array()
    first = pc.binary_slice(written, 0, 1)
    written = pc.if_else(pc.is_in(first, _NOTHING), pa.scalar(None, pa.binary()), written)
    if not as_json:
        quoted = pc.equal(first, b'"')
        if pc.any(pc.and_(quoted, pc.match_substring(written, b"\\"))).as_py():
            return values.one_by_one()
        written = pc.if_else(quoted, pc.binary_slice(written, 1, -1), written)
    # Raises ArrowInvalid, a ValueError, for bytes that are not UTF-8.
    return pc.cast(written, pa.string())


def text_of(written: bytes, *, as_json: bool) -> str | None:
    """The text of a value: of a string what it says, of everything else what is written; None for null and nothing.

    With ``as_json`` a string stays as it is written, too. Raises ValueError for what is no text.
    """
    if not written:
        return None
    first = written[0]
    if first == _NULL:
        return None
    if first != _QUOTE or as_json:
        return written.decode()
    if b"\\" in written:
        try:
            return _STRING.decode(written)
        except msgspec.DecodeError:
            raise ValueError("is not valid text") from None
    return written[1:-1].decode()


class Kinds:
    """What the values of each name have been so far."""

    def __init__(self) -> None:
        self._seen: dict[str, _Kind] = {}

    def look(self, record: Mapping[str, msgspec.Raw]) -> None:
        """Take one record into account."""
        for name, value in record.items():
            self._seen.setdefault(name, _Kind()).look(bytes(value))

    def names(self, names: Iterable[str]) -> None:
        """Take only the names of a record into account."""
        for name in names:
            if name not in self._seen:
                self._seen[name] = _Kind()

    def schema(self) -> pa.Schema:
        """The type that holds what was seen of each name, in the order of first appearance."""
        return pa.schema([pa.field(name, kind.type()) for name, kind in self._seen.items()])


class _Kind:
    """What the values of one name have been so far."""

    __slots__ = ("exponent", "fraction", "long", "nested", "number", "text", "truth", "whole")

    def __init__(self) -> None:
        self.text = self.truth = self.nested = self.number = self.exponent = self.long = False
        self.whole = self.fraction = 0

    def look(self, written: bytes) -> None:
        first = written[0]
        if first == _QUOTE:
            self.text = True
        elif first in (_OBJECT, _LIST):
            self.nested = True
        elif first in _WORDS:
            self.truth = True
        elif first != _NULL:
            self._look_at_number(written)

    def _look_at_number(self, written: bytes) -> None:
        self.number = True
        if b"e" in written or b"E" in written:
            self.exponent = True
            return
        whole, _, fraction = written.lstrip(b"-").partition(b".")
        self.whole = max(self.whole, len(whole))
        if fraction:
            self.fraction = max(self.fraction, len(fraction))
            self.long = self.long or (len(fraction) > _NUMERIC.scale and not _is_double(written))
        elif len(whole) > 19 or (len(whole) == 19 and not -_INT64 <= int(written) < _INT64):
            self.long = True

    def type(self) -> pa.DataType:
        """The Arrow type that says what the values are."""
        if self.nested:
            return NESTED
        kinds = self.text + self.truth + self.number
        if kinds == 0:
            return pa.null()
        if kinds > 1 or self.text:
            return pa.string()
        return pa.bool_() if self.truth else self._number()

    def _number(self) -> pa.DataType:
        if self.exponent:
            return pa.float64()
        if not self.fraction and not self.long:
            return pa.int64()
        if self.fraction > _NUMERIC.scale and not self.long:
            return pa.float64()
        if self.whole <= _NUMERIC.precision - _NUMERIC.scale and self.fraction <= _NUMERIC.scale:
            return _NUMERIC
        fits = self.whole <= _BIGNUMERIC.precision - _BIGNUMERIC.scale and self.fraction <= _BIGNUMERIC.scale
        return _BIGNUMERIC if fits else pa.string()


def _is_double(written: bytes) -> bool:
    """Whether a number is the shortest way of writing a binary fraction, so that one holds it exactly."""
    try:
        text = written.decode()
        return Decimal(repr(float(text))) == Decimal(text)
    except (ValueError, InvalidOperation):
        return False
