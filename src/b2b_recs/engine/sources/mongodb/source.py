"""MongoDB as a source: one open connection."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from b2b_recs.engine.errors import BadInput, DatabaseMissing, TableMissing
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
from b2b_recs.engine.sources.document_values import printed
from b2b_recs.engine.sources.documents import to_batch
from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.field_kinds import ID, kinds_in
from b2b_recs.engine.sources.interrupting import Interruption, patiently
from b2b_recs.engine.sources.mongodb.connection import QUESTION_SECONDS, connect, interrupt
from b2b_recs.engine.sources.mongodb.errors import refusal
from b2b_recs.engine.sources.mongodb.kinds import FIELDS, NULLS, TEXTS, kind_of
from b2b_recs.engine.sources.mongodb.parameters import MongoDBParameters
from b2b_recs.engine.sources.mongodb.queries import checked_field, family_of, filter_of, least_beyond, text_of
from b2b_recs.engine.sources.mongodb.sample import look
from b2b_recs.engine.sources.mongodb.values import plain, plain_document
from b2b_recs.engine.sources.small_answers import paged, small_answer
from b2b_recs.engine.sources.unasked import unasked

_TIMED_TABLES = 200
_SAMPLE_CHARACTERS = 1000
_MOST_IN_BATCH = 50_000
_QUESTION = QUESTION_SECONDS * 1000
_LONGEST_NAME = 255


class MongoDBSource(Source):
    """One client of one server, reading one database."""

    def __init__(self, parameters: MongoDBParameters, dial: Dialer) -> None:
        self._parameters = parameters
        self._client = connect(parameters, dial)
        codec = load_driver("bson.codec_options", extra="mongodb", name="MongoDB")
        self._codec = codec.CodecOptions(
            tz_aware=True,
            datetime_conversion=codec.DatetimeConversion.DATETIME_MS,
            unicode_decode_error_handler="strict",
        )
        self._database = self._client.get_database(parameters.database, codec_options=self._codec)

    def check(self) -> CheckResult:
        """The round trip in milliseconds, the server's version, and the database's collections."""
        with self._refusing("the database"):
            started = time.perf_counter()
            self._client.admin.command("ping")
            latency = (time.perf_counter() - started) * 1000
            version = str(self._client.admin.command("buildInfo")["version"])
        tables = self.tables()
        if not tables:
            raise DatabaseMissing(
                f"{self._parameters.host} has nothing to read in a database {self._parameters.database}.",
                advice="Check the name of the database, its capitals too, and the login's rights.",
                field="database",
            )
        return CheckResult(latency, version, tuple(tables))

    def tables(self) -> list[TableInfo]:
        """Collections and views, those of the system left out, with the rows the server believes they have."""
        found: list[TableInfo] = []
        with self._refusing("the list of collections"):
            for name, kind in sorted(small_answer(self._listed(), self._parameters.host)):
                if name.startswith("system."):
                    continue
                rows = None
                if kind == "collection" and len(found) < _TIMED_TABLES:
                    rows = int(self._database[name].estimated_document_count(maxTimeMS=_QUESTION))
                found.append(TableInfo(self._parameters.database, name, "view" if kind == "view" else "table", rows))
        return found

    def columns(self, schema: str, table: str) -> list[ColumnInfo]:
        """The fields of the documents looked at, ``_id`` first, then as they first appear."""
        counts: dict[str, Counter[str]] = {ID: Counter()}
        for document in self._look(table, self._parameters.sampled_documents):
            for name, value in document.items():
                counts.setdefault(name, Counter())[kind_of(value)] += 1
        return [FIELDS.column(name, seen) for name, seen in counts.items()]

    def samples(self, schema: str, table: str, columns: Sequence[str], count: int = 5) -> dict[str, list[str | None]]:
        """Up to ``count`` values per field, as text, cut after 1,000 characters."""
        documents = self._look(table, count)
        texts = {name: [printed(plain(document.get(name))) for document in documents] for name in columns}
        return {
            name: [text if text is None else text[:_SAMPLE_CHARACTERS] for text in found]
            for name, found in texts.items()
        }

    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        """The largest value of the kind the field is compared by, as exact text."""
        return self._largest(table, cursor, family_of(cursor, self._kinds(table)))

    def largest(self, schema: str, table: str, cursor: ColumnMapping) -> str | None:
        """The same by the kind the mapping says."""
        kinds = {cursor.name: cursor.source_type} if cursor.source_type else self._kinds(table)
        return self._largest(table, cursor.name, family_of(cursor.name, kinds, (cursor,)))

    def _largest(self, table: str, cursor: str, family: list[str]) -> str | None:
        name = checked_field(cursor)
        self._find(table)
        limit = least_beyond(family)
        usable = {"$type": family} if limit is None else {"$type": family, "$lt": limit}
        with self._refusing(table):
            found = self._database[table].find_one(
                {name: usable}, {name: 1, "_id": 1}, sort=[(name, -1)], max_time_ms=_QUESTION
            )
        return None if found is None else text_of(found[name], kind_of(found[name]))

    def count(self, request: ReadRequest) -> int:
        """How many documents the request covers."""
        kinds = self._compared(request)
        limit = {"limit": request.row_limit} if request.row_limit is not None else {}
        with self._refusing(request.table):
            return int(self._database[request.table].count_documents(filter_of(request, kinds), **limit))

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches of documents; values that the mapping cannot hold are refused with their row."""
        kinds = self._compared(request)
        names = [column.name for column in request.columns]
        projection = None if request.unasked else self._projection(names)
        texts = [bool(kinds_in(column.source_type) & TEXTS) for column in request.columns]
        order = [(checked_field(name), 1) for name in request.order_by]
        bson = load_driver("bson", extra="mongodb", name="MongoDB")
        options: dict[str, Any] = {"sort": order} if order else {}
        if request.row_limit is not None:
            options["limit"] = request.row_limit

        def produce() -> Iterator[Batch]:
            with self._refusing(request.table):
                cursor = self._database[request.table].find_raw_batches(
                    filter_of(request, kinds), projection, batch_size=self._batch(request), **options
                )
                try:
                    for block in cursor:
                        found = bson.decode_all(block, self._codec)
                        documents = [plain_document(document) for document in found]
                        batch = to_batch(documents, request.columns, texts, request.time_zone)
                        if request.unasked:
                            batch.unasked = unasked(found, names, kind_of, NULLS)
                        yield batch
                finally:
                    cursor.close()

        # Between two blocks the driver stops by itself; only one that never comes has to be given up.
        interruption = Interruption(lambda: None, lambda: interrupt(self._client))
        yield from read_ahead(produce, request, cancelled, interruption)

    def close(self) -> None:
        """Close the client and its connections."""
        with patiently(lambda: interrupt(self._client)):
            self._client.close()

    def _look(self, table: str, count: int) -> list[dict[str, Any]]:
        """Up to ``count`` documents, the same ones each time. Raises TableMissing."""
        by_id = self._find(table) == "collection"
        with self._refusing(table):
            return look(self._database[table], count, _QUESTION, by_id=by_id)

    def _find(self, table: str) -> str:
        """What a collection is in the server's words: collection, view, timeseries. Raises TableMissing, BadInput."""
        if not table or len(table) > _LONGEST_NAME or "\x00" in table or not _is_text(table):
            raise BadInput(f"{table[:40]!r} cannot name a collection.", advice="Choose one from the list.")
        with self._refusing(table):
            kind = next((kind for name, kind in self._listed(filter={"name": table}) if name == table), None)
        if kind is None:
            raise TableMissing(
                f"{self._parameters.database} has no collection {table}.", advice="Choose another one from the list."
            )
        return kind

    def _listed(self, **options: Any) -> Iterator[tuple[str, str]]:
        """Name and kind of each collection; raises SourceRefused for answers without end that hold none."""
        with self._database.list_collections(**options) as cursor:
            for item in paged(_tries(cursor), self._parameters.host):
                yield str(item["name"]), str(item.get("type", "collection"))

    def _kinds(self, table: str) -> dict[str, str]:
        """The source type of every field of the documents looked at; ``_id`` even of an empty collection."""
        return {column.name: column.source_type for column in self.columns("", table)}

    def _compared(self, request: ReadRequest) -> dict[str, str]:
        """The source types of what a request compares by: as its columns were recorded, else as seen now."""
        recorded = {column.name: column.source_type for column in request.columns if column.source_type}
        by = {*(request.order_by if request.key_after else ()), *([request.window.cursor] if request.window else ())}
        if by <= recorded.keys():
            self._find(request.table)
            return recorded
        return {**self._kinds(request.table), **recorded}

    def _projection(self, names: list[str]) -> dict[str, Any] | None:
        """Only the chosen fields, unless a name would be read as a path: then whole documents."""
        if any("." in name or name.startswith("$") for name in names):
            return None
        return {**dict.fromkeys(names, 1), "_id": 1 if "_id" in names else 0}

    def _batch(self, request: ReadRequest) -> int:
        """Documents of one batch, from the size of a few."""
        bson = load_driver("bson", extra="mongodb", name="MongoDB")
        seen = self._look(request.table, 20)
        size = sum(len(bson.encode(document)) for document in seen) / max(1, len(seen)) or 1
        return int(min(_MOST_IN_BATCH, max(20, request.batch_bytes / size)))

    @contextmanager
    def _refusing(self, subject: str) -> Iterator[None]:
        """The engine's errors for the driver's."""
        pymongo = load_driver("pymongo.errors", extra="mongodb", name="MongoDB")
        bson = load_driver("bson.errors", extra="mongodb", name="MongoDB")
        try:
            yield
        except (pymongo.PyMongoError, bson.BSONError) as error:
            raise refusal(error, self._parameters, subject) from None


def _tries(cursor: Any) -> Iterator[list[Any]]:
    """What each step of a cursor gives; by itself the driver would ask for ever until it gets something."""
    while cursor.alive:
        item = cursor.try_next()
        yield [] if item is None else [item]


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
