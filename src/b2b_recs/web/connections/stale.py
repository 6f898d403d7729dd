"""Whether a connection was saved again since its form was opened: that is told, not overwritten.

Call inside the organization's scope.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.sources.registry import source_type
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.connections.services import secrets_set_at


def mark_of(row: Connection) -> str:
    """What the form sends along, to tell whether it still shows what is saved; nothing of a secret is in it."""
    held = (row.name, row.parameters, sorted(secrets_set_at(row).items()))
    return hashlib.sha256(json.dumps(held, sort_keys=True, default=str).encode()).hexdigest()[:16]


def stale_fault(row: Connection, mark: str, name: str, given: Mapping[str, Any]) -> BadInput | None:
    """Why a form is not saved: the connection was, after it was opened; None where nothing would be overwritten."""
    if mark in ("", mark_of(row)) or (not given and name == row.name):
        return None
    secret = source_type(row.source_type).secret_fields
    words = [
        f"{field.replace('_', ' ')} {row.parameters.get(field, 'not set')}" for field in given if field not in secret
    ]
    saved = ", ".join([f"the name “{row.name}”", *words])
    return BadInput(
        "This connection was saved elsewhere after this page was opened.",
        advice=f"Saved is: {saved}. What you typed still stands here: save again to replace what is saved.",
    )
