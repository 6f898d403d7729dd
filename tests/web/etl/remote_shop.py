"""A shop whose orders lie in a real source, and the pages of the platform on a port, for runners elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import psycopg
from run_rows import Shop, make_shop

from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.connections.services import save_connection
from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLRun
from b2b_recs.web.runs.attempts import claim
from b2b_recs.web.runs.models import RunLogLine
from b2b_recs.web.tenancy import scope

ROWS = [(number, f"customer {number % 7}") for number in range(1, 501)]
PASSWORD_OF_ANOTHER = "another-connection-s-password"


@dataclass
class RemoteShop:
    """A shop, its source, and what its run and its warehouse say now."""

    shop: Shop
    source: str

    @property
    def id(self) -> int:
        """The organization's id."""
        return self.shop.id

    def run(self) -> ETLRun:
        """The newest run."""
        with scope(self.id):
            found: ETLRun = ETLRun.objects.order_by("-id")[0]
            return found

    def lines(self) -> list[str]:
        """The log of all runs."""
        with scope(self.id):
            return list(RunLogLine.objects.order_by("id").values_list("message", flat=True))

    def begin(self, run: ETLRun) -> int:
        """Take the next attempt, as a launcher does; its number."""
        attempt = claim(ETLRun, self.id, run.id, lambda ended: None)
        assert attempt is not None
        return attempt.number

    def loaded(self) -> list[tuple[Any, ...]]:
        """The rows of the warehouse table."""
        table = LocalWarehouse(Home.current().model_warehouse(self.shop.model.id)).table("raw_data", "bq_orders")
        if not table.exists():
            return []
        return sorted((row["number"], row["customer"]) for row in table.read().to_pylist())


def make_remote_shop(server: Any, name: str = "remote_source") -> RemoteShop:
    """A shop with one job that copies a table of 500 rows."""
    source = server.create_database(name)
    with psycopg.connect(source) as connection:
        connection.execute("CREATE TABLE orders (number int PRIMARY KEY, customer text)")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO orders VALUES (%s, %s)", ROWS)
    shop = make_shop("Remote", jobs=("orders",))
    parameters = {"host": "127.0.0.1", "port": server.port, "database": name, "username": "postgres"}
    with scope(shop.id):
        shop.connection, _ = save_connection(
            shop.model, "source", "postgresql", {**parameters, "password": server.password}
        )
        save_connection(shop.model, "another", "postgresql", {**parameters, "password": PASSWORD_OF_ANOTHER})
        job = shop.jobs[0]
        DataSource.objects.filter(id=job.id).update(connection=shop.connection)
        spec = {"source_schema": "public", "source_table": "orders", "destination_table": "bq_orders"}
        DataSourceTable.objects.filter(data_source=job).update(spec={**spec, "load": {"keep_days": 30}})
    return RemoteShop(shop, source)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def platform() -> Iterator[str]:
    """The pages and the API on a free port of this machine; gives their address."""
    from django.core.wsgi import get_wsgi_application

    server = make_server("127.0.0.1", 0, get_wsgi_application(), _Server, _Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
