"""What a value must be and what to give instead, in the product's words, from the validation library's error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from b2b_recs.engine.counting import counted

# By the kind of error: what is wrong, and what to do.
_NUMBER = ("must be a number", "Give a number, such as 0.05.")
_WHOLE = ("must be a whole number", "Give a whole number.")
_TEXT = ("must be text", "Give a text.")
_CHOICE = ("must be true or false", "Give true or false.")
_LIST = ("must be a list", "Give a list.")
_NAMED = ("must be a set of names and values", "Give names with their values.")
_SPAN = ("must be a length of time", "Give one such as PT2H for two hours, or P1D for a day.")
_DATE = ("must be a date", "Give one such as 2024-01-31.")
_MOMENT = ("must be a date and time", "Give one such as 2024-01-31T06:00:00Z.")
_TIME = ("must be a time of day", "Give one such as 06:30.")
_ONE_OF = ("must be {expected}", "Give {expected}.")
KINDS: dict[str, tuple[str, str]] = {
    "string_too_short": ("must not be empty", "Give at least {min_characters}."),
    "string_too_long": ("must have at most {max_characters}", "Shorten it."),
    "string_pattern_mismatch": ("has a form that is not taken here", "Use letters, digits and _ only."),
    "too_short": ("must have at least {min_items}", "Give more."),
    "too_long": ("must have at most {max_items}", "Give fewer."),
    "greater_than_equal": ("must be {ge} or more", "Give {ge} or more."),
    "greater_than": ("must be more than {gt}", "Give more than {gt}."),
    "less_than_equal": ("must be {le} or less", "Give {le} or less."),
    "less_than": ("must be less than {lt}", "Give less than {lt}."),
    "literal_error": _ONE_OF,
    "enum": _ONE_OF,
    "union_tag_invalid": ("must be one of {expected_tags}", "Choose one of {expected_tags}."),
    "union_tag_not_found": ("does not say which kind it is", "Name it in {discriminator}."),
    "finite_number": _NUMBER,
    "timezone_aware": ("must say its time zone", "Give one such as 2024-01-31T06:00:00Z."),
    "none_required": ("must be left out", "Leave it out."),
}
_BEGINNINGS = {
    "int_": _WHOLE,
    "float_": _NUMBER,
    "decimal_": _NUMBER,
    "string_": _TEXT,
    "bool_": _CHOICE,
    "tuple_": _LIST,
    "list_": _LIST,
    "set_": _LIST,
    "dict_": _NAMED,
    "model_": _NAMED,
    "dataclass_": _NAMED,
    "time_delta_": _SPAN,
    "datetime_": _MOMENT,
    "date_": _DATE,
    "time_": _TIME,
}


def words_for(error: Mapping[str, Any]) -> tuple[str, str]:
    """What a value must be (``must be a whole number``) and what to do, which is empty for the words of our own checks.

    The library's own words are never used, and the value is never repeated: it may be a secret.
    """
    kind = str(error["type"])
    if kind in ("value_error", "assertion_error"):
        reason = str(error["msg"]).split(" error, ", 1)[-1].rstrip(".")
        return reason[:1].lower() + reason[1:], ""
    found = KINDS.get(kind) or next((words for start, words in _BEGINNINGS.items() if kind.startswith(start)), None)
    if found is None:
        return "cannot be used", ""
    context = {name: str(value).replace("'", "") for name, value in error.get("ctx", {}).items()}
    for end in ("min", "max"):
        if f"{end}_length" in context:
            bound = int(context[f"{end}_length"])
            context |= {f"{end}_characters": counted(bound, "character"), f"{end}_items": counted(bound, "item")}
    return found[0].format(**context), found[1].format(**context)
