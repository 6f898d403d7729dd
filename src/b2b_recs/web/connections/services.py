"""Saving connections, keeping their secrets sealed, opening them. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction
from pydantic import SecretStr

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.registry import SOURCE_TYPES, open_source, parse_parameters
from b2b_recs.engine.sources.settings_read import as_read, in_effect
from b2b_recs.runtime.database import ControlDatabase
from b2b_recs.runtime.guard import OutgoingGuard
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.keys import load_keys
from b2b_recs.runtime.secrets import SecretBox, SecretPlace
from b2b_recs.web.connections.models import Connection, StoredSecret
from b2b_recs.web.names import naming, refuse_taken
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import scope


def save_connection(
    model: ModelEndpoint,
    name: str,
    source_type: str,
    parameters: Mapping[str, Any],
    references: Mapping[str, Any] | None = None,
    forget: Collection[str] = (),
) -> tuple[Connection, list[str]]:
    """The connection of that name, created or brought up to date, and what changed in words.

    ``references`` says how a project file wrote the values it took from elsewhere, so that an export writes them so.
    Secret parameters are sealed and never compared in the clear with anything shown; leaving one out keeps the one
    that is stored, unless something else changes: a stored password must not follow a connection to another address.
    Raises NameTaken for a name that differs from another only in capitals, and BadInput naming the field.
    """
    declared = SOURCE_TYPES.get(source_type)
    if declared is None:
        known = ", ".join(sorted(SOURCE_TYPES))
        raise BadInput(f"“{source_type}” is not a source type.", field="type", advice=f"Known types: {known}.")
    secrets = {key: str(value) for key, value in parameters.items() if key in declared.secret_fields}
    named = dict(references or {})
    plain = as_read(declared, parameters)
    with transaction.atomic():
        connection = Connection.objects.select_for_update().filter(model=model, name=name).first()
        stored = _secrets(connection) if connection else {}
        kept = {field: value for field, value in stored.items() if field not in forget}
        parse_parameters(source_type, {**kept, **parameters})
        if connection is None:
            refuse_taken(Connection.objects.filter(model=model), name, "connection")
            with naming("connection", name):
                connection = Connection.objects.create(
                    organization_id=model.organization_id,
                    model=model,
                    name=name,
                    source_type=source_type,
                    parameters=plain,
                    references=named,
                )
            _store(connection, secrets)
            return connection, [f"connection “{name}” created"]
        changes = _changes(connection, source_type, plain)
        if changes:
            refuse_wandering_secrets(name, kept, secrets)
        if changes or connection.references != named or connection.parameters != plain:
            connection.source_type, connection.parameters, connection.references = source_type, plain, named
            connection.save()
        changes += [f"connection “{name}”: {key} replaced" for key in _store(connection, secrets)]
        gone = [field for field in forget if field in stored and not secrets.get(field)]
        StoredSecret.objects.filter(name__in=[_secret_name(connection, field) for field in gone]).delete()
        return connection, changes + [f"connection “{name}”: {field} removed" for field in gone]


def refuse_wandering_secrets(name: str, kept: Collection[str], given: Mapping[str, str]) -> None:
    """Raise BadInput unless every stored secret of a connection that changes is given anew."""
    missing = sorted(set(kept) - {field for field, value in given.items() if value})
    if missing:
        raise BadInput(
            f"The connection “{name}” changes, and its {missing[0]} was not given again.",
            field=missing[0],
            advice=f"Give the {missing[0]} together with the change.",
        )


def _changes(connection: Connection, source_type: str, plain: Mapping[str, Any]) -> list[str]:
    """What saving these values would change, in words; a value written in another way is no change."""
    what = f"connection “{connection.name}”"
    if connection.source_type != source_type:
        return [
            f"{what}: type is now {source_type}",
            *(f"{what}: {key} is now {value}" for key, value in plain.items()),
        ]
    held, wanted = (in_effect(SOURCE_TYPES[source_type], one) for one in (connection.parameters, plain))
    differ = [key for key in {**held, **wanted} if held.get(key) != wanted.get(key)]
    return [
        f"{what}: {key} is now {plain[key]}" if key in plain else f"{what}: {key} is back to its default"
        for key in differ
    ]


def secret_fields_set(connection: Connection) -> list[str]:
    """The names of the secret fields that hold something; never a value."""
    return list(secrets_set_at(connection))


def secrets_set_at(connection: Connection) -> dict[str, datetime]:
    """When each secret field that holds something was last set, by name; never a value."""
    prefix = _secret_name(connection, "")
    found = StoredSecret.objects.filter(name__startswith=prefix).order_by("name").values_list("name", "updated_at")
    return {name.removeprefix(prefix): at for name, at in found}


def forget_connection(connection: Connection) -> None:
    """Delete a connection with its secrets. The caller has made sure that no job uses it."""
    with transaction.atomic():
        StoredSecret.objects.filter(name__startswith=_secret_name(connection, "")).delete()
        connection.delete()


def read_named_secret(organization_id: int, name: str) -> str:
    """A secret the organization keeps under a name, for use in a connection. Raises BadInput when there is none."""
    row = StoredSecret.objects.filter(name=f"secrets/{name}").first()
    if row is None:
        raise BadInput(
            f"There is no stored secret “{name}”.", field="secret", advice=f"Store it with: b2b-recs secret {name}"
        )
    return _box().open(bytes(row.ciphertext), SecretPlace.of_organization(organization_id, name))


def store_named_secret(organization_id: int, name: str, value: str) -> bool:
    """Keep a secret under a name, for ``{secret: NAME}`` in project files; returns whether the name is new."""
    if not name.strip() or not value:
        raise BadInput(
            "A secret needs a name and a value.", field="secret" if not value else "name", advice="Give both."
        )
    sealed = _box().seal(value, SecretPlace.of_organization(organization_id, name))
    _, created = StoredSecret.objects.update_or_create(
        name=f"secrets/{name}", defaults={"organization_id": organization_id, "ciphertext": sealed}
    )
    return bool(created)


def opener(connection: Connection) -> Callable[[], Source]:
    """How to open the source behind a connection, outside the scope too; the source is a context manager.

    Raises BadInput when it is switched off; opening raises the engine's refusals with advice.
    """
    if not connection.enabled:
        raise BadInput(f"The connection “{connection.name}” is switched off.", advice="Switch it on, then run again.")
    return opener_of(connection.source_type, with_secrets(connection), connection.organization_id)


def with_secrets(connection: Connection) -> dict[str, Any]:
    """The stored parameters of a connection with its secrets, to open it with and for nothing else."""
    return {**connection.parameters, **_secrets(connection)}


def opener_of(source_type: str, parameters: Mapping[str, Any], organization_id: int) -> Callable[[], Source]:
    """How to open a source with these parameters, for an organization; opening raises the engine's refusals."""
    return lambda: open_source(source_type, parameters, guard().for_organization(organization_id))


def folders_of(organization_id: int) -> tuple[Path, ...]:
    """The folders of this machine that connections of an organization may read."""
    return guard().for_organization(organization_id).folders


def note_use(organization_id: int, connection_id: int, refusal: str = "") -> None:
    """Keep on a connection whether its source let us in just now; ``refusal`` is what it said when not."""
    now = datetime.now(UTC)
    status = Connection.TestStatus.FAILED if refusal else Connection.TestStatus.PASSED
    with scope(organization_id):
        Connection.objects.filter(id=connection_id).update(
            last_test_at=now,
            last_test_status=status,
            last_test_message=refusal,
            last_used_at=now,
            test_trouble="",
            test_trouble_at=None,
        )


@cache
def guard() -> OutgoingGuard:
    """The one door to other people's systems; our own database is always behind it."""
    database = ControlDatabase.current(Home.current(), _keys())
    return OutgoingGuard.from_environment(own=[(database.host, database.port)])


@cache
def _keys() -> Any:
    return load_keys(Home.current())


def _box() -> SecretBox:
    return SecretBox(_keys().ring)


def _place(connection: Connection, field: str) -> SecretPlace:
    return SecretPlace.of_connection(connection.organization_id, connection.id, field)


def _secret_name(connection: Connection, field: str) -> str:
    return f"model-{connection.model_id}-connection-{connection.id}-credentials/{field}"


def _store(connection: Connection, secrets: Mapping[str, str]) -> list[str]:
    """Seal what differs from the stored secret; returns the names of the fields replaced."""
    replaced = []
    present = _secrets(connection)
    for field, value in secrets.items():
        if value == "" or (field in present and present[field].get_secret_value() == value):
            continue
        StoredSecret.objects.update_or_create(
            organization_id=connection.organization_id,
            name=_secret_name(connection, field),
            defaults={"ciphertext": _box().seal(value, _place(connection, field))},
        )
        replaced.append(field)
    return replaced


def _secrets(connection: Connection) -> dict[str, SecretStr]:
    prefix = _secret_name(connection, "")
    found = StoredSecret.objects.filter(name__startswith=prefix)
    return {
        secret.name.removeprefix(prefix): SecretStr(
            _box().open(bytes(secret.ciphertext), _place(connection, secret.name.removeprefix(prefix)))
        )
        for secret in found
    }
