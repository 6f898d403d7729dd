"""What a stored value is, the warehouse type proposed for each kind, and values as plain ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from b2b_recs.engine.schema.types import Confidence, WarehouseType
from b2b_recs.engine.sources.document_values import Moment, Word
from b2b_recs.engine.sources.field_kinds import MIXED_NUMBERS, FieldKinds
from b2b_recs.engine.sources.proposing import TypeRule

_W = WarehouseType
_MEDIUM = Confidence.MEDIUM
NUMBERS = frozenset({"integer", "double"})
RULES: dict[str, TypeRule] = {
    "boolean": TypeRule(_W.BOOL, "True or false."),
    "integer": TypeRule(_W.INT64, "Whole numbers of 64 bits."),
    "double": TypeRule(_W.FLOAT64, "Binary fractions of 64 bits."),
    "timestamp": TypeRule(_W.TIMESTAMP, "Moments in time, to the microsecond."),
    "string": TypeRule(_W.STRING, "Text stays text.", family="text"),
    "bytes": TypeRule(_W.BYTES, "Bytes."),
    "reference": TypeRule(_W.STRING, "The path of another document.", _MEDIUM),
    "geopoint": TypeRule(_W.GEOGRAPHY, "A place as well-known text: longitude, then latitude."),
    "array": TypeRule(_W.JSON, "A list becomes a JSON array.", _MEDIUM),
    "map": TypeRule(_W.JSON, "A document inside the document becomes JSON.", _MEDIUM),
    "vector": TypeRule(_W.JSON, "A vector becomes a JSON array of its numbers.", _MEDIUM),
    "id": TypeRule(_W.STRING, "The document's id."),
}
FIELDS = FieldKinds(RULES, mixtures=((NUMBERS, MIXED_NUMBERS),), moment="timestamp", identity="id", one_identity=True)
_KINDS = {
    "boolean_value": "boolean", "integer_value": "integer", "double_value": "double", "timestamp_value": "timestamp",
    "string_value": "string", "bytes_value": "bytes", "reference_value": "reference", "geo_point_value": "geopoint",
    "array_value": "array", "map_value": "map", "null_value": "null",
}  # fmt: skip


def kind_of(value: Any) -> str:
    """The kind of a value as the service sends it (a protobuf Value)."""
    kind = _KINDS.get(value.WhichOneof("value_type") or "null_value", "null")
    return "vector" if kind == "map" and _is_vector(value.map_value.fields) else kind


def family(kinds: Iterable[str]) -> str:
    """By what a field's values are compared with one another: timestamp, number, string or id."""
    found = set(kinds)
    if "timestamp" in found:
        return "timestamp"
    if found & NUMBERS:
        return "number"
    return "id" if "id" in found else "string"


def plain(value: Any) -> Any:
    """A protobuf Value as a plain one."""
    kind = kind_of(value)
    if kind == "null":
        return None
    if kind == "timestamp":
        return Moment(value.timestamp_value.seconds * 1_000_000 + value.timestamp_value.nanos // 1000)
    if kind == "geopoint":
        point = value.geo_point_value
        return Word(f"POINT({point.longitude!r} {point.latitude!r})", "place")
    if kind == "reference":
        return Word(value.reference_value.partition("/documents/")[2], "reference")
    if kind == "array":
        return [plain(item) for item in value.array_value.values]
    if kind == "vector":
        return plain(value.map_value.fields["value"])
    if kind == "map":
        return {name: plain(item) for name, item in sorted(value.map_value.fields.items())}
    return getattr(value, value.WhichOneof("value_type"))


def _is_vector(fields: Any) -> bool:
    # Asked with "in" first, because looking up a missing field would make one.
    return "__type__" in fields and "value" in fields and fields["__type__"].string_value == "__vector__"
