"""A Firestore double as the source contract's suite needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from certificates import Authority
from contract.lines import Catalogued
from doubles.firestore import FirestoreDouble, ServiceAccount
from google.cloud.firestore_v1.types import document as documents

from b2b_recs.engine.errors import HostUnknown
from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.firestore import connection
from b2b_recs.engine.sources.google_cloud import Service
from b2b_recs.engine.sources.registry import open_source

HOST, PROJECT = "firestore.googleapis.com", "shop-4711"


def served_at(host: str, port: int, authority: str) -> None:
    """Lead this process's client of Firestore to a double."""
    connection.SERVICE = Service(host, port, authority)


def value_of(value: Any) -> Any:
    """A Python value as the service holds it."""
    if value is None:
        made = documents.Value(null_value=0)
    elif isinstance(value, bool):
        made = documents.Value(boolean_value=value)
    elif isinstance(value, int):
        made = documents.Value(integer_value=value)
    elif isinstance(value, float | Decimal):
        made = documents.Value(double_value=float(value))
    elif isinstance(value, datetime):
        found = documents.Value.pb(documents.Value())
        found.timestamp_value.FromDatetime(value if value.tzinfo else value.replace(tzinfo=UTC))
        return found
    elif isinstance(value, bytes):
        made = documents.Value(bytes_value=value)
    elif isinstance(value, str):
        made = documents.Value(string_value=value)
    else:
        return value
    return documents.Value.pb(made)


class FirestoreArena:
    """One database in memory, reached under the service's own name."""

    type = "firestore"
    schema = ""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        authority = Authority()
        self.account = ServiceAccount(PROJECT)
        self.server = FirestoreDouble(PROJECT, self.account, authority.issue(HOST))
        self.port = self.server.port
        self.columns: dict[str, list[str]] = {}
        self.place = (HOST, self.port, authority.pem)
        patch.setattr(connection, "SERVICE", Service(*self.place))

    def make(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], key: str | None = None
    ) -> None:
        """The collection anew, one document a row."""
        self.columns[table] = list(columns)
        self.server.put(table, {})
        self.add(table, rows)

    def add(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Further documents."""
        known = self.server.now(table)
        names = self.columns[table]
        for at, row in enumerate(rows, len(known)):
            known[f"d{at:08}"] = {name: value_of(value) for name, value in zip(names, row, strict=True)}
        self.server.put(table, known)

    def put(self, table: str, *rows: dict[str, Any]) -> None:
        """A collection of just these documents, with ids 0, 1, 2 and so on."""
        self.server.put(
            table,
            {str(at): {name: value_of(value) for name, value in row.items()} for at, row in enumerate(rows)},
        )

    def drop(self, table: str) -> None:
        """No such collection any more."""
        self.server.put(table, {})

    def drop_column(self, table: str, column: str) -> None:
        """The documents without a field."""
        rows = self.server.now(table)
        self.server.put(
            table,
            {key: {name: value for name, value in row.items() if name != column} for key, row in rows.items()},
        )

    def rename(self, table: str, name: str) -> None:
        """The table under another name."""
        self.server.put(name, self.server.now(table))
        self.server.put(table, {})

    def revoke(self, table: str) -> None:
        """Take the right to read the collection, and all others, from the account."""
        self.server.closed = True

    def grant(self, table: str) -> None:
        """Give it back."""
        self.server.closed = False

    def named(self, table: str) -> str:
        """Collections are listed under their own names."""
        return table

    def catalogue(self) -> dict[str, Catalogued]:
        """What the double holds: every collection with documents, with their ids and all their fields by name."""
        held = {name: self.server.now(name).values() for name in self.server.collections()}
        return {
            name: Catalogued(("_id", *sorted({field for document in documents for field in document})))
            for name, documents in held.items()
            if documents
        }

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """Parameters of the reading account, with changes."""
        return {"project": PROJECT, "service_account": self.account.text} | changes

    def open(self, **changes: Any) -> Source:
        """An open source as the reading account."""
        return open_source(self.type, self.parameters(**changes), self.dial)

    def dial(self, host: str, port: int) -> str:
        """The service's own name leads to the double, and no other name anywhere."""
        if (host, port) != (HOST, self.port):
            raise HostUnknown(f"The host {host} has no address.", advice="Check it.", field="project")
        return "127.0.0.1"

    def sessions(self) -> int:
        """Calls that are being answered."""
        return self.server.sessions()

    def end_sessions(self) -> None:
        """End every call and stop the service."""
        self.server.close()
