"""``b2b-recs serve``: answer recommendation requests for every deployed model of this installation."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING

import click

from b2b_recs.engine.errors import BadInput
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.ports import held_by, held_elsewhere

if TYPE_CHECKING:
    from starlette.applications import Starlette

# one customer's scores are a small product; more threads only wait for each other
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8001,
    show_default=True,
    envvar="B2B_RECS_SERVING_PORT",
    help="Port to listen on.",
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that answer.")
def serve(host: str, port: int, workers: int) -> None:
    """Answer recommendation requests for every deployed model."""
    refuse_taken_port(host, port)
    Home.current().create()
    for name in THREADS:
        os.environ.setdefault(name, "1")
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    click.echo(f"Serving on http://{_in_url(host)}:{port}")
    Granian(
        "b2b_recs.cli.serve:application",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=workers,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        log_level=LogLevels.warning,
        factory=True,
        process_name=None,
    ).serve()


def application() -> Starlette:
    """The serving application over the home folder; what each serving process runs.

    It ends with the command that started it: left behind by a kill, it would hold the port.
    """
    from b2b_recs.engine.serving.app import create_app

    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    home = Home.current()
    return create_app(home.serving, home.artifacts, traffic_dir=home.traffic)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def refuse_taken_port(host: str, port: int) -> None:
    """Raise BadInput when the port is taken or the address is not of this machine: the server would share it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise BadInput(
            f"The address {host} is not known.",
            advice="Use an address of this machine, such as 127.0.0.1.",
            field="host",
        ) from error
    if held_elsewhere(port, host):
        raise _port_refused(port, host, f"it is held by {held_by(port, host)}")
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise _port_refused(port, host, str(error.strerror)) from error


def _port_refused(port: int, host: str, why: str) -> BadInput:
    return BadInput(
        f"Port {port} of {host} cannot be used: {why}.",
        advice="Stop the program that holds it, or choose another with --port.",
        field="port",
    )


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
