"""The double's REST service: tokens, datasets, tables, rows, jobs and their results, as BigQuery v2 has them."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import ssl
import sys
import threading
import time
import uuid
from collections.abc import Callable
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from doubles.bigquery import Field, Invalid, Missing, Version, Warehouse, now
from doubles.certificate import Certificate
from google.auth import jwt

TOKEN = "canary-access-token"
# Accounts of the project that get a token and no answer, with the reason.
REFUSED = {
    "norights": ("accessDenied", "Access Denied: Dataset shop: Permission bigquery.tables.list denied"),
    "off": ("accessNotConfigured", "BigQuery API has not been used in project 1 before or it is disabled."),
}


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason = code, reason


class RestServer(ThreadingHTTPServer):
    """HTTPS on a free port of this machine."""

    daemon_threads = True

    def __init__(self, warehouse: Warehouse, certificate: Certificate, public_key: str, email: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.warehouse, self.public_key, self.email = warehouse, public_key, email
        self.jobs: dict[str, dict[str, Any]] = {}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.certificate, certificate.key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is a fault of the double."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: RestServer
    protocol_version = "HTTP/1.1"
    routes: ClassVar[list[tuple[str, str, Callable[..., Any]]]] = []

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.answer("GET")

    def do_POST(self) -> None:
        self.answer("POST")

    def answer(self, method: str) -> None:
        """Find the route, and send what it gives."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urlsplit(self.path)
        self.asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        self.body = body
        try:
            if address.path != "/token":
                self.let_in()
            found = self.route(method, address.path)
            self.send(200, found)
        except Refused as refused:
            errors = [{"reason": refused.reason, "message": str(refused)}]
            self.send(refused.code, {"error": {"code": refused.code, "message": str(refused), "errors": errors}})
        except Missing as missing:
            self.send(404, {"error": {"code": 404, "message": str(missing), "errors": [{"reason": "notFound"}]}})
        except Invalid as invalid:
            self.send(400, {"error": {"code": 400, "message": str(invalid), "errors": [{"reason": "invalidQuery"}]}})

    def let_in(self) -> None:
        """Raise what the service says to whom it does not answer."""
        token = str(self.headers.get("Authorization")).removeprefix("Bearer ")
        if token in REFUSED:
            raise Refused(403, *REFUSED[token])
        if token != TOKEN:
            raise Refused(401, "authError", "Invalid Credentials")

    def route(self, method: str, path: str) -> Any:
        """The answer of the first route that matches."""
        if path == "/token":
            return self.token()
        found = re.fullmatch(r"/bigquery/v2/projects/([^/]+)(/.*)", path)
        if found is None:
            raise Refused(404, "notFound", "no such path")
        if found[1] != self.server.warehouse.project:
            raise Missing(f"Not found: Project {found[1]}")
        for known, pattern, answer in _ROUTES:
            match = re.fullmatch(pattern, found[2])
            if known == method and match:
                return answer(self, *map(unquote, match.groups()))
        raise Refused(404, "notFound", "no such path")

    def send(self, code: int, document: Any) -> None:
        """Send a JSON document."""
        content = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def token(self) -> Any:
        """A token for an assertion that the service account's key signed."""
        assertion = parse_qs(self.body.decode())["assertion"][0]
        try:
            claims = jwt.decode(assertion, certs={"key": self.server.public_key}, verify=True)
        except ValueError:
            raise Refused(400, "invalid_grant", "Invalid JWT Signature.") from None
        account = str(claims["iss"]).partition("@")[0]
        if claims["iss"] != self.server.email and account not in REFUSED:
            raise Refused(400, "invalid_grant", "Invalid grant: account not found")
        return {"access_token": account if account in REFUSED else TOKEN, "expires_in": 3600, "token_type": "Bearer"}

    def datasets(self) -> Any:
        """The datasets of the project."""
        names = sorted(name for name in self.server.warehouse.datasets if not name.startswith("_"))
        project = self.server.warehouse.project
        return {"datasets": [{"datasetReference": {"projectId": project, "datasetId": name}} for name in names]}

    def dataset(self, name: str) -> Any:
        """One dataset."""
        self.server.warehouse.listed(name)
        return {"datasetReference": {"projectId": self.server.warehouse.project, "datasetId": name}, "location": "US"}

    def table(self, dataset: str, name: str) -> Any:
        """One table with its schema."""
        if dataset == "hidden" or (dataset, name) in self.server.warehouse.closed:
            raise Refused(403, "accessDenied", f"Access Denied: Table {dataset}.{name}: permission denied")
        version = self.server.warehouse.at(dataset, name)
        found: dict[str, Any] = {
            "tableReference": self.reference(dataset, name),
            "schema": {"fields": [one.resource() for one in version.fields]},
            "type": version.kind,
            "numRows": str(version.rows.num_rows if version.rows is not None else 0),
            "lastModifiedTime": str(int(version.since.timestamp() * 1000)),
        }
        if version.partition:
            found |= {"requirePartitionFilter": True, "timePartitioning": {"type": "DAY", "field": version.partition}}
        if version.key:
            found["tableConstraints"] = {"primaryKey": {"columns": list(version.key)}}
        return found

    def data(self, dataset: str, name: str) -> Any:
        """Rows of a table, some of its columns."""
        version = self.server.warehouse.at(dataset, name)
        wanted = self.asked.get("selectedFields")
        fields = [one for one in version.fields if wanted is None or one.name in wanted.split(",")]
        return self.page(version, fields)

    def begin(self) -> Any:
        """A job that has run when it is answered."""
        document = json.loads(self.body)
        query = document["configuration"]["query"]["query"]
        dataset, table = self.server.warehouse.query(query)
        name = document.get("jobReference", {}).get("jobId") or uuid.uuid4().hex
        document["configuration"]["jobType"] = "QUERY"
        document["configuration"]["query"]["destinationTable"] = self.reference(dataset, table)
        moment = str(int(time.time() * 1000))
        self.server.jobs[name] = {
            "jobReference": {"projectId": self.server.warehouse.project, "jobId": name, "location": "US"},
            "configuration": document["configuration"],
            "status": {"state": "DONE"},
            "statistics": {"creationTime": moment, "startTime": moment, "endTime": moment,
                           "query": {"statementType": "SELECT", "totalBytesProcessed": "0"}},
        }  # fmt: skip
        return self.server.jobs[name]

    def job(self, name: str) -> Any:
        """One job."""
        return self.server.jobs[name]

    def cancelled(self, name: str) -> Any:
        """A job that was asked to stop."""
        return {"job": self.server.jobs[name]}

    def results(self, name: str) -> Any:
        """Schema and rows of a query."""
        job = self.server.jobs[name]
        target = job["configuration"]["query"]["destinationTable"]
        version = self.server.warehouse.at(target["datasetId"], target["tableId"])
        found = {
            "jobReference": job["jobReference"],
            "jobComplete": True,
            "schema": {"fields": [one.resource() for one in version.fields]},
        }
        return found | self.page(version, list(version.fields))

    def page(self, version: Version, fields: list[Field]) -> dict[str, Any]:
        """Rows in the form of the REST service."""
        rows = version.rows
        assert rows is not None
        most = int(self.asked.get("maxResults", 1000))
        if most == 0:
            return {"totalRows": str(rows.num_rows)}
        cells = [rows.column(one.name).slice(0, most).to_pylist() for one in fields]
        packed = [
            {"f": [{"v": cell(value, one)} for value, one in zip(row, fields, strict=True)]}
            for row in zip(*cells, strict=True)
        ]
        return {"totalRows": str(rows.num_rows), "rows": packed}

    def reference(self, dataset: str, table: str) -> dict[str, str]:
        """A table's reference."""
        return {"projectId": self.server.warehouse.project, "datasetId": dataset, "tableId": table}


def cell(value: Any, one: Field) -> Any:
    """A value as the REST service writes it."""
    if value is None:
        return None
    if one.mode == "REPEATED":
        return [{"v": scalar(part, one)} for part in value]
    return scalar(value, one)


def scalar(value: Any, one: Field) -> Any:
    """A value that is no list."""
    if value is None:
        return None
    if one.type == "RECORD":
        return {"f": [{"v": cell(value[part.name], part)} for part in one.fields]}
    if one.type == "RANGE":
        start, end = (value[side] or "UNBOUNDED" for side in ("start", "end"))
        return f"[{start}, {end})"
    if one.type == "BYTES":
        return base64.b64encode(value).decode()
    if one.type == "BOOLEAN":
        return "true" if value else "false"
    if one.type == "TIMESTAMP":
        return str((value - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1))
    if one.type == "INTERVAL":
        months, micros = abs(value.months), abs(value.nanoseconds) // 1000
        calendar = f"{'-' if value.months < 0 else ''}{months // 12}-{months % 12}"
        clock = f"{'-' if value.nanoseconds < 0 else ''}{dt.timedelta(microseconds=micros)}"
        return f"{calendar} {value.days} {clock}"
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


_TABLE = r"/datasets/([^/]+)/tables/([^/]+)"
_ROUTES: list[tuple[str, str, Callable[..., Any]]] = [
    ("GET", "/datasets", Handler.datasets),
    ("GET", r"/datasets/([^/]+)", Handler.dataset),
    ("GET", _TABLE, Handler.table),
    ("GET", f"{_TABLE}/data", Handler.data),
    ("POST", "/jobs", Handler.begin),
    ("GET", r"/jobs/([^/]+)", Handler.job),
    ("POST", r"/jobs/([^/]+)/cancel", Handler.cancelled),
    ("GET", r"/queries/([^/]+)", Handler.results),
]
__all__ = ["RestServer", "now"]
