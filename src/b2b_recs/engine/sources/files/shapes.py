"""The columns of a file as text that outlives a run, so that a file that was loaded need not be opened for them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from functools import lru_cache
from typing import Any

import pyarrow as pa

from b2b_recs.engine.sources.files.formats import Shape
from b2b_recs.engine.sources.files.options import AnyFormatOptions


def read_as(options: Any, part: str) -> str:
    """A short sign of how files are read: by which options, and which table inside each of them."""
    told = {name: getattr(options, name) for name in AnyFormatOptions.model_fields if hasattr(options, name)}
    document = json.dumps([type(options).__name__, told, part], sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()[:16]


def written(shape: Shape, sign: str) -> str:
    """The columns of a file that was read that way; its rows and its encoding are left out, they are told once."""
    return f"{sign} {base64.b64encode(shape.schema.serialize().to_pybytes()).decode()}"


@lru_cache(maxsize=256)
def shape_of(text: str, sign: str) -> Shape | None:
    """What ``written`` wrote, one object for all files that are alike; None for what was read or written otherwise."""
    kept, _, schema = text.partition(" ")
    if kept != sign:
        return None
    try:
        found = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(schema, validate=True)))
    except (pa.ArrowException, OSError, binascii.Error):
        return None
    # An earlier release took the line that names the delimiter for the names of the columns.
    return None if any(name.startswith("sep=") for name in found.names[:1]) else Shape(found)
