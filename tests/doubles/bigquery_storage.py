"""The double's Storage Read service over gRPC, in the library's own messages."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import grpc
import pyarrow as pa
from doubles.bigquery import Invalid, Missing, Warehouse
from doubles.bigquery_rest import TOKEN
from doubles.certificate import Certificate
from google.cloud.bigquery_storage_v1 import types

SERVICE = "google.cloud.bigquery.storage.v1.BigQueryRead"
ROWS = 500


@dataclass
class StorageServer:
    """gRPC with encryption on a free port of this machine."""

    warehouse: Warehouse
    certificate: Certificate

    def __post_init__(self) -> None:
        self.sessions: dict[str, pa.Table] = {}
        self.reading = 0
        self._lock = threading.Lock()
        self._server = grpc.server(ThreadPoolExecutor(max_workers=16))
        create = grpc.unary_unary_rpc_method_handler(
            self._create, types.CreateReadSessionRequest.deserialize, types.ReadSession.serialize
        )
        rows = grpc.unary_stream_rpc_method_handler(
            self._rows, types.ReadRowsRequest.deserialize, types.ReadRowsResponse.serialize
        )
        handler = grpc.method_handlers_generic_handler(SERVICE, {"CreateReadSession": create, "ReadRows": rows})
        self._server.add_generic_rpc_handlers((handler,))
        pair = (self.certificate.key.read_bytes(), self.certificate.certificate.read_bytes())
        self.port = self._server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
        self._server.start()

    def end_sessions(self) -> None:
        """End every read session, and with it whoever reads it."""
        self.sessions.clear()

    def stop(self) -> None:
        """Stop serving."""
        self._server.stop(0)

    def _create(self, request: Any, context: Any) -> Any:
        self._let_in(context)
        wanted = request.read_session
        _, _, _, dataset, _, table = wanted.table.split("/")
        moment = wanted.table_modifiers.snapshot_time
        at = moment.replace(tzinfo=UTC) if moment else None
        try:
            version = self.warehouse.at(dataset, table, at)
            names = list(wanted.read_options.selected_fields)
            known = {one.name for one in version.fields}
            for name in names:
                if name not in known:
                    context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"request failed: No such field: {name}")
            order = [one.name for one in version.fields if one.name in names]
            rows = self.warehouse.filtered(version, order, wanted.read_options.row_restriction)
        except Missing as missing:
            context.abort(grpc.StatusCode.NOT_FOUND, str(missing))
        except Invalid as invalid:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(invalid))
        name = f"projects/p/locations/us/sessions/{uuid.uuid4().hex}"
        self.sessions[name] = rows
        found = types.ReadSession(
            name=name,
            data_format=types.DataFormat.ARROW,
            arrow_schema=types.ArrowSchema(serialized_schema=rows.schema.serialize().to_pybytes()),
        )
        if rows.num_rows:
            found.streams = [types.ReadStream(name=f"{name}/streams/0")]
        return found

    def _rows(self, request: Any, context: Any) -> Iterator[Any]:
        self._let_in(context)
        name = request.read_stream.partition("/streams/")[0]
        if name not in self.sessions:
            context.abort(grpc.StatusCode.NOT_FOUND, "the session has ended")
        with self._lock:
            self.reading += 1
        try:
            rows = self.sessions[name].slice(request.offset)
            for start in range(0, rows.num_rows, ROWS):
                if name not in self.sessions:
                    context.abort(grpc.StatusCode.UNAVAILABLE, "the session was ended")
                batch = rows.slice(start, ROWS).combine_chunks().to_batches()[0]
                packed = types.ArrowRecordBatch(serialized_record_batch=batch.serialize().to_pybytes())
                yield types.ReadRowsResponse(arrow_record_batch=packed, row_count=batch.num_rows)
        finally:
            with self._lock:
                self.reading -= 1

    def _let_in(self, context: Any) -> None:
        told = dict(context.invocation_metadata()).get("authorization")
        if told != f"Bearer {TOKEN}":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "Request had invalid authentication credentials.")
