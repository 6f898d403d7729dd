"""Run tokens: each opens one attempt at one run, for a short while, and nothing else."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.core import signing

LIFETIME = 3600
_SALT = "b2b_recs.etl.runner"
_SCHEME = "RunToken "


@dataclass(frozen=True, slots=True)
class Permit:
    """What a token stands for, and when it was made (seconds since 1970)."""

    organization_id: int
    run_id: int
    attempt: int
    made_at: int

    @property
    def is_ageing(self) -> bool:
        """Whether half of its life is over, so that it should be replaced."""
        return time.time() - self.made_at > LIFETIME / 2


def make_token(organization_id: int, run_id: int, attempt: int) -> str:
    """A token for that attempt. It needs no storing: the attempt's end is its end."""
    return signing.dumps([organization_id, run_id, attempt, int(time.time())], salt=_SALT)


def permit_of(header: str) -> Permit | None:
    """What the token of an Authorization header stands for; None for anything but a token of ours that is valid."""
    if not header.startswith(_SCHEME):
        return None
    try:
        found: Any = signing.loads(header.removeprefix(_SCHEME).strip(), salt=_SALT, max_age=LIFETIME)
        return Permit(*found)
    except (signing.BadSignature, TypeError, ValueError):
        return None
