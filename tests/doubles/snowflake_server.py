"""The emulator fakesnow as a server: with logins, encryption and results in chunks, as Snowflake has them.

Run by the Python of the servers' environment: ``python snowflake_server.py PORT CERTIFICATE KEY PUBLIC_KEY``.
Everything about SQL and types is fakesnow's own; added here are the checks of a login (a password, or a token signed by
the private half of PUBLIC_KEY), results cut into chunks the client fetches one by one, and questions for tests. Columns
of types that fakesnow lacks can be shown as such; what they hold is then the text, object or list behind it.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import uuid
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import fakesnow.server as emulator
import jwt
import pyarrow as pa
import uvicorn
from cryptography.hazmat.primitives import serialization
from fakesnow.instance import FakeSnow
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

READER, PASSWORD = "READER", "canary-r3ader's \\ secret"
OWNER, OWNER_PASSWORD = "OWNER", "owner"
CHUNK_ROWS = 500

chunks: dict[str, bytes] = {}
# What columns of these names are shown as.
shown: dict[str, str] = {}
readers: set[str] = set()
settings: dict[str, Any] = {}


async def body_of(request: Request) -> dict[str, Any]:
    body = await request.body()
    return json.loads(gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body)


def refusal(code: str, message: str) -> JSONResponse:
    return JSONResponse({"data": {"nextAction": None}, "code": code, "message": message, "success": False})


def knows(data: dict[str, Any]) -> bool:
    """Whether the login is one of the two users, by password or by a token of the key pair."""
    name = str(data.get("LOGIN_NAME", "")).upper()
    if data.get("AUTHENTICATOR") == "SNOWFLAKE_JWT":
        try:
            claims = jwt.decode(data["TOKEN"], settings["public_key"], algorithms=["RS256"])
        except jwt.PyJWTError:
            return False
        return name == READER and f".{READER}" in str(claims["sub"]).upper()
    return (name, data.get("PASSWORD")) in ((READER, PASSWORD), (OWNER, OWNER_PASSWORD))


async def login(request: Request) -> Response:
    data = (await body_of(request))["data"]
    if not knows(data):
        if data.get("AUTHENTICATOR") == "SNOWFLAKE_JWT":
            return refusal("390144", "JWT token is invalid.")
        return refusal("390100", "Incorrect username or password was specified.")
    if request.query_params.get("roleName", "").upper() not in ("", "ANALYST"):
        return refusal("390189", "Role 'NOBODY' specified in the connect string does not exist or not authorized.")
    answer = await emulator.login_request(request)
    document = json.loads(bytes(answer.body))
    token = document["data"]["token"]
    if str(data["LOGIN_NAME"]).upper() == READER:
        readers.add(token)
    # Without it the client does not end its session.
    document["data"] |= {"masterToken": token, "masterValidityInSeconds": 14400}
    return JSONResponse(document)


async def query(request: Request) -> Response:
    body = await body_of(request)
    if shown:
        # A shape is held as its text.
        body["sqlText"] = re.sub(r'\bST_ASE?WKT\(("[^"]*")\)', r"\1", body["sqlText"])
        raw = json.dumps(body).encode()
        request._body = gzip.compress(raw) if request.headers.get("Content-Encoding") == "gzip" else raw
    answer = await emulator.query_request(request)
    document = json.loads(bytes(answer.body))
    data = document.get("data") or {}
    if data.get("queryResultFormat") != "arrow" or not data.get("rowsetBase64"):
        return answer
    table = scaled(pa.ipc.open_stream(b64decode(data["rowsetBase64"])).read_all())
    if shown and body["sqlText"].startswith("DESCRIBE TABLE"):
        table = described(table)
    data["rowsetBase64"] = b64encode(packed(table.slice(0, CHUNK_ROWS))).decode()
    if table.num_rows <= CHUNK_ROWS:
        return JSONResponse(document)
    # Where the client asks, which may be a relay.
    place = request.headers["host"]
    data["chunks"] = [chunk(place, table.slice(at, CHUNK_ROWS)) for at in range(CHUNK_ROWS, table.num_rows, CHUNK_ROWS)]
    data["chunkHeaders"] = {"x-chunk": "1"}
    return JSONResponse(document)


def described(table: pa.Table) -> pa.Table:
    """What is said of a table's columns, with the types they are shown as."""
    names, types = (table.column(at).to_pylist() for at in (0, 1))
    said = pa.array(
        [shown.get(name, kind) for name, kind in zip(names, types, strict=True)], table.schema.field(1).type
    )
    return table.set_column(1, table.schema.field(1), said)


def scaled(table: pa.Table) -> pa.Table:
    """The rows with decimals as whole numbers of their last digit, as Snowflake sends those of up to 18 digits."""
    for at, one in enumerate(table.schema):
        if pa.types.is_decimal128(one.type) and one.type.precision <= 18:
            digits = [
                None if cell is None else int(cell.scaleb(one.type.scale)) for cell in table.column(at).to_pylist()
            ]
            whole = pa.array(digits, pa.int64())
            table = table.set_column(at, pa.field(one.name, whole.type, one.nullable, one.metadata), whole)
    return table


def chunk(place: str, table: pa.Table) -> dict[str, Any]:
    """A part of a result that waits to be fetched."""
    name, content = uuid.uuid4().hex, packed(table)
    chunks[name] = content
    size = len(content)
    url = f"https://{place}/chunks/{name}"
    return {"url": url, "rowCount": table.num_rows, "uncompressedSize": size, "compressedSize": size}


def packed(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


async def fetch(request: Request) -> Response:
    content = chunks.get(request.path_params["name"])
    return Response(content) if content is not None else Response(status_code=404)


async def show(request: Request) -> Response:
    """Show columns of these names as these types from now on, and no others."""
    shown.clear()
    shown.update(json.loads(request.query_params["types"]))
    return JSONResponse(None)


async def sessions(request: Request) -> Response:
    """How many sessions of the reader are open."""
    return JSONResponse(len(readers & set(emulator.sessions)))


async def end_sessions(request: Request) -> Response:
    """Cut every session of the reader, with the results that wait for it."""
    for token in readers & set(emulator.sessions):
        del emulator.sessions[token]
    chunks.clear()
    return JSONResponse(None)


def main() -> None:
    port, certificate, key, public = sys.argv[1:5]
    settings["public_key"] = serialization.load_pem_public_key(Path(public).read_bytes())
    emulator.shared_fs = FakeSnow(create_database_on_connect=False, create_schema_on_connect=False)
    own = [
        Route("/session/v1/login-request", login, methods=["POST"]),
        Route("/queries/v1/query-request", query, methods=["POST"]),
        Route("/chunks/{name}", fetch),
        Route("/arena/show", show, methods=["POST"]),
        Route("/arena/sessions", sessions),
        Route("/arena/end-sessions", end_sessions, methods=["POST"]),
    ]
    application = Starlette(routes=[*own, *emulator.routes])
    uvicorn.run(
        application, host="127.0.0.1", port=int(port), ssl_certfile=certificate, ssl_keyfile=key, log_level="warning"
    )


if __name__ == "__main__":
    main()
