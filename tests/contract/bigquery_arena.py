"""The double of BigQuery as the source contract's suite needs it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from contract.lines import Catalogued
from contract.postgresql_arena import dial
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from doubles.bigquery import Field, Version, Warehouse, now
from doubles.bigquery_rest import RestServer
from doubles.bigquery_storage import StorageServer
from doubles.certificate import make_certificate

from b2b_recs.engine.sources.bigquery import BigQuery
from b2b_recs.engine.sources.bigquery.services import Services
from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.registry import SOURCE_TYPES, open_source

PROJECT, EMAIL = "my-shop-1234", "reader@my-shop-1234.iam.gserviceaccount.com"
TYPES = {
    "integer": Field("", "INTEGER"),
    "text": Field("", "STRING"),
    "time": Field("", "DATETIME"),
    "decimal": Field("", "NUMERIC", precision=10, scale=2),
}


def pem_of(key: rsa.RSAPrivateKey) -> str:
    """The PEM text of a private key."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def served_at(address: str, storage: Sequence[Any], token: str, authority: str) -> None:
    """Lead this process's clients of BigQuery to a double."""
    SOURCE_TYPES.imported["bigquery"] = BigQuery(Services(address, (storage[0], storage[1]), token, authority))


class BigQueryServer:
    """Both services of the double, the key of the account they know, and how a client finds them."""

    def __init__(self, folder: Path) -> None:
        certificate = make_certificate(folder)
        key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        self.private_key = pem_of(key)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.warehouse = Warehouse(PROJECT)
        self.rest = RestServer(self.warehouse, certificate, public.decode(), EMAIL)
        self.storage = StorageServer(self.warehouse, certificate)
        address = f"https://localhost:{self.rest.server_port}"
        storage = ("localhost", self.storage.port)
        self.place = (address, storage, f"{address}/token", str(certificate.authority))
        self.services = Services(*self.place)
        self.declared = BigQuery(self.services)

    def stop(self) -> None:
        """Stop both services."""
        self.rest.shutdown()
        self.storage.stop()


class BigQueryArena:
    """One dataset, and an account that reads it."""

    type = "bigquery"

    def __init__(self, server: BigQueryServer, dataset: str = "shop") -> None:
        self.server = server
        self.schema = dataset
        server.warehouse.datasets.add(dataset)

    def make(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], key: str | None = None
    ) -> None:
        """A fresh table of logical columns."""
        fields = []
        for name, kind in columns.items():
            known = TYPES[kind]
            mode = "REQUIRED" if name == key else "NULLABLE"
            fields.append(Field(name, known.type, mode, known.precision, known.scale))
        self.put(table, tuple(fields), rows, (key,) if key else ())

    def put(
        self,
        table: str,
        fields: Sequence[Field],
        rows: Sequence[Sequence[Any]],
        key: Sequence[str] = (),
        partition: str = "",
    ) -> None:
        """A fresh table of these fields; every query has to name the column ``partition``, if there is one."""
        arrays = [pa.array([row[at] for row in rows], one.arrow()) for at, one in enumerate(fields)]
        held = pa.table(arrays, schema=pa.schema([pa.field(one.name, one.arrow()) for one in fields]))
        version = Version(now(), tuple(fields), held, tuple(key), partition=partition)
        self.server.warehouse.put(self.schema, table, version)

    def add(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """More rows of a table."""
        before = self.server.warehouse.at(self.schema, table)
        assert before.rows is not None
        more = pa.table(
            [pa.array([row[at] for row in rows], one.arrow()) for at, one in enumerate(before.fields)],
            schema=before.rows.schema,
        )
        joined = pa.concat_tables([before.rows, more])
        self.server.warehouse.put(self.schema, table, Version(now(), before.fields, joined, before.key))

    def drop(self, table: str) -> None:
        """Drop a table."""
        self.server.warehouse.put(self.schema, table, Version(now()))

    def drop_column(self, table: str, column: str) -> None:
        """Drop a column."""
        before = self.server.warehouse.at(self.schema, table)
        assert before.rows is not None
        fields = tuple(one for one in before.fields if one.name != column)
        self.server.warehouse.put(self.schema, table, Version(now(), fields, before.rows.drop_columns([column])))

    def rename(self, table: str, name: str) -> None:
        """The table under another name."""
        self.server.warehouse.put(self.schema, name, self.server.warehouse.at(self.schema, table))
        self.drop(table)

    def revoke(self, table: str) -> None:
        """Take the right to read the table from the account."""
        self.server.warehouse.closed.add((self.schema, table))

    def grant(self, table: str) -> None:
        """Give it back."""
        self.server.warehouse.closed.discard((self.schema, table))

    def named(self, table: str) -> str:
        """Tables are listed under their own names."""
        return table

    def catalogue(self) -> dict[str, Catalogued]:
        """What the double holds."""
        return {
            name: Catalogued(
                tuple(one.name for one in version.fields),
                frozenset(one.name for one in version.fields if one.mode == "REQUIRED"),
                version.key,
            )
            for name, version in self.server.warehouse.listed(self.schema)
        }

    def account(self, **changes: Any) -> str:
        """The JSON text of the account's key, with changes."""
        return json.dumps(
            {
                "type": "service_account",
                "project_id": PROJECT,
                "client_email": EMAIL,
                "private_key": self.server.private_key,
                "token_uri": "https://oauth2.googleapis.com/token",
            }
            | changes
        )

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """Parameters of the account, with changes."""
        return {"project": PROJECT, "dataset": self.schema, "credentials": self.account()} | changes

    def open(self, **changes: Any) -> Source:
        """An open source as the account."""
        return open_source(self.type, self.parameters(**changes), dial)

    def sessions(self) -> int:
        """How many streams are being read."""
        return self.server.storage.reading

    def end_sessions(self) -> None:
        """End every read."""
        self.server.storage.end_sessions()
