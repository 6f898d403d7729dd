"""The ways a job can load its table, made from the engine's own declaration so that a new one appears by itself."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field, create_model

from b2b_recs.engine.etl.spec import CopySpec

KINDS: dict[str, type[BaseModel]] = {
    kind.__name__.lower(): kind for kind in get_args(CopySpec.model_fields["load"].annotation)
}


def _tagged(name: str, kind: type[BaseModel]) -> type[BaseModel]:
    """The kind with its name in it, so that a document says which one it is."""
    strategy = (Literal[name], Field(description="How rows are loaded."))
    return create_model(f"{kind.__name__}Load", __base__=kind, __doc__=kind.__doc__, strategy=strategy)


_TAGGED = {name: _tagged(name, kind) for name, kind in KINDS.items()}
Load = Annotated[reduce(or_, _TAGGED.values()), Field(discriminator="strategy")]


def load_form(load: BaseModel) -> dict[str, Any]:
    """A load as the API writes it: ``{"strategy": "transactional", "cursor": …}``."""
    name = next(name for name, kind in KINDS.items() if type(load) is kind)
    return {"strategy": name, **load.model_dump(mode="json", exclude={"strategy"})}


def load_of(form: BaseModel) -> BaseModel:
    """The engine's load of what the API was given."""
    name = next(name for name, kind in _TAGGED.items() if isinstance(form, kind))
    own = set(KINDS[name].model_fields)
    return KINDS[name].model_validate({field: getattr(form, field) for field in own if field in form.model_fields_set})
