"""The emulator of Snowflake as the source contract's suite needs it."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import snowflake.connector
from contract.lines import Catalogued, catalogued
from contract.postgresql_arena import dial
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from doubles.certificate import make_certificate

from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.quoting import quote_name
from b2b_recs.engine.sources.registry import open_source

ROOT = Path(__file__).parent.parent.parent
PYTHON = ROOT / ".venv-servers" / "bin" / "python"
PASSWORD = "canary-r3ader's \\ secret"
TYPES = {"integer": "NUMBER(18,0)", "text": "VARCHAR", "time": "TIMESTAMP_NTZ(9)", "decimal": "NUMBER(10,2)"}
# Rows written as literals.
_MANY = 100


@dataclass
class SnowflakeServer:
    """A running emulator: its port, the authority of its certificate, and the key that signs the reader in."""

    port: int
    authority: Path
    private_key: str

    def ask(self, path: str, method: str = "GET") -> Any:
        """The answer to a test's own question."""
        context = ssl.create_default_context(cafile=str(self.authority))
        request = urllib.request.Request(f"https://localhost:{self.port}/arena/{path}", method=method)
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:
            return json.load(answer)


@contextmanager
def running_server(folder: Path) -> Iterator[SnowflakeServer]:
    """A server on a free port, stopped at the end; the client is told by the environment whom to trust."""
    certificate = make_certificate(folder)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = folder / "reader.pub"
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = ROOT / "tests" / "doubles" / "snowflake_server.py"
    command = [str(PYTHON), str(script), str(port), str(certificate.certificate), str(certificate.key), str(public)]
    with (folder / "server.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        before = os.environ.get("REQUESTS_CA_BUNDLE")
        os.environ["REQUESTS_CA_BUNDLE"] = str(certificate.authority)
        try:
            server = SnowflakeServer(port, certificate.authority, private)
            _wait(server, process, folder / "server.log")
            yield server
        finally:
            if before is None:
                del os.environ["REQUESTS_CA_BUNDLE"]
            else:
                os.environ["REQUESTS_CA_BUNDLE"] = before
            process.kill()


def _wait(server: SnowflakeServer, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            server.ask("sessions")
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the emulator did not start: {log.read_text()[-2000:]}") from None
            time.sleep(0.1)


class SnowflakeArena:
    """One database of the emulator, its owner, and a user that reads."""

    type = "snowflake"
    schema = "PUBLIC"

    def __init__(self, server: SnowflakeServer, database: str = "CONTRACT") -> None:
        self.server = server
        self.database = database
        self._owner = snowflake.connector.connect(
            account="tests",
            user="OWNER",
            password="owner",
            host="localhost",
            port=server.port,
            protocol="https",
            disable_ocsp_checks=True,
            platform_detection_timeout_seconds=0.0,
            network_timeout=8,
        )
        self.execute(
            f'CREATE OR REPLACE DATABASE "{database}"', f'USE DATABASE "{database}"',
            "CREATE SCHEMA IF NOT EXISTS PUBLIC", "USE SCHEMA PUBLIC",
        )  # fmt: skip

    def execute(self, *statements: str) -> None:
        """Run trusted SQL as the owner."""
        with self._owner.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def make(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], key: str | None = None
    ) -> None:
        """A fresh table of logical columns."""
        parts = [f"{quoted(name)} {TYPES[kind]}" + (" NOT NULL PRIMARY KEY" if name == key else "")
                 for name, kind in columns.items()]  # fmt: skip
        self.execute(f"CREATE OR REPLACE TABLE {quoted(table)} ({', '.join(parts)})")
        self.add(table, rows)

    def add(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """More rows of a table."""
        if len(rows) > _MANY:
            # As one document: the emulator takes long to parse many literals.
            values = ", ".join(f"f.value[{at}]::{'NUMBER(18,0)' if isinstance(cell, int) else 'VARCHAR'}"
                               for at, cell in enumerate(rows[0]))  # fmt: skip
            document = f"TABLE(FLATTEN(INPUT => PARSE_JSON({literal(json.dumps(rows))}))) f"
            self.execute(f"INSERT INTO {quoted(table)} SELECT {values} FROM {document}")
        elif rows:
            values = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
            self.execute(f"INSERT INTO {quoted(table)} VALUES {values}")

    def drop(self, table: str) -> None:
        """Drop a table."""
        self.execute(f"DROP TABLE {quoted(table)}")

    def drop_column(self, table: str, column: str) -> None:
        """Drop a column."""
        self.execute(f"ALTER TABLE {quoted(table)} DROP COLUMN {quoted(column)}")

    def rename(self, table: str, name: str) -> None:
        """The table under another name."""
        self.execute(f"ALTER TABLE {quoted(table)} RENAME TO {quoted(name)}")

    def named(self, table: str) -> str:
        """Tables are listed under their own names."""
        return table

    def catalogue(self) -> dict[str, Catalogued]:
        """What the information schema says to the owner; it knows nothing of keys."""
        with self._owner.cursor() as cursor:
            cursor.execute(
                "SELECT table_name, column_name, is_nullable = 'NO' FROM information_schema.columns "
                "WHERE table_schema = 'PUBLIC' ORDER BY table_name, ordinal_position"
            )
            found = catalogued((str(table), str(name), required, None, "table") for table, name, required in cursor)
        return {table: replace(one, key=None) for table, one in found.items()}

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """Parameters of the reader, with changes; None takes one out."""
        good = {
            "account": "tests",
            "warehouse": "SMALL",
            "database": self.database,
            "username": "READER",
            "password": PASSWORD,
            "host": "localhost",
            "port": self.server.port,
        }
        return good | changes

    def open(self, **changes: Any) -> Source:
        """An open source as the reader."""
        return open_source(self.type, self.parameters(**changes), dial)

    def show(self, types: Mapping[str, str]) -> None:
        """Show columns of these names as of these types, in every table; an empty mapping ends it."""
        self.server.ask(f"show?types={quote(json.dumps(types))}", "POST")

    def sessions(self) -> int:
        """How many sessions the reader has."""
        return int(self.server.ask("sessions"))

    def end_sessions(self) -> None:
        """Cut every session of the reader."""
        self.server.ask("end-sessions", "POST")


def quoted(name: str) -> str:
    """A quoted name."""
    return quote_name(name, limit=1020)


def literal(value: Any) -> str:
    """A value as a literal of Snowflake."""
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        return f"'{value.isoformat(sep=' ')}'::TIMESTAMP_NTZ"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return str(value)
