"""The rule and the name of an Arrow type."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.types as pt

from b2b_recs.engine.sources.arrow_rules import ARROW_RULES
from b2b_recs.engine.sources.decimals import decimal_rule
from b2b_recs.engine.sources.rules import TypeRule

_LONGEST_NAME = 120


def arrow_rule(data_type: pa.DataType) -> TypeRule:
    """The rule of an Arrow type; decimals carry the digits of theirs."""
    data_type = _inner(data_type)
    if pt.is_decimal(data_type):
        return decimal_rule(ARROW_RULES["decimal"], data_type.precision, data_type.scale)
    return ARROW_RULES[_rule_name(data_type)]


def arrow_name(data_type: pa.DataType) -> str:
    """A short name of an Arrow type, as a column's source type."""
    data_type = _inner(data_type)
    if isinstance(data_type, pa.BaseExtensionType):
        return str(data_type.extension_name).removeprefix("arrow.")
    name = str(data_type)
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _inner(data_type: pa.DataType) -> pa.DataType:
    """The type of the values, whatever way they are packed."""
    if pt.is_dictionary(data_type) or pt.is_run_end_encoded(data_type):
        return _inner(data_type.value_type)
    return data_type


def _rule_name(data_type: pa.DataType) -> str:
    if isinstance(data_type, pa.BaseExtensionType):
        name = str(data_type.extension_name).removeprefix("arrow.")
        return name if name in ARROW_RULES else _rule_name(data_type.storage_type)
    if pt.is_timestamp(data_type):
        return "timestamp" + ("[ns]" if data_type.unit == "ns" else "") + (" with zone" if data_type.tz else "")
    return next((name for is_one, name in _NAMES if is_one(data_type)), _plain_name(data_type))


def _plain_name(data_type: pa.DataType) -> str:
    name = str(data_type).partition("[")[0]
    return name if name in ARROW_RULES else "any other type"


_NAMES: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pt.is_string, "string"),
    (pt.is_large_string, "string"),
    (pt.is_string_view, "string"),
    (pt.is_binary, "binary"),
    (pt.is_large_binary, "binary"),
    (pt.is_binary_view, "binary"),
    (pt.is_fixed_size_binary, "fixed_size_binary"),
    (pt.is_list, "list"),
    (pt.is_large_list, "list"),
    (pt.is_fixed_size_list, "list"),
    (pt.is_list_view, "list"),
    (pt.is_large_list_view, "list"),
    (pt.is_struct, "struct"),
    (pt.is_map, "map"),
    (pt.is_union, "union"),
    (pt.is_interval, "month_day_nano_interval"),
)
