"""An installation of its own, driven only by the command as a stranger would type it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from b2b_recs.runtime.home import Home
from b2b_recs.runtime.ports import free_port
from b2b_recs.runtime.state import running

COMMAND = (sys.executable, "-m", "b2b_recs.cli.main")
LONGEST_SECONDS = 180


def _heed_interrupts() -> None:
    """A test run in the background of a shell ignores Ctrl-C, and what it starts would too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, which must be one JSON document and nothing else."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    def refused(self, code: int = 1) -> Said:
        """Itself, having ended with that exit code in words."""
        assert self.code == code, (self.code, self.out, self.err)
        assert "Traceback" not in self.out + self.err
        assert self.err.strip()
        return self

    def well(self) -> Said:
        """Itself, having ended well."""
        assert self.code == 0, (self.code, self.out, self.err)
        return self


@dataclass
class Installation:
    """A home folder, two ports, and the environment in which commands are typed."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o711)
        self.home = Home(self.folder / "home")
        self.port, self.serving_port = free_port(), free_port()

    def environment(self, **more: str) -> dict[str, str]:
        """What commands see; nothing of the tests' own settings."""
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("B2B_RECS", "DJANGO", "DATABASE"))
        }
        return {
            **kept,
            "B2B_RECS_HOME": str(self.home.root),
            "B2B_RECS_PORT": str(self.port),
            "B2B_RECS_SERVING_PORT": str(self.serving_port),
            **self.variables,
            **more,
        }

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """A command, not waited for."""
        return subprocess.Popen(
            [*COMMAND, *arguments], env=self.environment(**more), cwd=self.folder, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=_heed_interrupts,
        )  # fmt: skip

    def __call__(self, *arguments: str, **more: str) -> Said:
        """A command and what came of it."""
        return self.end(self.start(*arguments, **more))

    @staticmethod
    def end(process: subprocess.Popen[str]) -> Said:
        """What came of a command that was started."""
        try:
            out, err = process.communicate(timeout=LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=30)
            raise AssertionError(f"The command did not end.\n{out}\n{err}") from None
        return Said(process.returncode, out, err)

    @contextlib.contextmanager
    def up(self) -> Iterator[subprocess.Popen[str]]:
        """``b2b-recs up`` for as long as the block lasts."""
        log = self.folder / "up.log"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [*COMMAND, "up"], env=self.environment(), stdout=sink, stderr=sink, preexec_fn=_heed_interrupts
            )
        try:
            until = time.monotonic() + LONGEST_SECONDS
            while "Everything is running" not in log.read_text("utf-8"):
                assert process.poll() is None and time.monotonic() < until, log.read_text("utf-8")
                time.sleep(0.05)
            assert running(self.home) is not None
            yield process  # type: ignore[misc]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)

    def write(self, name: str, text: str) -> str:
        """A file beside the home; its path."""
        path = self.folder / name
        path.write_text(text, "utf-8")
        return str(path)


@dataclass(frozen=True)
class Stack:
    """The running installation, the project file that was applied, and what its run wrote."""

    command: Installation
    file: str
    ran: dict[str, Any]
    project: str
