"""The folders of this machine that connections may read files from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from b2b_recs.engine.errors import AddressForbidden, BadInput
from b2b_recs.engine.quoted import quoted
from b2b_recs.engine.sources.files.locations import plain_path
from b2b_recs.runtime.environment import envtext
from b2b_recs.runtime.errors import SettingRefused
from b2b_recs.runtime.home import Home

FOLDERS_VARIABLE = "B2B_RECS_FILE_FOLDERS"


def allowed_folders(home: Home, environ: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """The folders of ``B2B_RECS_FILE_FOLDERS``, else ``files`` in the home.

    Raises SettingRefused for one that is not absolute, or that leads to the keys and tables of the installation.
    """
    parts = [part.strip() for part in re.split(r"[:,]", envtext(FOLDERS_VARIABLE, "", environ)) if part.strip()]
    own, default = home.root.resolve(), (home.root / "files").resolve()
    folders = []
    for part in parts:
        folder = Path(part)
        if not folder.is_absolute():
            raise SettingRefused(
                f"{FOLDERS_VARIABLE} holds {part!r}, which is not an absolute path.",
                advice="Write folders as /srv/files, several separated by colons.",
                field=FOLDERS_VARIABLE,
            )
        real = folder.resolve()
        if (own.is_relative_to(real) or real.is_relative_to(own)) and not real.is_relative_to(default):
            raise SettingRefused(
                f"{FOLDERS_VARIABLE} holds {part!r}, in which the installation keeps its own keys and tables.",
                advice="Name folders that hold nothing but files to read.",
                field=FOLDERS_VARIABLE,
            )
        folders.append(real)
    return tuple(folders) or (default,)


def make_default_folder(home: Home, environ: Mapping[str, str] | None = None) -> None:
    """Make ``files`` in the home when it is what connections may read; folders an operator names are left alone.

    Raises SettingRefused when it cannot be made.
    """
    folder = home.root.resolve() / "files"
    if allowed_folders(home, environ) != (folder.resolve(),):
        return
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SettingRefused(
            f"The folder {folder} for files that connections read cannot be made: {error.strerror}.",
            advice=f"Make it, or name another folder in {FOLDERS_VARIABLE}.",
            field=FOLDERS_VARIABLE,
        ) from None


def allowed_folder(path: str, folders: Iterable[Path]) -> Path:
    """The real folder behind ``path``, absolute or below one of ``folders``.

    Raises BadInput for what is no plain path, AddressForbidden for a folder that is not below an allowed one, links
    followed. Whether a folder outside exists cannot be told from the refusal.
    """
    try:
        plain_path(path)
    except ValueError as error:
        raise BadInput(
            f"The folder {quoted(path, 100)} cannot be used: {error}.",
            advice="Write a folder as /srv/files/orders, or as orders below the allowed folder.",
            field="location",
        ) from None
    roots = [root.resolve() for root in folders]
    written = PurePosixPath(path)
    for root in roots:
        real = (root / written).resolve()
        if real.is_relative_to(root) and (len(roots) == 1 or written.is_absolute() or real.exists()):
            return real
    allowed = f" ({', '.join(map(str, roots))})" if roots else ""
    raise AddressForbidden(
        f"The folder {path[:200]} is not one that connections may read.",
        advice=f"Put the files below an allowed folder{allowed}, or ask the operator to add it to {FOLDERS_VARIABLE}.",
        field="location",
    )
