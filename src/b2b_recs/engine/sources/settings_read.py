"""Plain settings as their declaration reads them, so that two ways to write one value count as that value."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from b2b_recs.engine.sources.contract import SourceType


def as_read(declared: SourceType, plain: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of ``plain`` that are no secrets, each as its field reads it: the port “5432” is the number 5432.

    A value that its field refuses, or that has no field, stays as it is written.
    """
    return {
        name: _value(declared.Parameters, name, value)
        for name, value in plain.items()
        if name not in declared.secret_fields
    }


def in_effect(declared: SourceType, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting that is no secret with the value that holds: the one in ``plain``, else its default."""
    usual = {
        name: field.get_default(call_default_factory=True)
        for name, field in declared.Parameters.model_fields.items()
        if not field.is_required()
    }
    return as_read(declared, {**usual, **plain})


def _value(parameters: type[BaseModel], name: str, value: Any) -> Any:
    reader = _reader(parameters, name)
    if reader is None:
        return value
    try:
        return reader.dump_python(reader.validate_python(value), mode="json")
    except ValidationError:
        return value


@lru_cache(maxsize=1024)
def _reader(parameters: type[BaseModel], name: str) -> TypeAdapter[Any] | None:
    field = parameters.model_fields.get(name)
    if field is None:
        return None
    read_as: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return TypeAdapter(read_as)
