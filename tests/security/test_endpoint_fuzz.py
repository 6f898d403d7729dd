"""Whatever is sent to the endpoint: never a fault, nothing without a key, nothing of another tenant's model.

The OpenAPI document the endpoint itself hands out is the judge: a body is answered exactly when it fits the document,
and every reply has a status and a shape that are described there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from engine.serving.serving_house import CUSTOMERS, House
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from security.described import fits

from b2b_recs.engine.serving.app import create_app

KEYS = {1: "b2br_1_aaa_first", 2: "b2br_2_bbb_second"}
VERSIONS = {1: "v-of-one", 2: "v-of-two"}
ASKING = ("/recommend", "/recommend-batch")
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Endpoint:
    """The application with two tenants' models, called as a server calls it, so that nothing tidies what is sent."""

    def __init__(self, root: Path) -> None:
        house = House(root)
        for model, seed in ((1, 7), (2, 8)):
            house.deploy(house.train(seed=seed), model, VERSIONS[model], (KEYS[model],))
        self._runner = asyncio.Runner()
        self._app = create_app(house.pointers, house.store.root, clock=lambda: house.now, poll_seconds=3600)
        self._lifespan = self._app.router.lifespan_context(self._app)
        self._runner.run(self._lifespan.__aenter__())
        document = self("GET", "/openapi.json").json
        self.paths, self.components = document["paths"], document["components"]["schemas"]

    def close(self) -> None:
        self._runner.run(self._lifespan.__aexit__(None, None, None))
        self._runner.close()

    def __call__(
        self, method: str, path: str, body: bytes = b"", key: str | None = None, headers: Any = (), parts: int = 1
    ) -> Reply:
        sent = [(name.lower(), value) for name, value in headers]
        if key is not None:
            sent.append((b"authorization", b"Bearer " + key.encode()))
        return self._runner.run(self._call(method, path, body, sent, parts))

    async def _call(self, method: str, path: str, body: bytes, headers: Any, parts: int) -> Reply:
        size = max(1, -(-len(body) // parts))
        chunks = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
        answered: list[Any] = []

        async def receive() -> dict[str, Any]:
            if not chunks:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

        async def send(message: Any) -> None:
            answered.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode("utf-8", "surrogatepass"), "root_path": "", "query_string": b"",
            "headers": headers, "client": ("203.0.113.1", 1), "server": ("serving", 80),
        }  # fmt: skip
        await self._app(scope, receive, send)
        first, *rest = answered
        return Reply(first["status"], dict(first["headers"]), b"".join(one.get("body", b"") for one in rest))

    def described(self, path: str, reply: Reply, method: str = "post") -> bool:
        """Whether the document describes that reply of that path."""
        responses = self.paths[path][method]["responses"]
        if str(reply.status) not in responses:
            return False
        schema = responses[str(reply.status)]["content"]["application/json"]["schema"]
        return fits(reply.json, schema, self.components)

    def wanted(self, path: str, value: Any) -> bool:
        """Whether the document describes that body of that path."""
        schema = self.paths[path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        return fits(value, schema, self.components)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    made = Endpoint(tmp_path_factory.mktemp("endpoint"))
    yield made
    made.close()


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["\x00", "x" * 257, "x" * 1025, "", "only", "never", "only\n", "__proto__", "1e999"])
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner), max_leaves=12
)
PRODUCTS = st.lists(st.sampled_from(["P00", "P29", "unknown", "Ä", "P00'; --"]), max_size=5)
GOOD = {
    "customer_id": st.sampled_from([*CUSTOMERS, "nobody", "😀", "' OR 1=1", "../../etc/passwd"]),
    "customers": st.lists(st.sampled_from([*CUSTOMERS, "nobody"]), min_size=1, max_size=6),
    "k": st.integers(1, 1000),
    "filters": st.none()
    | st.fixed_dictionaries(
        {},
        optional={
            "categories": st.none() | st.lists(st.sampled_from(["candles", "mugs", "none"]), min_size=1),
            "products": st.none() | PRODUCTS,
            "purchased": st.sampled_from([None, "only", "never"]),
        },
    ),
    "exclude": PRODUCTS,
    "context": st.none() | st.dictionaries(st.text("abc", min_size=1), st.text(max_size=5) | st.booleans()),
}


@st.composite
def bodies(draw: st.DrawFn, path: str) -> Any:
    """Mostly a good body with up to two parts made strange; sometimes anything at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(ANYTHING)
    who = "customers" if path.endswith("batch") else "customer_id"
    names = [who, *draw(st.lists(st.sampled_from(["k", "filters", "exclude", "context"]), unique=True))]
    body = {name: draw(GOOD[name]) for name in names}
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from([*body, who, "user", "", "$", "k`", "a.b"]))
        if draw(st.booleans()):
            body[name] = draw(ANYTHING)
        elif isinstance(body.get("filters"), dict):
            body["filters"][draw(st.sampled_from(["categories", "products", "purchased", "sql"]))] = draw(ANYTHING)
        else:
            body.pop(name, None)
    return body


@pytest.mark.parametrize("path", ASKING)
@QUICK
@given(data=st.data())
def test_a_body_is_answered_exactly_when_the_document_describes_it(endpoint: Endpoint, path: str, data: Any) -> None:
    body = data.draw(bodies(path))
    reply = endpoint("POST", path, json.dumps(body).encode(), KEYS[1], parts=data.draw(st.integers(1, 3)))
    assert reply.status == (200 if endpoint.wanted(path, body) else 422), (body, reply.body)
    assert endpoint.described(path, reply)
    if reply.status == 200:
        assert reply.json["model_version"] == VERSIONS[1]
        asked = [body["customer_id"]] if path == "/recommend" else body["customers"]
        given_back = [reply.json] if path == "/recommend" else reply.json["results"]
        assert [one["customer"] for one in given_back] == asked
        for one in given_back:
            assert len(one["recommendations"]) <= body.get("k", 10)
            assert not {row["product_id"] for row in one["recommendations"]} & set(body.get("exclude", ()))


@pytest.mark.parametrize("path", ASKING)
@QUICK
@given(data=st.data())
def test_one_wrong_field_is_named(endpoint: Endpoint, path: str, data: Any) -> None:
    who = "customers" if path.endswith("batch") else "customer_id"
    body = {name: data.draw(GOOD[name]) for name in (who, "k", "filters", "exclude", "context")}
    name = data.draw(st.sampled_from([*body, "surprise"]))
    body[name] = data.draw(ANYTHING)
    reply = endpoint("POST", path, json.dumps(body).encode(), KEYS[1])
    if not endpoint.wanted(path, body):
        error = reply.json["error"]
        assert reply.status == 422
        assert error["field"].startswith(name) and name in error["message"]


@QUICK
@given(
    path=st.sampled_from(ASKING),
    body=st.binary(max_size=200)
    | st.sampled_from([b"\xff\xfe{}", b"[" * 100_000, b'{"k":' * 50_000, b"\xef\xbb\xbf{}"]),
    parts=st.integers(1, 5),
)
def test_bytes_that_are_no_json_are_refused(endpoint: Endpoint, path: str, body: bytes, parts: int) -> None:
    reply = endpoint("POST", path, body, KEYS[2], parts=parts)
    assert reply.status in (400, 422)
    assert endpoint.described(path, reply)


HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"host", b"content-type", b"content-length", b"x-forwarded-for", b"transfer-encoding",
                         b"accept", b"cookie", b"expect", b"x-http-method-override"]),
        st.binary(max_size=30) | st.sampled_from([b"-1", b"9" * 20, b"\xb2", b"application/xml"]),
    ),
    max_size=5,
)  # fmt: skip
WRONG = (
    st.binary(max_size=60)
    | st.sampled_from([b"Bearer", b"Bearer ", b"Basic " + KEYS[1].encode(), b"Bearer " + KEYS[1].upper().encode()])
    | st.binary(max_size=3).map(lambda tail: b"Bearer " + KEYS[1].encode() + b"." + tail)
    | st.integers(0, len(KEYS[1]) - 1).map(lambda size: b"Bearer " + KEYS[1][:size].encode())
)


@QUICK
@given(
    path=st.sampled_from(
        [prefix + path for prefix in ("", "/models/1", "/models/3") for path in (*ASKING, "/model-info")]
    ),
    body=st.binary(max_size=100) | bodies("/recommend").map(lambda body: json.dumps(body).encode()),
    headers=HEADERS,
    wrong=st.none() | WRONG,
)
def test_without_a_good_key_everything_is_401_whatever_else_is_wrong(
    endpoint: Endpoint, path: str, body: bytes, headers: Any, wrong: bytes | None
) -> None:
    if wrong is not None:
        headers = [*headers, (b"authorization", wrong)]
    reply = endpoint("GET" if path.endswith("info") else "POST", path, body, headers=headers)
    assert reply.status == 401
    assert reply.headers[b"www-authenticate"] == b"Bearer"
    assert reply.json["error"]["code"] == "key_refused"


@QUICK
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "BREW", ""]),
    path=st.text(max_size=40).map(lambda text: "/" + text)
    | st.sampled_from(["", "/", "//recommend", "/recommend/", "/models/-1/recommend", "/models/1e3/health",
                       "/models/../recommend", "/models/1/../2/recommend", "/models/%31/recommend",
                       "/models/99999999999999999999999/model-info", "/models/" + "9" * 5000 + "/recommend",
                       "/models/١/recommend", "/models/²/health", "/\ud800", "/recommend\x00", "/health;x"]),
    headers=HEADERS,
    key=st.sampled_from([None, *KEYS.values()]),
    body=st.binary(max_size=50),
)  # fmt: skip
def test_no_address_method_or_header_is_a_fault(
    endpoint: Endpoint, method: str, path: str, headers: Any, key: str | None, body: bytes
) -> None:
    reply = endpoint(method, path, body, key, headers)
    assert reply.status < 500, (method, path)
    assert reply.body == b"" or json.loads(reply.body)
    assert b"Traceback" not in reply.body


@QUICK
@given(
    mine=st.sampled_from([1, 2]),
    named=st.sampled_from(["", "/models/1", "/models/2", "/models/01", "/models/002"]),
    path=st.sampled_from(["/recommend", "/recommend-batch", "/model-info", "/health"]),
    headers=HEADERS,
    customer=st.sampled_from(CUSTOMERS),
)
def test_a_key_never_reaches_the_model_of_another_tenant(
    endpoint: Endpoint, mine: int, named: str, path: str, headers: Any, customer: str
) -> None:
    body = {"customers": [customer]} if path.endswith("batch") else {"customer_id": customer}
    headers = [(name, value) for name, value in headers if name != b"content-length"]
    method = "POST" if path in ASKING else "GET"
    reply = endpoint(method, named + path, json.dumps(body).encode(), KEYS[mine], headers)
    other = 3 - mine
    assert VERSIONS[other].encode() not in reply.body and f"Model {other}".encode() not in reply.body
    if not named or int(named.rsplit("/", 1)[1]) == mine:
        assert reply.status == 200 and VERSIONS[mine].encode() in reply.body
        assert endpoint.described(path, reply, method.lower())
    else:
        assert reply.status == 403


def test_a_body_that_is_too_large_is_refused_before_it_is_read_whole(endpoint: Endpoint) -> None:
    declared = endpoint("POST", "/recommend", b"{}", KEYS[1], [(b"content-length", b"%d" % (3 * 1024 * 1024))])
    streamed = endpoint("POST", "/recommend", b" " * (3 * 1024 * 1024), KEYS[1], parts=40)
    unknown = endpoint("POST", "/recommend", b" " * (3 * 1024 * 1024), "b2br_1_aaa_none", parts=40)
    assert (declared.status, streamed.status, unknown.status) == (413, 413, 401)
