"""A small installation for the tests of the supervisor: a database and two HTTP servers, started like ``up``."""

from __future__ import annotations

import sys
from pathlib import Path

from b2b_recs.engine.errors import EngineError
from b2b_recs.runtime.children import ChildSpec, answers
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.postgres import EmbeddedPostgres
from b2b_recs.runtime.supervisor import Stopped, Supervisor

SERVER = "import http.server, sys; http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()"  # noqa: E501
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
BROKEN = "print('no module named shop'); raise SystemExit(3)"


def child(name: str, port: str, code: str) -> ChildSpec:
    return ChildSpec(
        name, (sys.executable, "-c", code, port), answers(int(port), "/"), port=int(port),
        port_variable=f"{name.upper()}_PORT", address=f"http://127.0.0.1:{port}",
    )  # fmt: skip


def main(root: str, one: str, two: str, kind: str) -> int:
    home = Home(Path(root)).create()
    second = {"broken": BROKEN, "stubborn": STUBBORN + SERVER}.get(kind, SERVER)
    databases = {}
    if kind == "database":
        settings = {"fsync": "off"}
        databases["database"] = EmbeddedPostgres(home.postgres, "x" * 40, settings=settings, store=home.root / "store")
    supervisor = Supervisor(
        home,
        [child("one", one, SERVER), child("two", two, second)],
        databases=databases,
        say=lambda line: print(line, flush=True),
        address=f"http://127.0.0.1:{one}",
    )
    supervisor.install_signal_handlers()
    try:
        with supervisor:
            supervisor.start()
            print("READY", flush=True)
            supervisor.watch()
    except Stopped:
        return 0
    except EngineError as error:
        print(error, flush=True)
        return 1
    print("END", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
