"""One connection to BigQuery: questions, queries, and streams of rows."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from b2b_recs.engine.errors import EngineError, TableMissing
from b2b_recs.engine.sources.bigquery.errors import TOO_MANY, failed, lost
from b2b_recs.engine.sources.bigquery.parameters import BigQueryParameters
from b2b_recs.engine.sources.bigquery.services import DRIVER, Clients, Services, connect, driver
from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.engine.sources.proxy import GuardedProxy
from b2b_recs.engine.sources.small_answers import paged, small_answer

QUESTION_SECONDS = 60
RETRY_SECONDS = 30
READ_SECONDS = 12 * 3600
# How often a stream is taken up again before it counts as lost.
_RESUMED = 3


class Session:
    """The clients of one connection, through one guarded proxy. Raises the engine's errors only."""

    def __init__(self, parameters: BigQueryParameters, services: Services, dial: Dialer) -> None:
        self.parameters = parameters
        self._module = driver(DRIVER)
        self._proxy = GuardedProxy(dial)
        self._closed = False
        try:
            self._clients: Clients = connect(parameters, services, self._proxy)
        except BaseException:
            self._proxy.close()
            raise
        self._retry = self._retrying()

    def ask(self, method: str, *arguments: Any, subject: str, **more: Any) -> Any:
        """The answer of one method of the REST client; what it lists is read to the end."""
        try:
            found = getattr(self._clients.rest, method)(*arguments, retry=self._retry, timeout=QUESTION_SECONDS, **more)
            if not hasattr(type(found), "pages"):
                return found
            return [one for (one,) in self.bounded((one,) for one in self._paged(found))]
        except self._failures() as error:
            raise self.failed(error, subject) from None

    def query(self, sql: str, subject: str, *, seconds: int = QUESTION_SECONDS) -> list[Any]:
        """Rows of a small answer, each a sequence of Python values."""
        try:
            job = self.begin(sql)
            rows = job.result(retry=self._retry, timeout=seconds)
            return self.bounded(tuple(row.values()) for row in self._paged(rows))
        except self._failures() as error:
            raise self.failed(error, subject) from None

    def bounded(self, rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The rows of an answer. Raises SourceRefused when there are more than any project has."""
        return small_answer(rows, self.parameters.project, refusal=TOO_MANY)

    def _paged(self, found: Any) -> Iterator[Any]:
        """What the pages of an answer hold. Raises SourceRefused for pages without end that hold nothing."""
        return paged(found.pages, self.parameters.project, TOO_MANY)

    def begin(self, sql: str) -> Any:
        """The job of a query that now runs; raises the library's errors."""
        config = self._module.QueryJobConfig(use_legacy_sql=False, labels={"client": "b2b-recs"})
        return self._clients.rest.query(
            sql,
            job_config=config,
            location=self.parameters.location or None,
            retry=self._retry,
            timeout=QUESTION_SECONDS,
            job_retry=None,
        )

    def started(self, sql: str, subject: str) -> Any:
        """The job of a bulk query that now runs."""
        try:
            return self.begin(sql)
        except self._failures() as error:
            raise self.failed(error, subject) from None

    def finished(self, job: Any, subject: str) -> Any:
        """The anonymous table that holds a query's rows, once it has run."""
        try:
            job.result(retry=self._retry, timeout=READ_SECONDS)
            return job.destination
        except self._failures() as error:
            raise self.failed(error, subject) from None

    def cancel(self, job: Any) -> None:
        """Stop a query on the server; nothing to say when it has ended already."""
        with contextlib.suppress(Exception):
            job.cancel(retry=None, timeout=QUESTION_SECONDS)

    def opened(self, table: Any, columns: list[str], restriction: str, moment: dt.datetime | None, subject: str) -> Any:
        """A read session of one stream over a table, as it was at ``moment``; rows keep the table's order."""
        types = driver("google.cloud.bigquery_storage_v1.types")
        wanted = types.ReadSession(
            table=f"projects/{table.project}/datasets/{table.dataset_id}/tables/{table.table_id}",
            data_format=types.DataFormat.ARROW,
            read_options=types.ReadSession.TableReadOptions(selected_fields=columns, row_restriction=restriction),
        )
        if moment is not None:
            wanted.table_modifiers = types.ReadSession.TableModifiers(snapshot_time=moment)
        try:
            asked = types.CreateReadSessionRequest(
                parent=f"projects/{self.parameters.project}", read_session=wanted, max_stream_count=1
            )
            return self._clients.storage.create_read_session(asked, retry=self._retry, timeout=QUESTION_SECONDS)
        except self._failures() as error:
            raise self.failed(error, subject) from None

    def batches(self, opened: Any, calls: list[Any], subject: str) -> Iterator[pa.RecordBatch]:
        """The rows of a read session; every running call is in ``calls``, so that another thread may cancel it."""
        if not opened.streams:
            return
        schema = pa.ipc.read_schema(pa.py_buffer(opened.arrow_schema.serialized_schema))
        try:
            for stream in opened.streams:
                for answer in self._answers(stream.name, calls):
                    packed = pa.py_buffer(answer.arrow_record_batch.serialized_record_batch)
                    yield pa.ipc.read_record_batch(packed, schema)
        except self._failures() as error:
            refusal = self.failed(error, subject)
            # What was there when the session began is not missing: the session itself has ended.
            raise lost(subject, str(refusal)) if isinstance(refusal, TableMissing) else refusal from None

    def _answers(self, stream: str, calls: list[Any]) -> Iterator[Any]:
        """The messages of a stream, taken up again after the last row when the service goes away for a moment."""
        types = driver("google.cloud.bigquery_storage_v1.types")
        away = driver("google.api_core.exceptions").ServiceUnavailable
        rows = failures = 0
        while True:
            try:
                asked = types.ReadRowsRequest(read_stream=stream, offset=rows)
                call = self._clients.storage.read_rows(asked, retry=None, timeout=READ_SECONDS)
                calls.append(call)
                for answer in call:
                    rows += answer.row_count
                    failures = 0
                    yield answer
                return
            except away:
                failures += 1
                if failures > _RESUMED or self._proxy.refusals or self._closed:
                    raise
                time.sleep(failures)

    def failed(self, error: BaseException, subject: str) -> EngineError:
        """The engine's error for a library's error: the guard's own where the guard refused."""
        return self._proxy.refusal() or failed(error, self.parameters, subject)

    def close(self) -> None:
        """Close the clients and every connection; safe to call twice."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(Exception):
                self._clients.close()
            self._proxy.close()

    def _retrying(self) -> Any:
        """The library's own rule of what to try again, but not after the guard's refusal, and not for minutes."""
        retry = driver("google.cloud.bigquery.retry").DEFAULT_RETRY
        usual, away = retry._predicate, driver("google.api_core.exceptions").ServiceUnavailable

        def again(error: Exception) -> bool:
            # The library does not know that gRPC is away as HTTP can be.
            return not self._closed and not self._proxy.refusals and (bool(usual(error)) or isinstance(error, away))

        return retry.with_predicate(again).with_timeout(RETRY_SECONDS)

    def _failures(self) -> tuple[type[BaseException], ...]:
        """What the libraries raise: of the API, of signing in, of HTTP, of gRPC, of Arrow, and of odd values."""
        return (
            driver("google.api_core.exceptions").GoogleAPIError,
            driver("google.auth.exceptions").GoogleAuthError,
            driver("requests").RequestException,
            driver("grpc").RpcError,
            OSError,
            ValueError,
            OverflowError,
            pa.ArrowException,
        )
