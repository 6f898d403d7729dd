"""Firestore as a source: one open connection."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from b2b_recs.engine.errors import BadInput, TableMissing
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.ahead import read_ahead
from b2b_recs.engine.sources.contract import (
    Batch,
    CheckResult,
    ColumnInfo,
    Dialer,
    ReadRequest,
    Source,
    TableInfo,
)
from b2b_recs.engine.sources.document_values import Word, printed
from b2b_recs.engine.sources.documents import to_batch
from b2b_recs.engine.sources.field_kinds import ID, kinds_in
from b2b_recs.engine.sources.firestore.connection import Session
from b2b_recs.engine.sources.firestore.kinds import FIELDS, kind_of, plain
from b2b_recs.engine.sources.firestore.parameters import FirestoreParameters
from b2b_recs.engine.sources.firestore.queries import Queries, text_of
from b2b_recs.engine.sources.interrupting import Interruption
from b2b_recs.engine.sources.unasked import unasked

_SAMPLE_CHARACTERS = 1000
_LONGEST_ID = 1500
_MOST_IN_PAGE = 5000


class FirestoreSource(Source):
    """One database, read as it was when it was last looked at."""

    def __init__(self, parameters: FirestoreParameters, dial: Dialer) -> None:
        self._parameters = parameters
        self._session = Session(parameters, dial)
        self._looked: datetime | None = None
        self._size = 1000.0

    def check(self) -> CheckResult:
        """The round trip in milliseconds and the database's collections; the service shows no version."""
        started = time.perf_counter()
        tables = self.tables()
        return CheckResult((time.perf_counter() - started) * 1000, "Firestore v1", tuple(tables))

    def tables(self) -> list[TableInfo]:
        """The collections at the root; their sizes are not told without counting."""
        self._looked = None
        return [TableInfo("", name) for name in self._session.collections()]

    def columns(self, schema: str, table: str) -> list[ColumnInfo]:
        """The fields of the documents looked at, the document's id first."""
        self._looked = None
        return self._columns(table)

    def samples(self, schema: str, table: str, columns: Sequence[str], count: int = 5) -> dict[str, list[str | None]]:
        """Up to ``count`` values per field, as text, cut after 1,000 characters."""
        documents = [_plain(found) for found in self._look(table, count)]
        texts = {name: [printed(document.get(name)) for document in documents] for name in columns}
        return {
            name: [text if text is None else text[:_SAMPLE_CHARACTERS] for text in found]
            for name, found in texts.items()
        }

    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        """The largest value of the kind the field is compared by, as exact text."""
        return self._largest(table, cursor, self._queries(table))

    def largest(self, schema: str, table: str, cursor: ColumnMapping) -> str | None:
        """The same by the kind the mapping says."""
        if not cursor.source_type:
            return self.max_cursor(schema, table, cursor.name)
        return self._largest(table, cursor.name, self._queries(table, {cursor.name: cursor.source_type}))

    def _largest(self, table: str, cursor: str, queries: Queries) -> str | None:
        found = list(self._session.run(queries.largest(cursor), self._moment(), table))
        return text_of(_plain(found[0])[cursor]) if found else None

    def count(self, request: ReadRequest) -> int:
        """How many documents the request covers, counted by the service where it can filter them."""
        queries = self._queries(request.table, self._compared(request))
        window = request.window
        if window is not None and window.include_null:
            found = sum(1 for _ in self._documents(request, queries))
        else:
            query = queries.of(request)
            query.order_by = []
            found = self._session.count(query, self._moment(), request.table)
        return found if request.row_limit is None else min(found, request.row_limit)

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches of documents, page by page, all as of one moment."""
        texts = ["string" in kinds_in(column.source_type) for column in request.columns]
        asked = [column.name for column in request.columns]
        queries = self._queries(request.table, self._compared(request))
        size = int(min(_MOST_IN_PAGE, max(20, request.batch_bytes / self._size)))

        def batch_of(found: list[Any]) -> Batch:
            batch = to_batch([_plain(one) for one in found], request.columns, texts, request.time_zone)
            if request.unasked:
                batch.unasked = unasked((one.fields for one in found), asked, kind_of)
            return batch

        def produce() -> Iterator[Batch]:
            documents: list[Any] = []
            for document in self._documents(request, queries, size):
                documents.append(document)
                if len(documents) >= size:
                    yield batch_of(documents)
                    documents = []
            if documents:
                yield batch_of(documents)

        interruption = Interruption(self._session.interrupt, self._session.hang_up)
        yield from read_ahead(produce, request, cancelled, interruption)

    def close(self) -> None:
        """Close the channel."""
        self._session.close()

    def _documents(self, request: ReadRequest, queries: Queries, size: int = _MOST_IN_PAGE) -> Iterator[Any]:
        """The documents of a request as they were sent, at most its row limit."""
        window, left, query = request.window, request.row_limit, queries.of(request)
        while True:
            query.limit = size
            page = list(self._session.run(query, self._moment(), request.table))
            for found in page:
                if (
                    window is not None
                    and window.include_null
                    and not queries.inside(window, _plain(found).get(window.cursor))
                ):
                    continue
                if left is not None and left <= 0:
                    return
                left = left if left is None else left - 1
                yield found
            if len(page) < size:
                return
            query = queries.continued(query, page[-1])

    def _look(self, table: str, count: int) -> list[Any]:
        """Up to ``count`` documents from the beginning of the collection. Raises TableMissing, BadInput."""
        if not table or len(table.encode("utf-8", "replace")) > _LONGEST_ID or "/" in table or "\x00" in table:
            raise BadInput(f"{table[:40]!r} cannot name a collection.", advice="Choose one from the list.")
        query = Queries(table, {}, self._session.root).all()
        query.limit = count
        found = list(self._session.run(query, self._moment(), table))
        if not found:
            # A collection exists as long as it holds a document.
            raise TableMissing(
                f"{self._parameters.project} has no collection {table}, or it is empty.",
                advice="Choose another one from the list.",
            )
        self._size = sum(document.ByteSize() for document in found) / len(found) or 1
        return found

    def _columns(self, table: str) -> list[ColumnInfo]:
        counts: dict[str, Counter[str]] = {}
        for document in self._look(table, self._parameters.sampled_documents):
            for name, value in document.fields.items():
                counts.setdefault(name, Counter())[kind_of(value)] += 1
        return [FIELDS.column(name, counts.get(name, {})) for name in (ID, *sorted(counts.keys() - {ID}))]

    def _kinds(self, table: str) -> dict[str, str]:
        return {column.name: column.source_type for column in self._columns(table)}

    def _compared(self, request: ReadRequest) -> dict[str, str]:
        """The source types of the fields: as the request's columns were recorded, else as seen in documents."""
        recorded = {column.name: column.source_type for column in request.columns if column.source_type}
        return {**self._kinds(request.table), **recorded}

    def _queries(self, table: str, kinds: dict[str, str] | None = None) -> Queries:
        return Queries(table, self._kinds(table) if kinds is None else kinds, self._session.root)

    def _moment(self) -> datetime:
        """The moment whose state is read, fixed at the first question after a fresh look."""
        if self._looked is None:
            self._looked = datetime.now(UTC)
        return self._looked


def _plain(document: Any) -> dict[str, Any]:
    """A document as plain values, its id among them."""
    found = {name: plain(value) for name, value in document.fields.items()}
    found[ID] = Word(document.name.rpartition("/")[2], "document id")
    return found
