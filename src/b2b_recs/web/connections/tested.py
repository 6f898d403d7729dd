"""Proof that parameters passed a test a moment ago, so that saving them need not test again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac
from pydantic import SecretStr

GOOD_FOR_SECONDS = 600
_SALT = "b2b_recs.connections.tested"


def proof_of(model_id: int, source_type: str, parameters: Mapping[str, Any]) -> str:
    """The proof to hand out after a passing test; it holds a keyed digest and no parameter."""
    return signing.dumps(_digest(model_id, source_type, parameters), salt=_SALT)


def proves(proof: str, model_id: int, source_type: str, parameters: Mapping[str, Any]) -> bool:
    """Whether exactly these parameters, secrets typed or stored, passed a test of this model some minutes ago."""
    try:
        shown = str(signing.loads(proof, salt=_SALT, max_age=GOOD_FOR_SECONDS))
    except signing.BadSignature:
        return False
    return constant_time_compare(shown, _digest(model_id, source_type, parameters))


def _digest(model_id: int, source_type: str, parameters: Mapping[str, Any]) -> str:
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in parameters.items()
    }
    document = json.dumps([model_id, source_type, plain], sort_keys=True)
    return salted_hmac(_SALT, document, algorithm="sha256").hexdigest()
