"""Documents in the database's JSON columns: reading what was saved, and writing what PostgreSQL can keep."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from b2b_recs.engine.errors import BadInput

Parsed = TypeVar("Parsed", bound=BaseModel)


def parsed(kind: type[Parsed], document: Mapping[str, Any], what: str) -> Parsed:
    """The document as that model; ``what`` names it in words. Raises BadInput naming the field."""
    try:
        return kind.model_validate(dict(document))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadInput(
            f"The settings of {what} cannot be used: {field or 'as a whole'}: {first['msg']}.",
            field=field or None,
            advice="Save them again on their page, or apply the project file again.",
        ) from error


def storable_text(text: str) -> str:
    """The text without what PostgreSQL cannot keep: zero bytes and halves of surrogate pairs."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def storable(value: Any) -> Any:
    """The value as JSON that PostgreSQL can keep: numbers that are none become None, texts become storable."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, Mapping):
        return {storable_text(str(key)): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value
