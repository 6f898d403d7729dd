"""The serving command as a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from serving_house import KEY, House

from b2b_recs.engine.serving.traffic import read_traffic
from b2b_recs.runtime.ports import free_port, port_is_free

SERVE = [sys.executable, "-m", "b2b_recs.cli.main", "serve", "--port"]


def environment(root: Path) -> dict[str, str]:
    return os.environ | {"B2B_RECS_HOME": str(root)}


def wait_for_health(url: str, process: subprocess.Popen[bytes]) -> httpx.Response:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return httpx.get(f"{url}/health")
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("serving did not answer")


def test_the_command_serves_the_home_follows_pointers_and_stops_in_order(house: House, tmp_path: Path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    house.deploy(house.train(), version="v1")
    process = subprocess.Popen([*SERVE, str(port)], env=environment(tmp_path))
    try:
        assert wait_for_health(url, process).json()["model"]["version"] == "v1"
        headers = {"Authorization": f"Bearer {KEY}"}
        house.deploy(house.train(seed=8), version="v2")
        deadline = time.monotonic() + 20
        version = ""
        while version != "v2" and time.monotonic() < deadline:
            reply = httpx.post(f"{url}/recommend", json={"customer_id": "C01"}, headers=headers)
            assert reply.status_code == 200
            version = reply.json()["model_version"]
        assert version == "v2"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    (file,) = read_traffic(tmp_path / "serving" / "traffic")
    assert file.closed
    assert "v2" in {window.version for window in file.windows}


def test_nothing_is_left_on_the_port_when_the_command_is_killed(house: House, tmp_path: Path):
    port = free_port()
    house.deploy(house.train())
    process = subprocess.Popen([*SERVE, str(port)], env=environment(tmp_path))
    wait_for_health(f"http://127.0.0.1:{port}", process)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 15
    while not port_is_free(port) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert port_is_free(port)


@pytest.mark.parametrize("how", ["port", "host"])
def test_a_taken_port_or_foreign_address_is_refused_by_name(tmp_path: Path, how: str):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        host = ["--host", "203.0.113.7"] if how == "host" else []
        done = subprocess.run(
            [*SERVE, port, *host], env=environment(tmp_path), capture_output=True, text=True, timeout=30
        )
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
    assert "Traceback" not in done.stderr
