"""Where an installation keeps everything that belongs to it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from b2b_recs.runtime.errors import HomeRefused

VARIABLE = "B2B_RECS_HOME"


def default_root() -> Path:
    """The folder used when ``B2B_RECS_HOME`` is not set.

    Beside the virtual environment the command runs from, otherwise the user's data folder.
    """
    if sys.prefix != sys.base_prefix:
        return Path(sys.prefix).parent / ".b2b-recs"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "b2b-recs"
    shared = os.environ.get("XDG_DATA_HOME", "")
    base = Path(shared) if Path(shared).is_absolute() else Path.home() / ".local" / "share"
    return base / "b2b-recs"


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one installation; nothing is kept anywhere else unless a page of docs says so."""

    root: Path

    @classmethod
    def current(cls) -> Home:
        """The home named by ``B2B_RECS_HOME`` or the default one; nothing is created."""
        named = os.environ.get(VARIABLE, "").strip()
        return cls(Path(named).expanduser().absolute() if named else default_root())

    @property
    def keys(self) -> Path:
        return self.root / "keys.json"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def demo(self) -> Path:
        return self.root / "demo"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def state(self) -> Path:
        return self.run / "state.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"

    def model_warehouse(self, model_id: int) -> Path:
        """The folder of one model's tables: ``<dataset>/<table>`` below it."""
        return self.warehouse / f"model-{model_id}"

    @property
    def removed(self) -> Path:
        """Where folders of deleted tables and models wait to be cleared; beside them, so that moving is one step."""
        return self.warehouse / ".removed"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def staging(self) -> Path:
        return self.root / "staging"

    @property
    def serving(self) -> Path:
        return self.root / "serving"

    def deployment_pointer(self, model_id: int) -> Path:
        """The file that tells serving which artifact answers for a model."""
        return self.serving / f"model-{model_id}.json"

    @property
    def traffic(self) -> Path:
        return self.serving / "traffic"

    def create(self) -> Home:
        """Create what is missing; returns self. Raises HomeRefused naming the folder and the reason.

        Only the owner may look inside. As root the top folder can be passed through (not listed),
        because the embedded PostgreSQL runs as another user below it.
        """
        folder = self.root
        try:
            fresh = not self.root.exists()
            self.root.mkdir(parents=True, exist_ok=True)
            if fresh:
                self.root.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for folder in (self.run, self.logs, self.warehouse, self.artifacts, self.staging, self.serving):
                if not folder.exists():
                    folder.mkdir(mode=0o700, exist_ok=True)
            folder = self.traffic
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise HomeRefused(
                f"The home folder {folder} cannot be created: {error.strerror}.",
                advice=f"Choose a folder you may write to and set {VARIABLE} to it.",
                field=VARIABLE,
            ) from error
        if not os.access(self.root, os.W_OK | os.X_OK):
            raise HomeRefused(
                f"The home folder {self.root} is not writable for this user.",
                advice=f"Change its owner, or set {VARIABLE} to a folder you may write to.",
                field=VARIABLE,
            )
        return self
