"""The words of an SSH server and its client turned into the engine's errors."""

from __future__ import annotations

from typing import Any

from b2b_recs.engine.errors import (
    AuthenticationRefused,
    ConnectionLost,
    EngineError,
    PermissionMissing,
    SourceRefused,
    TableMissing,
)
from b2b_recs.engine.sources.redaction import redacted
from b2b_recs.engine.sources.sftp.parameters import SftpParameters


def host_key_unknown(host: str, key: Any) -> SourceRefused:
    """The refusal of a connection without a pinned key: it shows the key, to be confirmed."""
    return SourceRefused(
        f"The host key of {host} is {shown(key)}.",
        advice="Compare it with what the operator of the server says. If it is the same, enter it as the host key.",
        field="host_key",
    )


def host_key_differs(host: str, key: Any) -> SourceRefused:
    """The refusal of a server that shows another key than the pinned one."""
    return SourceRefused(
        f"{host} showed another host key than the one given: {shown(key)}. Somebody may be in between.",
        advice="Ask the operator of the server whether its key has changed. Nothing was sent.",
        field="host_key",
    )


def shown(key: Any) -> str:
    """A host key as ssh shows it."""
    return f"{key.get_fingerprint()} ({key.get_algorithm()})"


def connect_error(ssh: Any, error: Exception, parameters: SftpParameters) -> EngineError:
    """Why a login could not be opened."""
    host = parameters.host
    if isinstance(error, ssh.PermissionDenied):
        way = "private key" if parameters.private_key.get_secret_value() else "password"
        return AuthenticationRefused(
            f"The user name or {way} was refused by {host}.",
            advice=f"Check the user name and the {way}, then test again.",
            field="private_key" if way == "private key" else "password",
        )
    if isinstance(error, ssh.KeyExchangeFailed):
        return SourceRefused(
            f"{host} knows only ways of encryption that are not safe any more.",
            advice="Ask its operator to bring the server up to date.",
            field="host",
        )
    if isinstance(error, ssh.ChannelOpenError):
        return SourceRefused(
            f"{host} lets {parameters.username} in but offers no SFTP.",
            advice="Ask its operator to allow SFTP.",
            field="username",
        )
    return SourceRefused(
        f"{host}, port {parameters.port}, did not open an SSH connection.",
        advice="Check that this is an SFTP server, and try again later.",
        field="host",
        transient=True,
    )


def work_error(ssh: Any, error: Exception, parameters: SftpParameters, path: str) -> EngineError:
    """Why a question about a file or a folder was not answered."""
    host, subject = parameters.host, path or parameters.folder or "the folder"
    if isinstance(error, ssh.SFTPNoSuchFile | ssh.SFTPNoSuchPath):
        return TableMissing(f"{host} has no file {subject[:200]!r}.", advice="Look at the list again.")
    if isinstance(error, ssh.SFTPPermissionDenied):
        return PermissionMissing(
            f"{parameters.username} may not read {subject} on {host}.",
            advice=f"Ask its operator to let {parameters.username} read it.",
            field="folder",
        )
    broken = (ssh.SFTPConnectionLost, ssh.SFTPNoConnection, ssh.DisconnectError, ssh.ChannelOpenError, OSError)
    if isinstance(error, broken):
        return ConnectionLost(f"The connection to {host} broke.", advice="Try again.")
    words = " ".join(str(getattr(error, "reason", "") or "").split())
    secrets = (parameters.password.get_secret_value(), parameters.private_key_passphrase.get_secret_value())
    words = redacted(words, *secrets)[:120]
    return SourceRefused(
        f"{host} refused to read {subject}: {words or 'no reason was given'}", advice="Check it there."
    )
