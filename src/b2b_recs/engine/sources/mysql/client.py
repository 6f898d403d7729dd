"""The driver's client with its doors closed: no file is sent, no password without encryption, no endless answer."""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any

from b2b_recs.engine.sources import trust
from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.mysql.errors import EncryptionNeeded, FileAsked, TooMuch
from b2b_recs.engine.sources.mysql.parameters import MySQLParameters

EXTRA, DRIVER = "mysql", "pymysql"
COM_QUERY = 3
# A small answer is a list of tables or columns; nothing that large is one.
SMALL_ANSWER_BYTES = 128 * 1024 * 1024
SHAKE_HANDS_BYTES = 1024 * 1024
_CONFIRMED = ("require", "verify-full")


def driver(name: str = "MySQL and MariaDB") -> Any:
    """The driver's module. Raises DriverMissing."""
    return load_driver(DRIVER, extra=EXTRA, name=name)


def new_client(parameters: MySQLParameters, seconds: float) -> Any:
    """A client that has dialled nothing yet; ``seconds`` is how long it waits for each piece of an answer.

    Nothing is taken from files or the environment of this machine.
    """
    mode = parameters.ssl_mode
    secure: dict[str, Any] = {"ssl_disabled": True} if mode == "disable" else {}
    if mode in _CONFIRMED:
        # The certificates that these servers make for themselves lack what the strict check asks for.
        verified = mode == "verify-full"
        secure = {"ssl": trust.verifying(parameters.ca_certificate, strict=False) if verified else trust.unverified()}
    client = _client_class()(
        host=parameters.host,
        port=parameters.port,
        user=parameters.username,
        # As bytes, because the driver knows text of Latin-1 only.
        password=parameters.password.get_secret_value().encode(),
        database=parameters.database,
        charset="utf8mb4",
        local_infile=False,
        autocommit=None,
        connect_timeout=seconds,
        read_timeout=seconds,
        write_timeout=seconds,
        program_name="b2b-recs",
        defer_connect=True,
        **secure,
    )
    client.clear_password_allowed = mode in _CONFIRMED
    return client


@cache
def _client_class() -> type[Any]:
    return type("Client", (_Guarded, driver().connections.Connection), {})


# Stands before the driver's own class, which is not there where the extra is not installed.
_Driver: Any = object


class _Guarded(_Driver):  # type: ignore[misc]
    """The driver's connection, with a budget of bytes for everything that is not the rows of a read."""

    clear_password_allowed = False
    budget = SHAKE_HANDS_BYTES

    @property
    def server_public_key(self) -> Any:
        """Asked for only to send a password without encryption: any server could offer a key of its own."""
        raise EncryptionNeeded

    @server_public_key.setter
    def server_public_key(self, value: Any) -> None:
        if value is not None:
            raise EncryptionNeeded

    def _process_auth(self, plugin_name: bytes, auth_packet: Any, handler: Any = None) -> Any:
        plain = plugin_name in (b"mysql_clear_password", b"dialog")
        if plugin_name == b"mysql_old_password" or (plain and not (self._secure and self.clear_password_allowed)):
            raise EncryptionNeeded
        return super()._process_auth(plugin_name, auth_packet, handler)

    def _create_ssl_ctx(self, sslp: Any) -> ssl.SSLContext:
        """Where encryption is taken if there is any, the driver would take up all authorities and ask none of them."""
        return sslp if isinstance(sslp, ssl.SSLContext) else trust.unverified()

    def _read_bytes(self, num_bytes: int) -> bytes:
        self.budget -= num_bytes
        if self.budget < 0:
            raise TooMuch
        return bytes(super()._read_bytes(num_bytes))

    def set_character_set(self, charset: str, collation: str | None = None) -> None:
        """Left to the session's own first statement."""

    def ask(self, sql: str) -> int:
        """Send a statement; how many columns its rows have, 0 when it has none. Raises FileAsked."""
        self.budget = SMALL_ANSWER_BYTES
        self._execute_command(COM_QUERY, sql)
        first = self._read_packet()
        if first.is_load_local_packet():
            raise FileAsked
        if first.is_ok_packet():
            return 0
        columns = int(first.read_length_encoded_integer())
        for _ in range(columns):
            self._read_packet()
        self._read_packet()
        return columns

    def raise_error(self, payload: bytes) -> None:
        """Raise the driver's error for the payload of an error packet."""
        self.budget = SHAKE_HANDS_BYTES
        driver().err.raise_mysql_exception(payload)

    @property
    def stream(self) -> Any:
        """The bytes of the server's answer."""
        return self._rfile

    @property
    def transport(self) -> Any:
        """The socket, encrypted or not, None when closed."""
        return self._sock

    @property
    def encrypted(self) -> bool:
        """Whether the connection is encrypted."""
        return bool(self._secure)

    def wait_for_ever(self) -> None:
        """Leave it to others how long an answer may take."""
        self._read_timeout = self._write_timeout = self._current_timeout = None
        self._sock.settimeout(None)

    def drop(self) -> None:
        """Close without a word."""
        self._force_close()
