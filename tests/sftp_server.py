"""An SFTP server of asyncssh in this process: a folder of this machine, one login by password and by key."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import asyncssh

USER, PASSWORD = "reader", "canary-sftp-password"


class SftpServer:
    """A server on a free port of this machine; ``endless`` makes its listings never end."""

    def __init__(self, folder: Path, *, endless: bool = False) -> None:
        self.folder = folder
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.user_key = asyncssh.generate_private_key("ssh-ed25519")
        self.fingerprint = self.host_key.get_fingerprint()
        self.logins: list[str] = []
        self.forwarded = 0
        self._endless = endless
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._listener = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.port: int = self._listener.get_port()

    def private_key(self, passphrase: str | None = None) -> str:
        """The key of the login, as ssh-keygen writes it."""
        text: bytes = self.user_key.export_private_key(passphrase=passphrase)
        return text.decode()

    def close(self) -> None:
        """Stop."""

        async def end() -> None:
            self._listener.close()
            await self._listener.wait_closed()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _listen(self) -> Any:
        outer = self

        class Login(asyncssh.SSHServer):
            def connection_made(self, conn: Any) -> None:
                self._conn = conn

            def begin_auth(self, username: str) -> bool:
                outer.logins.append(username)
                return True

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return (username, password) == (USER, PASSWORD)

            def public_key_auth_supported(self) -> bool:
                return True

            def validate_public_key(self, username: str, key: Any) -> bool:
                return username == USER and key == outer.user_key.convert_to_public()

        folder, endless = str(self.folder), self._endless

        class Files(asyncssh.SFTPServer):
            def __init__(self, channel: Any) -> None:
                super().__init__(channel, chroot=folder)

            async def scandir(self, path: bytes) -> Any:
                if endless:
                    number = 0
                    while True:
                        number += 1
                        attributes = asyncssh.SFTPAttrs(type=1, permissions=0o100644, size=1, mtime=1, atime=1)
                        yield asyncssh.SFTPName(b"file-%09d.csv" % number, attrs=attributes)
                async for entry in super().scandir(path):
                    yield entry

        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Login, server_host_keys=[self.host_key], sftp_factory=Files
        )
