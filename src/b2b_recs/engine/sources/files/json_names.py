"""Names that an object of JSON has twice: which of the values is meant nobody can tell, so its record is rejected."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import chain

from b2b_recs.engine.sources.files.json_values import Record, Values

# How the escape of a colon begins.
_COLON = b"\\u003"


def surely_once(written: Sequence[bytes], records: Sequence[Record], asked: Iterable[Values]) -> bool:
    """Whether no record has a name twice, told by counting. False where counting cannot tell, too.

    Each pair of an object has a colon. The other colons are in the values, of which a name that is there twice has
    lost one, and in the names, where they may also be written as an escape.
    """
    whole = b"".join(written)
    pairs, asked = sum(map(len, records)), tuple(asked)
    if sum(values.present for values in asked) == pairs:
        kept = sum(values.joined.count(b":") for values in asked)
    else:
        kept = b"".join(chain.from_iterable(map(dict.values, records))).count(b":")
    left = whole.count(b":") - pairs - kept
    escaped = _COLON in whole
    if not left and not escaped:
        return True
    named = "".join(chain.from_iterable(records)).count(":")
    return left == named and not (named and escaped)


def refuse_repeated(written: bytes) -> None:
    """Raises ValueError in words for an object of valid JSON with a name twice; what is nested stays as it is."""
    names: list[str] = []

    def meet(pairs: list[tuple[str, object]]) -> None:
        # Objects end from within: the last that is met is the whole one.
        names[:] = [name for name, _ in pairs]

    try:
        # Numbers are not worked out: a number of thousands of digits is none of this question's business.
        json.loads(written.decode("utf-8", "replace"), object_pairs_hook=meet, parse_int=str, parse_float=str)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    if len(set(names)) < len(names):
        name = next(name for at, name in enumerate(names) if name in names[:at])
        raise ValueError(f"has the name “{name[:100]}” more than once")
