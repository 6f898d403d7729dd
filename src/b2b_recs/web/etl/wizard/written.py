"""How text writes dates or numbers, as pages show it: by an example such as 31/12/2024, not by its code."""

from __future__ import annotations

from datetime import datetime

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.formats import FORMATS
from b2b_recs.engine.schema.number_formats import NUMBER_FORMATS

_EXAMPLE = datetime(2024, 12, 31, 14, 5, 9, 250_000)  # noqa: DTZ001 - what text writes has no zone
_CODES = {
    **{_EXAMPLE.strftime(code): code for code, one in FORMATS.items() if not one.has_time},
    **{name: name for name in NUMBER_FORMATS},
    **{_EXAMPLE.strftime(code): code for code, one in FORMATS.items() if one.has_time},
}
_EXAMPLES = {code: example for example, code in _CODES.items()}
# What a page offers: examples, each with the names of its parts.
OFFERED = tuple((example, FORMATS[code].shown if code in FORMATS else "a number") for example, code in _CODES.items())


def example_of(code: str) -> str:
    """The example a page shows for a format; what is none stays as it was typed."""
    return _EXAMPLES.get(code, code)


def code_of(typed: str) -> str:
    """The format of an example that was typed or chosen; anything else, a code among it, as it is."""
    return _CODES.get(typed.strip(), typed.strip())


def refuse_unknown(code: str, column: str) -> None:
    """Raise BadInput for a column whose text is said to be written in a way nothing here can read."""
    if code and code not in _EXAMPLES:
        raise BadInput(
            f"“{code[:40]}” is no way to write dates or numbers that can be read, for “{column[:100]}”.",
            field="types",
            advice="Choose one of the list, such as 31/12/2024 or 1.234,56, or leave it empty.",
            column=column,
        )
