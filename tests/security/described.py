"""A slow and obvious check of a value against the few words of JSON Schema our OpenAPI documents use."""

from __future__ import annotations

import re
from typing import Any

KNOWN = {
    "$ref", "title", "description", "default", "type", "properties", "required", "additionalProperties", "anyOf",
    "items", "minItems", "maxItems", "minLength", "maxLength", "pattern", "minimum", "maximum", "propertyNames",
    "maxProperties", "format",
}  # fmt: skip
TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "number": (int, float),
    "integer": int,
}  # fmt: skip


def fits(value: Any, schema: dict[str, Any], components: dict[str, Any]) -> bool:
    """Whether the value is what the schema describes. Fails for a word of JSON Schema it does not know."""
    if "$ref" in schema:
        return fits(value, components[schema["$ref"].removeprefix("#/components/schemas/")], components)
    assert not schema.keys() - KNOWN, schema
    if "anyOf" in schema:
        return any(fits(value, one, components) for one in schema["anyOf"])
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind in ("integer", "number"))):
        return False
    if isinstance(value, str):
        return _text_fits(value, schema)
    if isinstance(value, list):
        return schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)) and all(
            fits(one, schema.get("items", {}), components) for one in value
        )
    if isinstance(value, dict):
        return _object_fits(value, schema, components)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return schema.get("minimum", value) <= value <= schema.get("maximum", value)
    return True


def _text_fits(value: str, schema: dict[str, Any]) -> bool:
    within = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    return within and ("pattern" not in schema or re.search(schema["pattern"], value) is not None)


def _object_fits(value: dict[str, Any], schema: dict[str, Any], components: dict[str, Any]) -> bool:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    if set(schema.get("required", ())) - value.keys() or len(value) > schema.get("maxProperties", len(value)):
        return False
    if not all(_text_fits(name, schema.get("propertyNames", {})) for name in value):
        return False
    for name, one in value.items():
        if name in properties:
            if not fits(one, properties[name], components):
                return False
        elif others is False or (isinstance(others, dict) and not fits(one, others, components)):
            return False
    return True
