"""What an error could show to a page, a log or whoever follows its causes, and which secrets are in it."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

# Long enough to be nothing but a piece of a key; names and addresses have dots, dashes or underscores in between.
_PIECE = re.compile(r"[A-Za-z0-9+/=]{20,}")
_SHORTEST = 6


def leaks(error: BaseException, given: Mapping[str, Any], secret_fields: tuple[str, ...]) -> list[str]:
    """The secrets among the given parameters, or pieces of them, that the error or anything behind it shows."""
    shown = "\n".join(_shown(error))
    return sorted({secret for secret in _secrets(given, secret_fields) if secret in shown})


def _secrets(given: Mapping[str, Any], secret_fields: tuple[str, ...]) -> Iterator[str]:
    yield "canary"
    for name in secret_fields:
        text = str(given.get(name) or "")
        if "\n" not in text and not text.startswith("{") and len(text) >= _SHORTEST:
            yield text
        yield from _PIECE.findall(text)


def _shown(error: BaseException) -> Iterator[str]:
    """Every text of the error and of all that led to it, those behind ``from None`` included."""
    yield "".join(traceback.format_exception(error))
    yield repr(vars(error))
    behind: list[BaseException] = [error]
    known: set[int] = set()
    while behind:
        at = behind.pop()
        if id(at) in known:
            continue
        known.add(id(at))
        yield from (str(at), repr(at), repr(getattr(at, "__notes__", [])))
        behind += [led for led in (at.__cause__, at.__context__) if led is not None]
