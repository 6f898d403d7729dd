"""Calls to the service: on one channel, through the proxy that checks every address."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar

from b2b_recs.engine.errors import AddressForbidden, BadInput, ConnectionLost
from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.firestore.errors import TOO_MANY, refusal
from b2b_recs.engine.sources.firestore.parameters import FirestoreParameters
from b2b_recs.engine.sources.google_cloud import Service, guarded_channel
from b2b_recs.engine.sources.proxy import GuardedProxy
from b2b_recs.engine.sources.small_answers import paged, small_answer

SERVICE = Service("firestore.googleapis.com")
QUESTION_SECONDS = 60.0
FIRST_SECONDS = 14.0
_Result = TypeVar("_Result")


class Session:
    """One channel. Raises the engine's errors; the driver's own never escape."""

    def __init__(self, parameters: FirestoreParameters, dial: Dialer) -> None:
        self._parameters = parameters
        self._service = load_driver("google.cloud.firestore_v1.services.firestore", extra="firestore", name="Firestore")
        self._types = load_driver("google.cloud.firestore_v1.types", extra="firestore", name="Firestore")
        self.root = f"projects/{parameters.project}/databases/{parameters.database}/documents"
        self._calls: set[Any] = set()
        self._gone = False
        self._lock = threading.Lock()
        self._proxy = GuardedProxy(dial)
        try:
            key = parameters.service_account.get_secret_value()
            self._channel = guarded_channel(SERVICE, key, self._proxy, extra="firestore", name="Firestore")
            self._client = self._connected(self._channel)
            self.collections(seconds=FIRST_SECONDS, most=1)
        except ValueError:
            self.close()
            raise BadInput(
                "The key of the service account cannot sign.",
                advice="Paste the whole file as it was downloaded.",
                field="service_account",
            ) from None
        except BaseException:
            self.close()
            raise

    def collections(self, seconds: float = QUESTION_SECONDS, most: int | None = None) -> list[str]:
        """The names of the collections at the root, sorted; with ``most`` some of them."""
        request = self._types.ListCollectionIdsRequest(parent=self.root, page_size=300)

        def ask() -> list[str]:
            told = self._client.list_collection_ids(request=request, timeout=seconds, retry=None)
            pages = (page.collection_ids for page in told.pages)
            listed = paged(pages, self._parameters.project, TOO_MANY)
            names = ((str(name),) for name in itertools.islice(listed, most))
            return sorted(name for (name,) in small_answer(names, self._parameters.project, refusal=TOO_MANY))

        return self._asked(ask, "the database")

    def run(self, query: Any, moment: datetime, subject: str) -> Iterator[Any]:
        """The documents of a query as of a moment, as protobuf messages, and no more than its limit."""
        left = int(query.limit or 0)
        request = self._types.RunQueryRequest(parent=self.root, structured_query=query, read_time=moment)
        call = self._asked(
            lambda: self._client.run_query(request=request, timeout=QUESTION_SECONDS, retry=None), subject
        )
        with self._lock:
            self._calls.add(call)
        answers = iter(call)
        try:
            while True:
                answer = self._asked(lambda: next(answers, None), subject)
                if answer is None:
                    return
                if answer._pb.HasField("document"):
                    yield answer._pb.document
                    left -= 1
                    if left == 0:
                        return
        finally:
            call.cancel()
            with self._lock:
                self._calls.discard(call)

    def count(self, query: Any, moment: datetime, subject: str) -> int:
        """How many documents a query gives as of a moment, counted by the service."""
        aggregation = self._types.StructuredAggregationQuery
        counting = aggregation(
            structured_query=query,
            aggregations=[aggregation.Aggregation(alias="n", count=aggregation.Aggregation.Count())],
        )
        request = self._types.RunAggregationQueryRequest(
            parent=self.root, structured_aggregation_query=counting, read_time=moment
        )

        def ask() -> int:
            answers = self._client.run_aggregation_query(request=request, timeout=QUESTION_SECONDS, retry=None)
            return sum(int(one.result.aggregate_fields["n"].integer_value) for one in answers)

        return self._asked(ask, subject)

    def interrupt(self) -> None:
        """End the calls that wait for an answer."""
        with self._lock:
            calls = list(self._calls)
        for call in calls:
            call.cancel()

    def hang_up(self) -> None:
        """End every call at once, those that have not begun included; nothing can be asked afterwards."""
        self._gone = True
        self._channel.close()

    def close(self) -> None:
        """Close the channel and the proxy; safe to call twice."""
        channel = getattr(self, "_channel", None)
        if channel is not None:
            channel.close()
        self._proxy.close()

    def _connected(self, channel: Any) -> Any:
        transports = load_driver(
            "google.cloud.firestore_v1.services.firestore.transports.grpc", extra="firestore", name="Firestore"
        )
        transport = transports.FirestoreGrpcTransport(host=SERVICE.host, channel=channel)
        return self._service.FirestoreClient(transport=transport)

    def _asked(self, ask: Callable[[], _Result], subject: str) -> _Result:
        grpc = load_driver("grpc", extra="firestore", name="Firestore")
        core = load_driver("google.api_core.exceptions", extra="firestore", name="Firestore")
        try:
            if self._gone:
                raise ConnectionLost(
                    f"The connection to Firestore was ended while {subject} was read.", advice="Start the run again."
                )
            return ask()
        except (grpc.RpcError, core.GoogleAPICallError) as error:
            refused = self._proxy.refusal()
            # What was reached before and cannot be reached now is a lost connection, unless the guard says no.
            if isinstance(refused, AddressForbidden) or (refused is not None and subject == "the database"):
                raise refused from None
            cause = next((found for found in getattr(error, "errors", ()) if hasattr(found, "code")), error)
            raise refusal(cause, self._parameters, subject) from None
