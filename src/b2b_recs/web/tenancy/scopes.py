"""Entering and leaving the rows of one organization.

A scope is three things at once: a transaction, the settings ``app.org_id`` and ``app.user_id`` in it, which the
policies of row-level security read, and a context variable, which the scoped managers read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from django.db import connections, models, transaction

OPERATOR = "operator"
AnyModel = TypeVar("AnyModel", bound=models.Model)


class ScopeMissing(RuntimeError):
    """Rows of organizations were asked for outside the scope of one."""


@dataclass(frozen=True, slots=True)
class _Setting:
    """What a transaction knows of who acts: ids, None where unknown, and what the audit should note."""

    organization_id: int | None = None
    user_id: int | None = None
    audit: Mapping[str, Any] | None = None


_NOBODY = _Setting()
_setting: ContextVar[_Setting] = ContextVar("tenancy_setting", default=_NOBODY)
_operating: ContextVar[bool] = ContextVar("tenancy_operating", default=False)

# Local to the transaction: a pooled connection forgets it at the end, whatever happens.
_APPLY = (
    "SELECT set_config('app.org_id', %s, true), set_config('app.user_id', %s, true),"
    " set_config('pghistory.context_metadata', %s, true)"
)


def current() -> int | None:
    """The id of the organization whose scope we are in, None outside every scope."""
    return _setting.get().organization_id


def required() -> int:
    """The id of the organization whose scope we are in. Raises ScopeMissing outside every scope."""
    organization_id = current()
    if organization_id is None:
        raise ScopeMissing(
            "Rows of organizations were asked for outside a scope. Enter one: with scope(organization_id):"
        )
    return organization_id


def is_operating() -> bool:
    """Whether the code runs for an operator, over the database role that sees every organization."""
    return _operating.get()


@contextmanager
def scope(
    organization_id: int, *, user_id: int | None = None, audit: Mapping[str, Any] | None = None
) -> Iterator[None]:
    """A transaction that sees and changes the rows of one organization and no others.

    ``user_id`` and ``audit`` are taken from the scope around when they are not given. Scopes nest; the one around
    is back in force afterwards.
    """
    around = _setting.get()
    wanted = replace(
        around,
        organization_id=int(organization_id),
        user_id=around.user_id if user_id is None else user_id,
        audit=around.audit if audit is None else audit,
    )
    with _entered(wanted):
        yield


@contextmanager
def person(user_id: int, *, audit: Mapping[str, Any] | None = None) -> Iterator[None]:
    """A transaction of a signed-in person who has not chosen an organization yet.

    It sees that person's memberships, organizations and invitations, and nothing else of any organization.
    """
    with _entered(_Setting(None, int(user_id), audit)):
        yield


@contextmanager
def audit_context(**notes: Any) -> Iterator[None]:
    """A transaction whose changes carry these notes in the audit, in addition to those already there."""
    around = _setting.get()
    with _entered(replace(around, audit={**(around.audit or {}), **notes})):
        yield


@contextmanager
def operating(*, user_id: int | None = None, audit: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Work as an operator: every query goes over the ``operator`` role, in one transaction, and sees every row."""
    token = _operating.set(True)
    try:
        with _entered(_Setting(None, user_id, audit), using=OPERATOR):
            yield
    finally:
        _operating.reset(token)


def unscoped(model: type[AnyModel], using: str = OPERATOR) -> models.QuerySet[AnyModel]:
    """Rows without the filter of a scope: the one exit, easy to search for.

    Over ``operator`` that is every row; over ``default`` row-level security still decides.
    """
    return model._base_manager.using(using)


@contextmanager
def _entered(wanted: _Setting, using: str = "default") -> Iterator[None]:
    around = _setting.get()
    connection = connections[using]
    nested = connection.in_atomic_block
    with transaction.atomic(using=using):
        if not (nested and wanted == around):
            _apply(using, wanted)
        token = _setting.set(wanted)
        try:
            yield
        finally:
            _setting.reset(token)
    # Rolling back a savepoint restores the settings, releasing one does not.
    if nested and wanted != around and not connection.needs_rollback:
        _apply(using, around)


def _apply(using: str, setting: _Setting) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(
            _APPLY,
            (
                "" if setting.organization_id is None else str(setting.organization_id),
                "" if setting.user_id is None else str(setting.user_id),
                json.dumps(dict(setting.audit), default=str) if setting.audit else "",
            ),
        )
