"""Servers of object stores as the tests start them: moto for S3, gcp-storage-emulator, Azurite."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from certificates import Authority
from servers import missing

ROOT = Path(__file__).parent.parent
S3_HOST, S3_BUCKET = "s3.store.test", "contract"
AZURE_ACCOUNT = "teststore"
AZURE_KEY = base64.b64encode(b"canary-key-of-the-test-account-000000000000000000000000000000000").decode()
STARTING_SECONDS = 60


@dataclass(frozen=True)
class StoreServer:
    """A running server; ``authority`` is the PEM text of who signed its certificate, "" without one."""

    port: int
    authority: str = ""


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    """A moto server that speaks TLS and checks signatures once told to."""
    folder = tmp_path_factory.mktemp("moto")
    authority = Authority()
    certificate, key = authority.issue(S3_HOST, f"{S3_BUCKET}.{S3_HOST}", "shop.invalid", "127.0.0.1")
    (folder / "certificate.pem").write_text(certificate)
    (folder / "key.pem").write_text(key)
    program, port = program_of("moto_server"), free_port()
    command = [program, "-H", "127.0.0.1", "-p", str(port), "-c", "certificate.pem", "-k", "key.pem"]
    with running(command, port, folder, S3_IGNORE_SUBDOMAIN_BUCKETNAME="true"):
        yield StoreServer(port, authority.pem)


@pytest.fixture(scope="session")
def gcs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    """A gcp-storage-emulator that keeps everything in memory."""
    program, port = program_of("gcp-storage-emulator"), free_port()
    command = [program, "start", "--host=127.0.0.1", f"--port={port}", "--in-memory"]
    with running(command, port, tmp_path_factory.mktemp("gcs")):
        yield StoreServer(port)


@pytest.fixture(scope="session")
def azure_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    """An Azurite with one account, in memory."""
    script = ROOT / "tests" / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    node = shutil.which("node")
    if node is None or not script.exists():
        missing("Azurite is not installed: run npm ci in tests/azurite")
    port = free_port()
    command = [node, str(script), "--inMemoryPersistence", "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    command += ["--disableTelemetry", "--silent"]
    with running(command, port, tmp_path_factory.mktemp("azurite"), AZURITE_ACCOUNTS=f"{AZURE_ACCOUNT}:{AZURE_KEY}"):
        yield StoreServer(port)


def program_of(name: str) -> str:
    """The path of a server's program; the test is left out where it is not installed."""
    path = ROOT / ".venv-servers" / "bin" / name
    if not path.exists():
        missing(f"{name} is not installed: run make servers")
    return str(path)


def free_port() -> int:
    """A port of this machine nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(command: Sequence[str], port: int, folder: Path, **environment: str) -> Iterator[None]:
    """The program while it answers on its port; its output is in the folder."""
    output = folder / "output.txt"
    with output.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=_clean(environment)
        )
        try:
            until = time.monotonic() + STARTING_SECONDS
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > until:
                    pytest.fail(f"{command[0]} did not start: {output.read_text('utf-8', 'replace')[-2000:]}")
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _clean(more: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would point a server at another Python or another account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_", "MOTO_"))}
    return {**kept, "PYTHONUNBUFFERED": "1", "PATH": f"{Path(sys.executable).parent}:{kept.get('PATH', '')}", **more}
