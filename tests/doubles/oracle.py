"""An Oracle server for the vendor's own client: listener, login and statements, in the protocol of release 12.1.

An older protocol on purpose: without fast login and without marked ends of answers, so that each message is simple.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
import ssl
import struct
import threading

from doubles.oracle_sealing import opened, padded, sealed
from doubles.oracle_sql import OracleRefusal, Shop
from doubles.oracle_statements import DATA_TYPES, PARAMETER, PIGGYBACK, PROTOCOL, STATUS, Cursor, Execute, error
from doubles.oracle_wire import Reader, Short, counted, integer, packet, text

CONNECT, ACCEPT, REFUSE, REDIRECT, DATA, MARKER = 1, 2, 4, 5, 6, 12
AUTH_ONE, AUTH_TWO, EXECUTE, FETCH, LOGOFF, ROLLBACK, COMMIT, PING, CLOSE = 118, 115, 94, 5, 9, 15, 14, 147, 105
VERIFIER_11G = 0xB152
LOCKED = b"LOCKED"
SDU = 16_384


class OracleDouble:
    """A listener with one service; ``redirect_to`` sends every client on to another address."""

    def __init__(self, user: str, password: str, service: str, context: ssl.SSLContext | None = None) -> None:
        self.user, self.password, self.service = user, password, service
        self.shop = Shop()
        self.redirect_to: tuple[str, int] | None = None
        self._context = context
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def sessions(self) -> int:
        """Connections that are open now."""
        return len(self._open)

    def close(self) -> None:
        """Stop listening and end every connection."""
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            self._open.add(connection)
            conversation = _Conversation(self, connection)
            try:
                conversation.run()
            finally:
                conversation.close()
        except (OSError, EOFError, ssl.SSLError):
            pass
        finally:
            self._open.discard(connection)
            connection.close()


class _Conversation:
    """One client: its connect packet, its login, its statements."""

    def __init__(self, server: OracleDouble, connection: socket.socket) -> None:
        self.server, self.connection = server, connection
        self._long = False
        self._login: dict[str, bytes] = {}
        self._known = False
        self._statements = server.shop.session()
        self._cursors: dict[int, Cursor] = {}
        self._numbers = iter(range(1, 1 << 30))

    def run(self) -> None:
        if not self._connected():
            return
        while True:
            kind, body = self._packet()
            if kind == MARKER:
                self._marked(body[2])
            elif kind == DATA and len(body) > 2:
                self._send(self._answered(body[2:]))

    def close(self) -> None:
        """End the session."""
        self._cursors.clear()
        self._statements.close()

    def _connected(self) -> bool:
        kind, body = self._packet()
        if kind != CONNECT:
            raise EOFError("no client of this protocol")
        size = struct.unpack(">H", body[16:18])[0]
        asked = body[66 : 66 + size]
        if not asked:
            asked = self._packet()[1][2:]
        if self.server.redirect_to is not None:
            host, port = self.server.redirect_to
            where = f"(ADDRESS=(PROTOCOL=tcp)(HOST={host})(PORT={port}))\x00".encode() + asked
            self.connection.sendall(packet(REDIRECT, struct.pack(">H", len(where)), long_header=False))
            self.connection.sendall(packet(DATA, b"\x00\x00" + where, long_header=False))
            return False
        wanted = re.search(rb"SERVICE_NAME=([^)]*)\)", asked)
        if wanted is None or wanted.group(1).decode() != self.server.service:
            words = b"(DESCRIPTION=(ERR=12514)(VSNNUM=0))"
            refusal = struct.pack(">BBH", 34, 0, len(words)) + words
            self.connection.sendall(packet(REFUSE, refusal, long_header=False))
            return False
        body = struct.pack(">HH", 315, 0) + bytes(10) + b"\x00" + bytes(9) + struct.pack(">I", SDU)
        self.connection.sendall(packet(ACCEPT, body, long_header=False))
        self._long = True
        return True

    def _marked(self, kind: int) -> None:
        """A client that gives up a call: its break is answered by a break, its reset by a reset and the error."""
        self.connection.sendall(packet(MARKER, bytes([1, 0, 2 if kind == 2 else 1]), long_header=True))
        if kind == 2:
            self._send(error(1013, "ORA-01013: user requested cancel of current operation\n"))

    def _answered(self, message: bytes) -> bytes:
        """The answer to a message, which may go on in further packets: nothing but its content tells."""
        while True:
            try:
                return self._answer(Reader(message))
            except Short:
                message += self._packet()[1][2:]

    def _answer(self, message: Reader) -> bytes:
        kind = message.byte()
        while kind == PIGGYBACK:
            self._piggyback(message)
            kind = message.byte()
        if kind == PROTOCOL:
            return _protocol()
        if kind == DATA_TYPES:
            return bytes([DATA_TYPES, 0, 0])
        function = message.byte()
        message.byte()  # the number of the call
        if function == AUTH_ONE:
            return self._challenge(message)
        if function == AUTH_TWO:
            return self._verified(message)
        if not self._known:
            return error(1012, "ORA-01012: not logged on\n")
        if function == EXECUTE:
            return self._executed(message)
        if function == FETCH:
            cursor = self._cursors[message.integer()]
            return cursor.rows(message.integer())
        if function == ROLLBACK:
            self._statements.rollback()
        return bytes([STATUS]) + integer(0) + integer(0)

    def _piggyback(self, message: Reader) -> None:
        code = message.byte()
        message.raw(2)
        if code != CLOSE:
            raise EOFError(f"a piggyback {code} nobody expected")
        for _ in range(message.integer()):
            self._cursors.pop(message.integer(), None)

    def _challenge(self, message: Reader) -> bytes:
        """The first half of a session key, sealed with what the password gives."""
        user, _ = _pairs(message)
        salt, part = os.urandom(10), os.urandom(48)
        key = hashlib.sha1(self.server.password.encode() + salt).digest() + bytes(4)
        self._login = {"user": user, "key": key, "part": part}
        return _parameters(
            [("AUTH_SESSKEY", sealed(key, part).hex().upper(), 0), ("AUTH_VFR_DATA", salt.hex().upper(), VERIFIER_11G)]
        )

    def _verified(self, message: Reader) -> bytes:
        """The login is right when the password that comes back, sealed with both halves, is."""
        _, pairs = _pairs(message)
        if self._login["user"].upper() == LOCKED:
            return error(28000, "ORA-28000: The account is locked.\n")
        other = opened(self._login["key"], bytes.fromhex(pairs["AUTH_SESSKEY"]))
        both = bytes(a ^ b for a, b in zip(self._login["part"][16:40], other[16:40], strict=True))
        combined = (hashlib.md5(both[:16]).digest() + hashlib.md5(both[16:]).digest())[:24]
        sent = opened(combined, bytes.fromhex(pairs["AUTH_PASSWORD"]))[16:]
        given = sent[: -sent[-1]] if sent else b""
        wanted = (self.server.user.upper().encode(), self.server.password.encode())
        if (self._login["user"].upper(), given) != wanted:
            return error(1017, "ORA-01017: invalid username/password; logon denied\n")
        self._known = True
        answer = sealed(combined, padded(os.urandom(16) + b"SERVER_TO_CLIENT")).hex().upper()
        version = (12 << 24) | (2 << 20) | (1 << 8)
        facts = {
            "AUTH_SVR_RESPONSE": answer, "AUTH_SESSION_ID": "77", "AUTH_SERIAL_NUM": "7",
            "AUTH_VERSION_NO": str(version),
            "AUTH_SC_SERVICE_NAME": self.server.service, "AUTH_MAX_OPEN_CURSORS": "300", "AUTH_INSTANCENAME": "double",
        }  # fmt: skip
        return _parameters([(name, value, 0) for name, value in facts.items()])

    def _executed(self, message: Reader) -> bytes:
        call = Execute(message)
        try:
            if call.cursor == 0:
                found = self._statements.run(call.sql, call.read_binds())
                if found is None:
                    return error(0, "")
                cursor = Cursor(next(self._numbers), *found)
                self._cursors[cursor.number] = cursor
                return cursor.described() + cursor.rows(0 if cursor.needs_define else call.rows)
            cursor = self._cursors[call.cursor]
            cursor.define(call.read_defines())
            return cursor.rows(call.rows)
        except OracleRefusal as refusal:
            return error(refusal.number, str(refusal))

    def _packet(self) -> tuple[int, bytes]:
        head = self._exactly(8)
        size = struct.unpack(">I", head[:4])[0] if self._long else struct.unpack(">H", head[:2])[0]
        if not 8 <= size <= 4_000_000:
            raise EOFError("no packet of this protocol")
        return head[4], self._exactly(size - 8)

    def _send(self, message: bytes) -> None:
        room = SDU - 10
        for at in range(0, len(message), room):
            self.connection.sendall(packet(DATA, b"\x00\x00" + message[at : at + room], long_header=True))

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            part = self.connection.recv(size - len(found))
            if not part:
                raise EOFError("the client has gone")
            found += part
        return found


def _protocol() -> bytes:
    national = bytes(9) + struct.pack(">H", 2000)
    compiled = bytearray(45)
    compiled[7] = 7  # what release 12.1 sends and understands
    running = bytes(6) + b"\x04"
    made = bytes([PROTOCOL, 6, 0]) + b"Linuxi386/Linux-2.0.34-8.1.0\x00" + struct.pack("<HBH", 873, 0, 0)
    return made + struct.pack(">H", len(national)) + national + text(bytes(compiled)) + text(running)


def _parameters(pairs: list[tuple[str, str, int]]) -> bytes:
    made = bytes([PARAMETER]) + integer(len(pairs))
    for name, value, flag in pairs:
        made += counted(name.encode()) + counted(value.encode()) + integer(flag)
    return made + bytes([STATUS]) + integer(0) + integer(0)


def _pairs(message: Reader) -> tuple[bytes, dict[str, str]]:
    """The user and the named values of a login message."""
    has_user = message.byte()
    message.integer()
    message.integer()
    message.byte()
    count = message.integer()
    message.raw(2)
    user = message.text() if has_user else b""
    found = {}
    for _ in range(count):
        name, value = message.counted(), message.counted()
        message.integer()
        found[name.decode()] = value.decode()
    return user, found
