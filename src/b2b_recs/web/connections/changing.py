"""Making, changing and deleting single connections, as pages and programs do. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from b2b_recs.engine.counting import listed
from b2b_recs.engine.sources.registry import source_type
from b2b_recs.engine.sources.settings_read import as_read, in_effect
from b2b_recs.web.conflicts import InUse
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.connections.services import (
    forget_connection,
    refuse_wandering_secrets,
    save_connection,
    secret_fields_set,
    with_secrets,
)
from b2b_recs.web.names import naming, refuse_taken
from b2b_recs.web.projects.models import ModelEndpoint

NAMES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Change:
    """What a change of parameters comes to: the plain ones, secrets given, secrets taken away."""

    plain: dict[str, Any]
    secrets: dict[str, Any]
    forget: tuple[str, ...]


def refuse_taken_name(model: ModelEndpoint, name: str, but: Connection | None = None) -> None:
    """Raise NameTaken when another connection of the model has the name."""
    refuse_taken(Connection.objects.filter(model=model), name, "connection", but.id if but else None)


def make_connection(
    model: ModelEndpoint, name: str, type_name: str, parameters: Mapping[str, Any]
) -> tuple[Connection, list[str]]:
    """A new connection with its secrets, all or nothing. Raises NameTaken, and BadInput naming the field."""
    with transaction.atomic():
        ModelEndpoint.objects.select_for_update().get(id=model.id)  # nobody makes one of this name meanwhile
        refuse_taken_name(model, name)
        return save_connection(model, name, type_name, parameters)


def changed_parameters(connection: Connection, given: Mapping[str, Any]) -> Change:
    """The parameters after a change as they are read, null meaning none any more.

    Raises BadInput when something else than a secret changes and a stored secret is not given again.
    """
    declared = source_type(connection.source_type)
    secret = declared.secret_fields
    plain = {**connection.parameters, **{name: value for name, value in given.items() if name not in secret}}
    plain = as_read(declared, {name: value for name, value in plain.items() if value is not None})
    secrets = {name: value for name, value in given.items() if name in secret and value is not None}
    forget = tuple(name for name, value in given.items() if name in secret and value is None)
    if in_effect(declared, plain) != in_effect(declared, connection.parameters):
        kept = [name for name in secret_fields_set(connection) if name not in forget]
        refuse_wandering_secrets(connection.name, kept, secrets)
    return Change(plain, secrets, forget)


def to_open(connection: Connection, change: Change) -> dict[str, Any]:
    """The parameters to test a change with: those stored secrets included that stay."""
    stored = {name: value for name, value in with_secrets(connection).items() if name not in connection.parameters}
    kept = {name: value for name, value in stored.items() if name not in change.forget}
    return {**kept, **change.plain, **{name: value for name, value in change.secrets.items() if value != ""}}


def update_connection(
    connection: Connection, name: str | None, enabled: bool | None, given: Mapping[str, Any] | None
) -> list[str]:
    """Change a connection; returns what changed, in words. Raises NameTaken, and BadInput naming the field."""
    changes: list[str] = []
    with transaction.atomic():
        if given is not None:
            change = changed_parameters(connection, given)
            kept = {field: value for field, value in connection.references.items() if field not in given}
            _, changes = save_connection(
                connection.model,
                connection.name,
                connection.source_type,
                {**change.plain, **change.secrets},
                references=kept,
                forget=change.forget,
            )
            connection.refresh_from_db()
        if enabled is not None and enabled != connection.enabled:
            connection.enabled = enabled
            changes.append(f"connection “{connection.name}” switched {'on' if enabled else 'off'}")
        if name is not None and name != connection.name:
            refuse_taken_name(connection.model, name, but=connection)
            changes.append(f"connection “{connection.name}” is now “{name}”")
            connection.name = name
        with naming("connection", connection.name):
            connection.save(update_fields=["name", "enabled", "updated_at"])
    return changes


def job_names(connection: Connection) -> list[str]:
    """Names of the jobs that use a connection, drafts included."""
    return list(connection.jobs.order_by("name").values_list("name", flat=True))


def delete_connection(connection: Connection) -> None:
    """Delete a connection with its secrets. Raises InUse with the names of the jobs that depend on it."""
    with transaction.atomic():
        Connection.objects.select_for_update().get(id=connection.id)
        jobs = job_names(connection)
        if jobs:
            named = listed([f"“{job}”" for job in jobs[:NAMES_SHOWN]], len(jobs))
            raise InUse(
                f"The connection “{connection.name}” is used by {named}.",
                advice="Delete these jobs first, or give them another connection.",
            )
        forget_connection(connection)
