"""Firestore in memory over gRPC and TLS, for the vendor's own client.

It answers the calls a reader makes: the list of collections, structured queries (filters, orders, places to start at,
limits, projections of the past by ``read_time``) and counting. Tokens are verified against the account's public key.
"""

from __future__ import annotations

import datetime
import json
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt
from google.cloud.firestore_v1.types import document as documents
from google.cloud.firestore_v1.types import firestore as calls

_VALUE = documents.Value.pb()
SERVICE = "google.firestore.v1.Firestore"
_ORDER = [
    "null_value", "boolean_value", "integer_value", "timestamp_value", "string_value", "bytes_value", "reference_value",
    "geo_point_value", "array_value", "map_value",
]  # fmt: skip


# Accounts of the project that get no answer, and what they are told.
REFUSED = {
    "norights": "Missing or insufficient permissions.",
    "off": "Cloud Firestore API has not been used in project 1 before or it is disabled.",
}


class ServiceAccount:
    """A service account with a key: ``text`` is its key file."""

    def __init__(self, project: str) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        self.public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.text = json.dumps(
            {
                "type": "service_account",
                "project_id": project,
                "private_key_id": secrets.token_hex(20),
                "private_key": private.decode(),
                "client_email": f"reader@{project}.iam.gserviceaccount.com",
                "token_uri": "https://oauth2.googleapis.com/token",
            }
        )


class FirestoreDouble:
    """The service with one database; ``put`` changes a collection, and what was before stays readable by its time."""

    def __init__(self, project: str, account: ServiceAccount, certificate: tuple[str, str]) -> None:
        self.root = f"projects/{project}/databases/(default)/documents"
        self._account = account
        self._states: dict[str, list[tuple[datetime.datetime, dict[str, Any]]]] = {}
        self._active = 0
        self.closed = False
        self._lock = threading.Lock()
        self._server = grpc.server(ThreadPoolExecutor(8))
        key = tuple(part.encode() for part in reversed(certificate))
        self.port = self._server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([key]))
        self._server.add_generic_rpc_handlers([self._handlers()])
        self._server.start()

    def put(self, collection: str, rows: dict[str, dict[str, Any]]) -> None:
        """The collection as it is from now on: fields (protobuf values) by document id."""
        states = self._states.setdefault(collection, [])
        states.append((datetime.datetime.now(datetime.UTC), dict(rows)))

    def now(self, collection: str) -> dict[str, dict[str, Any]]:
        """The documents of a collection as they are."""
        states = self._states.get(collection)
        return dict(states[-1][1]) if states else {}

    def collections(self) -> list[str]:
        """The names of all collections there ever were."""
        return list(self._states)

    def sessions(self) -> int:
        """Calls that are being answered."""
        return self._active

    def close(self) -> None:
        """End every call and stop."""
        self._server.stop(0).wait()

    def _handlers(self) -> Any:
        def unary_stream(answer: Any, request: Any, response: Any) -> Any:
            return grpc.unary_stream_rpc_method_handler(
                self._guarded(answer), request.pb().FromString, response.pb().SerializeToString
            )

        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "ListCollectionIds": grpc.unary_unary_rpc_method_handler(
                    lambda request, context: next(self._guarded(self._collections)(request, context)),
                    calls.ListCollectionIdsRequest.pb().FromString,
                    calls.ListCollectionIdsResponse.pb().SerializeToString,
                ),
                "RunQuery": unary_stream(self._query, calls.RunQueryRequest, calls.RunQueryResponse),
                "RunAggregationQuery": unary_stream(
                    self._aggregate, calls.RunAggregationQueryRequest, calls.RunAggregationQueryResponse
                ),
            },
        )

    def _guarded(self, answer: Any) -> Any:
        def guarded(request: Any, context: Any) -> Iterator[Any]:
            with self._lock:
                self._active += 1
            try:
                self._verify(request, context)
                yield from answer(request, context)
            finally:
                with self._lock:
                    self._active -= 1

        return guarded

    def _verify(self, request: Any, context: Any) -> None:
        sent = dict(context.invocation_metadata()).get("authorization", "")
        try:
            claims = jwt.decode(
                sent.removeprefix("Bearer "), self._account.public, audience="https://firestore.googleapis.com/"
            )
        except ValueError:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "Request had invalid authentication credentials.")
        account = "norights" if self.closed else str(claims["iss"]).partition("@")[0]
        if account in REFUSED:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, REFUSED[account])
        if request.parent.endswith("/databases/datastore-mode/documents"):
            words = "The Cloud Firestore API is not available for Firestore in Datastore Mode database datastore-mode."
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, words)
        if request.parent != self.root:
            context.abort(grpc.StatusCode.NOT_FOUND, "The database does not exist for the project.")

    def _collections(self, request: Any, context: Any) -> Iterator[Any]:
        found = sorted(name for name in self._states if self.now(name))
        start = int(request.page_token or 0)
        page = found[start : start + request.page_size]
        following = str(start + len(page)) if start + len(page) < len(found) else ""
        yield calls.ListCollectionIdsResponse.pb(
            calls.ListCollectionIdsResponse(collection_ids=page, next_page_token=following)
        )

    def _query(self, request: Any, context: Any) -> Iterator[Any]:
        for name, fields in self._found(request.structured_query, request.read_time):
            if not context.is_active():
                return
            answer = calls.RunQueryResponse.pb(calls.RunQueryResponse())
            answer.document.name = name
            for field, value in fields.items():
                answer.document.fields[field].CopyFrom(value)
            yield answer

    def _aggregate(self, request: Any, context: Any) -> Iterator[Any]:
        count = len(self._found(request.structured_aggregation_query.structured_query, request.read_time))
        answer = calls.RunAggregationQueryResponse.pb(calls.RunAggregationQueryResponse())
        answer.result.aggregate_fields["n"].integer_value = count
        yield answer

    def _found(self, query: Any, read_time: Any) -> list[tuple[str, dict[str, Any]]]:
        (source,) = query.from_
        moment = read_time.ToDatetime(tzinfo=datetime.UTC)
        states = [rows for at, rows in self._states.get(source.collection_id, []) if at <= moment]
        rows = {f"{self.root}/{source.collection_id}/{key}": fields for key, fields in (states or [{}])[-1].items()}
        found = [row for row in rows.items() if not query.HasField("where") or passes(row, query.where)]
        orders = list(query.order_by)
        found = [row for row in found if all(value_at(row, order.field.field_path) is not None for order in orders)]
        found.sort(key=lambda row: row[0])
        for order in reversed(orders):
            found.sort(key=lambda row: rank(value_at(row, order.field.field_path)), reverse=order.direction == 2)
        if query.HasField("start_at"):
            start = [rank(value) for value in query.start_at.values]
            paths = [order.field.field_path for order in orders]
            found = [row for row in found if [rank(value_at(row, path)) for path in paths[: len(start)]] > start]
        return found[: query.limit.value] if query.HasField("limit") else found


def value_at(row: tuple[str, dict[str, Any]], path: str) -> Any:
    """The value of a field, None for a document that has none."""
    name, fields = row
    if path == "__name__":
        return _VALUE(reference_value=name)
    return fields.get(path[1:-1].replace("\\`", "`").replace("\\\\", "\\"))


def rank(value: Any) -> tuple[int, Any]:
    """Where a value stands in the service's order of all values."""
    kind = value.WhichOneof("value_type") or "null_value"
    if kind == "double_value":
        return _ORDER.index("integer_value"), value.double_value
    if kind == "timestamp_value":
        return _ORDER.index(kind), (value.timestamp_value.seconds, value.timestamp_value.nanos)
    found = getattr(value, kind)
    return _ORDER.index(kind), found if isinstance(found, int | float | bool | str | bytes) else str(found)


def passes(row: tuple[str, dict[str, Any]], condition: Any) -> bool:
    """Whether a document passes a filter; values are compared inside their own kind."""
    if condition.HasField("composite_filter"):
        return all(passes(row, part) for part in condition.composite_filter.filters)
    wanted = condition.field_filter
    value = value_at(row, wanted.field.field_path)
    if value is None:
        return False
    mine, other = rank(value), rank(wanted.value)
    compare = {1: "<", 2: "<=", 3: ">", 4: ">=", 5: "=="}[wanted.op]
    if mine[0] != other[0]:
        return False
    return {
        "<": mine < other, "<=": mine <= other, ">": mine > other, ">=": mine >= other, "==": mine == other,
    }[compare]  # fmt: skip
