"""A MongoDB server in memory that speaks OP_MSG and SCRAM-SHA-256 with the vendor's own client.

It knows the commands a reader sends: handshake, login, lists, find with filter, order and projection, counting by
aggregation, cursors. Values are compared inside their own family, as the server does.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import itertools
import os
import random
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from operator import ge, gt, le, lt
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
CODEC = CodecOptions(tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_MS)
ITERATIONS = 4096
MOST_BYTES = 4_000_000
_TYPES = {
    float: "double", str: "string", dict: "object", list: "array", bytes: "binData", ObjectId: "objectId",
    bool: "bool", DatetimeMS: "date", int: "int", Int64: "long", Decimal128: "decimal", type(None): "null",
}  # fmt: skip


class Refusal(Exception):
    """A command refused with the server's error code."""

    def __init__(self, code: int, name: str, words: str) -> None:
        super().__init__(words)
        self.document = {"ok": 0.0, "errmsg": words, "code": code, "codeName": name}


class MongoDouble:
    """The server: ``collections`` by name, one user; ``hidden`` collections are refused to it."""

    def __init__(self, user: str, password: str, database: str, context: ssl.SSLContext | None = None) -> None:
        self.user, self.password, self.database = user, password, database
        self.collections: dict[str, list[dict[str, Any]]] = {}
        self.hidden: set[str] = set()
        self.cursors: dict[int, tuple[str, Iterator[dict[str, Any]]]] = {}
        self._context = context
        self._numbers = itertools.count(1000)
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def sessions(self) -> int:
        """Connections that are open now."""
        return len(self._open)

    def cut(self) -> None:
        """End every connection from the server's side."""
        for connection in list(self._open):
            with_shutdown(connection)

    def close(self) -> None:
        """Stop listening and end every connection."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            self._open.add(connection)
            _Conversation(self, connection).run()
        except (OSError, ssl.SSLError):
            pass
        finally:
            self._open.discard(connection)
            connection.close()

    def command(self, document: dict[str, Any]) -> dict[str, Any]:
        """The answer to a command of somebody who is logged in."""
        name = next(iter(document))
        found = getattr(self, f"_do_{name.lower()}", None)
        if found is None:
            raise Refusal(59, "CommandNotFound", f"no such command: '{name}'")
        return {**found(document), "ok": 1.0}

    def _do_ping(self, document: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _do_endsessions(self, document: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _do_buildinfo(self, document: dict[str, Any]) -> dict[str, Any]:
        return {"version": "8.0.4", "versionArray": [8, 0, 4, 0]}

    def _do_listcollections(self, document: dict[str, Any]) -> dict[str, Any]:
        wanted = document.get("filter", {}).get("name")
        here = self.collections if document["$db"] == self.database else {}
        rows = [
            {"name": name, "type": "collection", "options": {}, "info": {"readOnly": False}}
            for name in [*here, "system.views"]
            if wanted is None or name == wanted
        ]
        return {"cursor": {"id": Int64(0), "ns": f"{document['$db']}.$cmd.listCollections", "firstBatch": rows}}

    def _do_count(self, document: dict[str, Any]) -> dict[str, Any]:
        return {"n": len(self._rows(document["count"]))}

    def _do_find(self, document: dict[str, Any]) -> dict[str, Any]:
        rows = [row for row in self._rows(document["find"]) if matches(row, document.get("filter", {}))]
        for field, direction in reversed(list(document.get("sort", {}).items())):
            rows.sort(key=lambda row: rank(row.get(field)), reverse=direction < 0)
        if document.get("limit"):
            rows = rows[: document["limit"]]
        chosen = document.get("projection")
        return self._cursor(document["find"], (project(row, chosen) for row in rows), document.get("batchSize", 101))

    def _do_aggregate(self, document: dict[str, Any]) -> dict[str, Any]:
        rows = list(self._rows(document["aggregate"]))
        for stage in document["pipeline"]:
            ((name, value),) = stage.items()
            if name == "$match":
                rows = [row for row in rows if matches(row, value)]
            elif name == "$limit":
                rows = rows[:value]
            elif name == "$sample":
                rows = random.sample(rows, min(value["size"], len(rows)))
            elif name == "$group":
                rows = [{"_id": value["_id"], "n": len(rows)}] if rows else []
            else:
                raise Refusal(40324, "Location40324", f"Unrecognized pipeline stage name: '{name}'")
        return self._cursor(document["aggregate"], iter(rows), 101)

    def _do_getmore(self, document: dict[str, Any]) -> dict[str, Any]:
        number = int(document["getMore"])
        if number not in self.cursors:
            raise Refusal(43, "CursorNotFound", f"cursor id {number} not found")
        name, rows = self.cursors[number]
        batch, more = self._take(rows, document.get("batchSize", 0))
        if not more:
            del self.cursors[number]
        space = f"{self.database}.{name}"
        return {"cursor": {"id": Int64(number if more else 0), "ns": space, "nextBatch": batch}}

    def _do_killcursors(self, document: dict[str, Any]) -> dict[str, Any]:
        for number in document["cursors"]:
            self.cursors.pop(int(number), None)
        return {"cursorsKilled": document["cursors"], "cursorsNotFound": [], "cursorsAlive": [], "cursorsUnknown": []}

    def _rows(self, name: str) -> list[dict[str, Any]]:
        if name in self.hidden:
            raise Refusal(13, "Unauthorized", f"not authorized on {self.database} to execute command on {name}")
        return self.collections.get(name, [])

    def _cursor(self, name: str, rows: Iterator[dict[str, Any]], size: int) -> dict[str, Any]:
        batch, more = self._take(rows, size)
        number = next(self._numbers) if more else 0
        if more:
            self.cursors[number] = (name, rows)
        return {"cursor": {"id": Int64(number), "ns": f"{self.database}.{name}", "firstBatch": batch}}

    @staticmethod
    def _take(rows: Iterator[dict[str, Any]], size: int) -> tuple[list[dict[str, Any]], bool]:
        batch: list[dict[str, Any]] = []
        weight = 0
        for row in rows:
            batch.append(row)
            weight += len(bson.encode(row, codec_options=CODEC)) if len(batch) % 50 == 0 else 0
            if (size and len(batch) >= size) or weight * 50 > MOST_BYTES:
                return batch, True
        return batch, False


class _Conversation:
    """One connection: its login, then its commands."""

    def __init__(self, server: MongoDouble, connection: socket.socket) -> None:
        self.server, self.connection = server, connection
        self.known = not server.user
        self._login: dict[str, Any] = {}

    def run(self) -> None:
        while True:
            size, number, _, code = struct.unpack("<iiii", self._exactly(16))
            if not 16 < size <= 1_000_000:
                raise OSError("this is no message of the protocol")
            body = self._exactly(size - 16)
            if code == OP_QUERY:
                end = body.index(b"\x00", 4)
                answer = bson.encode(self._answer(bson.decode(body[end + 9 :], CODEC)))
                reply = struct.pack("<iqii", 8, 0, 0, 1) + answer
                self._send(OP_REPLY, number, reply)
            else:
                document = bson.decode(body[5:], CODEC) if body[4] == 0 else {}
                self._send(OP_MSG, number, struct.pack("<iB", 0, 0) + bson.encode(self._answer(document)))

    def _answer(self, document: dict[str, Any]) -> dict[str, Any]:
        name = next(iter(document)).lower()
        try:
            if name in ("hello", "ismaster"):
                return self._hello(document)
            if name in ("saslstart", "saslcontinue"):
                return self._scram(document)
            if not self.known:
                raise Refusal(13, "Unauthorized", f"command {name} requires authentication")
            return self.server.command(document)
        except Refusal as refusal:
            return refusal.document

    def _hello(self, document: dict[str, Any]) -> dict[str, Any]:
        answer = {
            "ismaster": True, "isWritablePrimary": True, "helloOk": True, "maxBsonObjectSize": 16777216,
            "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000, "minWireVersion": 0, "maxWireVersion": 25,
            "logicalSessionTimeoutMinutes": 30, "readOnly": False, "ok": 1.0,
        }  # fmt: skip
        if "saslSupportedMechs" in document:
            answer["saslSupportedMechs"] = ["SCRAM-SHA-256"]
        return answer

    def _scram(self, document: dict[str, Any]) -> dict[str, Any]:
        payload = bytes(document["payload"]).decode()
        fields = dict(part.split("=", 1) for part in payload.split(",") if "=" in part)
        if "saslStart" in document:
            nonce = fields["r"] + base64.b64encode(os.urandom(18)).decode()
            salt = os.urandom(16)
            first = f"r={nonce},s={base64.b64encode(salt).decode()},i={ITERATIONS}"
            self._login = {"user": fields["n"], "salt": salt, "nonce": nonce, "said": f"{payload[3:]},{first}"}
            return self._sasl(first.encode(), done=False)
        if not fields:
            return self._sasl(b"", done=True)
        salted = hashlib.pbkdf2_hmac("sha256", self.server.password.encode(), self._login["salt"], ITERATIONS)
        stored = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
        said = f"{self._login['said']},{payload[: payload.rindex(',p=')]}".encode()
        proof = base64.b64decode(payload[payload.rindex(",p=") + 3 :])
        key = bytes(a ^ b for a, b in zip(proof, _hmac(stored, said), strict=True))
        if hashlib.sha256(key).digest() != stored or self._login["user"] != self.server.user:
            raise Refusal(18, "AuthenticationFailed", "Authentication failed.")
        self.known = True
        verifier = base64.b64encode(_hmac(_hmac(salted, b"Server Key"), said)).decode()
        return self._sasl(f"v={verifier}".encode(), done=True)

    @staticmethod
    def _sasl(payload: bytes, *, done: bool) -> dict[str, Any]:
        return {"conversationId": 1, "done": done, "payload": payload, "ok": 1.0}

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            part = self.connection.recv(size - len(found))
            if not part:
                raise OSError("the peer has gone")
            found += part
        return found

    def _send(self, code: int, answers: int, body: bytes) -> None:
        self.connection.sendall(struct.pack("<iiii", 16 + len(body), 0, answers, code) + body)


def with_shutdown(connection: socket.socket) -> None:
    """End a connection at once."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def type_of(value: Any) -> str:
    """A value's type as ``$type`` names it."""
    return _TYPES.get(type(value), type(value).__name__)


def rank(value: Any) -> tuple[int, Any]:
    """Where a value stands in the server's order of all values."""
    kind = type_of(value)
    if kind == "null":
        return 0, 0
    if kind in ("int", "long", "double", "decimal"):
        return 1, value.to_decimal() if kind == "decimal" else value
    if kind == "date":
        return 9, int(value)
    return {"string": 2, "objectId": 7, "bool": 8}.get(kind, 5), str(value) if kind != "objectId" else value


def matches(row: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether a document passes a filter."""
    for name, condition in wanted.items():
        if name == "$and":
            if not all(matches(row, part) for part in condition):
                return False
        elif name == "$or":
            if not any(matches(row, part) for part in condition):
                return False
        elif not _passes(row, name, condition):
            return False
    return True


def _passes(row: dict[str, Any], name: str, condition: Any) -> bool:
    value = row.get(name)
    if not (isinstance(condition, dict) and any(key.startswith("$") for key in condition)):
        return rank(value) == rank(condition)
    for operator, operand in condition.items():
        if operator == "$not":
            passed = not _passes(row, name, operand)
        elif operator == "$type":
            passed = name in row and type_of(value) in ([operand] if isinstance(operand, str) else operand)
        elif operator == "$in":
            passed = any(_ordered("$lte", value, one) and _ordered("$gte", value, one) for one in operand)
        else:
            passed = _ordered(operator, value, operand)
        if not passed:
            return False
    return True


def _ordered(operator: str, value: Any, operand: Any) -> bool:
    """Whether a value is on the asked side of another of its kind; NaN is equal to itself, and on no side of others."""
    mine, other = rank(value), rank(operand)
    if mine[0] != other[0]:
        return False
    if mine[1] != mine[1] or other[1] != other[1]:
        return operator in ("$gte", "$lte") and mine[1] != mine[1] and other[1] != other[1]
    compared: dict[str, Callable[[Any, Any], bool]] = {"$gt": gt, "$gte": ge, "$lt": lt, "$lte": le}
    return compared[operator](mine[1], other[1])


def project(row: dict[str, Any], chosen: dict[str, Any] | None) -> dict[str, Any]:
    """The chosen fields of a document."""
    if not chosen:
        return row
    wanted = {name for name, take in chosen.items() if take}
    if chosen.get("_id", 1):
        wanted.add("_id")
    return {name: value for name, value in row.items() if name in wanted}


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, "sha256").digest()
