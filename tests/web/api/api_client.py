"""A program that talks to the JSON API, and a wholesaler's database for it to connect to."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

import psycopg
from django.http import HttpResponse
from django.test import Client
from psycopg import sql
from tenant_rows import Tenant

from b2b_recs.web.accounts.api_keys import create_key
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import scope

TABLES = """
CREATE TABLE order_lines (
    order_id bigint, line_no int, customer text NOT NULL, quantity int, price numeric(12, 2),
    ordered_at timestamptz NOT NULL, PRIMARY KEY (order_id, line_no)
);
INSERT INTO order_lines SELECT n / 3, n % 3, 'C' || n % 7, n % 11, n * 1.25,
    '2026-01-01'::timestamptz + n * interval '1 hour'
FROM generate_series(1, 300) n;
CREATE TABLE products (product_id text PRIMARY KEY, name text, active boolean, code text);
INSERT INTO products SELECT 'P' || n, 'Product ' || n, n % 2 = 0, lpad(n::text, 5, '0') FROM generate_series(1, 40) n;
CREATE TABLE odd (id int PRIMARY KEY, seen_at timestamptz);
INSERT INTO odd VALUES (1, '2026-01-01'), (2, 'infinity'), (3, '2026-01-03');
"""


@dataclass(frozen=True)
class Answer:
    """What the API answered."""

    response: HttpResponse

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def json(self) -> Any:
        return json.loads(self.response.content)

    @property
    def error(self) -> dict[str, Any]:
        """The refusal, whose shape is checked whenever it is looked at."""
        document = self.json
        assert set(document) == {"error"}, document
        error = document["error"]
        assert set(error) - {"faults"} == {"code", "message", "advice", "field"}, error
        for fault in error.get("faults", ()):
            assert set(fault) == {"message", "advice", "field"}, error
        assert error["code"] and error["message"] and error["advice"], error
        return dict(error)

    def well(self, status: int = 200) -> Any:
        """The document of an answer that must be good."""
        assert self.status == status, (self.status, self.response.content[:2000])
        return self.json

    def refused(self, status: int, code: str, field: str | None = None) -> dict[str, Any]:
        """The refusal of an answer that must be one."""
        assert self.status == status, (self.status, self.response.content[:2000])
        error = self.error
        assert (error["code"], error["field"]) == (code, field), error
        return error


@dataclass
class Program:
    """A client with an API key; cookies play no part."""

    key: str
    model_id: int
    client: Client

    def get(self, path: str, **query: Any) -> Answer:
        return self._call("get", path, data=query)

    def post(self, path: str, body: Any = None, once: str | None = None, **headers: str) -> Answer:
        extra = dict(headers) | ({"Idempotency-Key": once} if once else {})
        data = "" if body is None else json.dumps(body)
        return self._call("post", path, data=data, content_type="application/json", extra=extra)

    def model(self, path: str) -> str:
        return f"/api/models/{self.model_id}/{path}"

    def _call(self, method: str, path: str, extra: dict[str, str] | None = None, **arguments: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self.key}", **(extra or {})}
        path = path if path.startswith("/") else self.model(path)
        return Answer(getattr(self.client, method)(path, headers=headers, **arguments))


def program(tenant: Tenant, *scopes: str, of_model: bool = False) -> Program:
    """A program of an organization; without scopes it may read and write."""
    with scope(tenant.id):
        model = ModelEndpoint.objects.get(id=tenant.id_of("ModelEndpoint"))
        _, key = create_key("test", scopes=scopes or ("read", "write"), model=model if of_model else None)
    return Program(key, model.id, Client(enforce_csrf_checks=True, raise_request_exception=False))


@dataclass(frozen=True)
class Wholesaler:
    """A database of a seller, and a login that may only read it."""

    port: int
    database: str
    username: str
    password: str

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """What a connection to it asks for."""
        own = {"host": "127.0.0.1", "port": self.port, "database": self.database, "username": self.username}
        return {**own, "password": self.password, **changes}

    def connection(self, **changes: Any) -> dict[str, Any]:
        """The body that creates a connection to it."""
        return {"name": "warehouse", "type": "postgresql", "parameters": self.parameters(), **changes}


def open_wholesaler(server: Any, database: str = "wholesaler", username: str = "api_reader") -> Wholesaler:
    """A fresh database with tables and a reader whose password nobody else uses."""
    url, password = server.create_database(database), f"canary-{secrets.token_hex(16)}"
    login = sql.Identifier(username)
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(TABLES.encode())
        session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(login))
        session.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(login, sql.Literal(password)))
        session.execute(sql.SQL("GRANT SELECT ON order_lines, products, odd TO {}").format(login))
    return Wholesaler(server.port, database, username, password)


def close_wholesaler(server: Any, shop: Wholesaler) -> None:
    """The database and its reader gone."""
    server.drop_database(shop.database)
    server.execute(f"DROP ROLE IF EXISTS {shop.username}")


ORDER_LINES = {
    "name": "order lines",
    "source_schema": "public",
    "source_table": "order_lines",
    "load": {"strategy": "transactional", "cursor": "ordered_at", "key": ["order_id", "line_no"]},
    "schedule": {"kind": "hourly", "minute": 15},
}
