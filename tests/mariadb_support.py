"""A throw-away MariaDB server as tests and benchmarks use it."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pymysql
import pytest
from certificates import Authority
from servers import missing

SERVER_NAME = "db.example.com"
STARTING_SECONDS = 60


def server_programs() -> tuple[str, str] | None:
    """The paths of mariadbd and mariadb-install-db, None where they are not installed."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    found = [shutil.which(name, path=path) for name in ("mariadbd", "mariadb-install-db")]
    return (found[0], found[1]) if found[0] and found[1] else None


class MariaDBServer:
    """A server on a free loopback port with TLS; ``authority`` is the PEM text of who signed its certificate.

    ``folder`` must be reachable by the user mysql when the tests run as root.
    """

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        programs = server_programs()
        if programs is None:
            raise FileNotFoundError("mariadbd is not installed")
        self._mariadbd, self._install = programs
        self.folder = folder
        self.password = secrets.token_hex(16)
        self.port = 0
        self.authority = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Create the data folder and start; returns when the server answers."""
        data = self.folder / "data"
        self.folder.mkdir(mode=0o755, parents=True)
        self.authority = certificates(self.folder)
        user = ["--user=mysql"] if os.geteuid() == 0 else []
        if user:
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, pwd.getpwnam("mysql").pw_uid, -1)
        subprocess.run(
            [self._install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
             "--skip-test-db", *user],
            check=True, capture_output=True,
        )  # fmt: skip
        self.port = free_port()
        self._process = subprocess.Popen(
            [self._mariadbd, "--no-defaults", f"--datadir={data}", f"--socket={self.folder}/s", *user,
             f"--port={self.port}", "--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0",
             f"--pid-file={self.folder}/pid", f"--ssl-cert={self.folder}/server.pem", "--skip-log-bin",
             f"--ssl-key={self.folder}/server.key", f"--ssl-ca={self.folder}/authority.pem",
             "--innodb-buffer-pool-size=256M", "--max-connections=200"],
            stdout=subprocess.DEVNULL, stderr=(self.folder / "log").open("wb"),
        )  # fmt: skip
        until = time.monotonic() + STARTING_SECONDS
        while True:
            try:
                with pymysql.connect(unix_socket=f"{self.folder}/s", user="root") as connection:
                    connection.cursor().execute(f"ALTER USER root@localhost IDENTIFIED BY '{self.password}'")
                return
            except pymysql.Error:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text("utf-8", "replace")[-2000:]) from None
                time.sleep(0.05)

    def stop(self) -> None:
        """Kill the server at once; its data are thrown away."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def connect(self, database: str | None = None) -> pymysql.Connection[Any]:
        """An administrator's connection that commits each statement."""
        return pymysql.connect(
            unix_socket=f"{self.folder}/s", user="root", password=self.password, database=database, autocommit=True,
            charset="utf8mb4", ssl_disabled=True,
        )  # fmt: skip


def free_port() -> int:
    """A port of the loopback address that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificates(folder: Path, name: str = SERVER_NAME) -> str:
    """Write authority.pem, server.pem and server.key for ``name`` into the folder; the authority's PEM text."""
    authority = Authority()
    certificate, key = authority.issue(name, "127.0.0.2")
    for file, text in (("authority.pem", authority.pem), ("server.pem", certificate), ("server.key", key)):
        (folder / file).write_text(text)
    return authority.pem


@pytest.fixture(scope="session")
def mariadb_server(reachable_folder: Path) -> Iterator[MariaDBServer]:
    """One server per test process."""
    if server_programs() is None:
        missing("mariadbd is not installed (Debian: mariadb-server)")
    with MariaDBServer(reachable_folder / "mariadb") as server:
        yield server


@pytest.fixture
def own_mariadb(reachable_folder: Path) -> Iterator[MariaDBServer]:
    """A server for one test, which may stop it."""
    if server_programs() is None:
        missing("mariadbd is not installed (Debian: mariadb-server)")
    folder = reachable_folder / f"mariadb-{secrets.token_hex(4)}"
    with MariaDBServer(folder) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)
