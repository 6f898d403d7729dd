"""Certificates as files, for servers that read them from there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from certificates import Authority


@dataclass(frozen=True)
class Certificate:
    """Paths of PEM files: the authority clients trust, the server's certificate and its key."""

    authority: Path
    certificate: Path
    key: Path


def make_certificate(folder: Path, names: tuple[str, ...] = ("localhost",)) -> Certificate:
    """A fresh authority and a certificate for these names and the loopback address, written into ``folder``."""
    authority = Authority()
    certificate, key = authority.issue(*names, "127.0.0.1")
    paths = Certificate(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    for path, text in ((paths.authority, authority.pem), (paths.certificate, certificate), (paths.key, key)):
        path.write_text(text)
    return paths
