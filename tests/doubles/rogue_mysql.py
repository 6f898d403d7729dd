"""A server that speaks the protocol of MySQL and means no good: each behaviour is one way to misbehave."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

# Client flags a server must offer: long password, connect with database, 4.1, secure connection, plugin names.
FLAGS = 1 | 8 | 512 | 32768 | (1 << 19)
SSL = 2048
PASSWORD = "canary-of-the-rogue"
OK = b"\x00\x00\x00\x02\x00\x00\x00"
END = b"\xfe\x00\x00\x02\x00"
FILE_PLEASE = b"\xfb/etc/passwd"


class Talk:
    """One connection: whole packets in and out; ``heard`` keeps every byte the client sent."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.heard = b""
        self.number = 0

    def say(self, payload: bytes) -> None:
        """Send one packet."""
        self.connection.sendall(struct.pack("<I", len(payload))[:3] + bytes([self.number % 256]) + payload)
        self.number += 1

    def listen(self) -> bytes:
        """The client's next packet; raises ConnectionError when there is none."""
        header = self._take(4)
        self.number = header[3] + 1
        return self._take(struct.unpack("<I", header[:3] + b"\0")[0])

    def _take(self, count: int) -> bytes:
        taken = b""
        while len(taken) < count:
            piece = self.connection.recv(count - len(taken))
            if not piece:
                raise ConnectionError
            taken += piece
        self.heard += taken
        return taken

    def greet(self, plugin: bytes = b"mysql_native_password", flags: int = FLAGS) -> None:
        """The first words of a server."""
        salt = b"12345678abcdefghijkl"
        self.say(
            b"\x0a10.11.0-MariaDB\0" + struct.pack("<I", 7) + salt[:8] + b"\0" + struct.pack("<H", flags & 0xFFFF)
            + b"\x2d\x02\x00" + struct.pack("<H", flags >> 16) + b"\x15" + b"\0" * 10 + salt[8:] + b"\0"
            + plugin + b"\0"
        )  # fmt: skip

    def let_in(self) -> None:
        """Greet and take any password."""
        self.greet()
        self.listen()
        self.say(OK)

    def statement(self) -> str:
        """The text of the client's next statement."""
        return self.listen()[1:].decode()

    def columns(self, count: int = 1) -> None:
        """Begin a result set."""
        self.say(bytes([count]))
        for _ in range(count):
            self.say(b"\x03def\0\0\0\x01c\0\x0c\x2d\x00\x00\x01\x00\x00\xfd\x00\x00\x00\x00\x00")
        self.say(END)

    def answer(self, rows: Iterable[bytes]) -> None:
        """A whole result set of these row packets, one column."""
        self.columns()
        for row in rows:
            self.say(row)
        self.say(END)


Behaviour = Callable[[Talk], None]


class RogueMySQL:
    """Listens on a free loopback port and treats every connection with ``behaviour``."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self.talks: list[Talk] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        for talk in self.talks:
            talk.connection.close()

    @property
    def heard(self) -> bytes:
        """Everything any client has sent."""
        return b"".join(talk.heard for talk in self.talks)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                talk = Talk(connection)
                self.talks.append(talk)
                threading.Thread(target=self._treat, args=(talk,), daemon=True).start()

    def _treat(self, talk: Talk) -> None:
        with contextlib.suppress(OSError, ConnectionError):
            self._behaviour(talk)


def silent(talk: Talk) -> None:
    """Accepts, and says nothing."""
    time.sleep(60)


def dripping(talk: Talk) -> None:
    """A greeting of one byte at a time, each in time, the whole never."""
    talk.connection.sendall(b"\x50\x00\x00\x00\x0a")
    for _ in range(600):
        talk.connection.sendall(b"1")
        time.sleep(0.1)


def hanging_up(talk: Talk) -> None:
    """Greets, and closes."""
    talk.greet()
    talk.connection.close()


def half_closed(talk: Talk) -> None:
    """Lets in, then will send nothing more, but goes on listening."""
    talk.let_in()
    talk.connection.shutdown(socket.SHUT_WR)
    while True:
        talk.listen()


def of_another_kind(talk: Talk) -> None:
    """Is not a database."""
    talk.connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" * 40)
    time.sleep(60)


def asking_for_a_file_at_once(talk: Talk) -> None:
    """Asks for a file in place of letting in."""
    talk.greet()
    talk.listen()
    talk.say(FILE_PLEASE)
    talk.listen()


def asking_for_a_file(talk: Talk) -> None:
    """Lets in, and asks for a file in place of the answer to the first statement."""
    talk.let_in()
    talk.statement()
    talk.say(FILE_PLEASE)
    talk.listen()


def asking_for_a_file_of_a_table(talk: Talk) -> None:
    """Behaves until the tables are asked for, and then asks for a file."""
    obliging(talk, lambda statement: talk.say(FILE_PLEASE))


def asking_for_the_plain_password(talk: Talk) -> None:
    """Changes the way of logging in to one that shows the password."""
    talk.greet()
    talk.listen()
    talk.say(b"\xfemysql_clear_password\0")
    talk.listen()


def offering_its_own_key(talk: Talk) -> None:
    """Asks for the whole password, to be encrypted with a key of its own."""
    talk.greet(b"caching_sha2_password")
    talk.listen()
    talk.say(b"\x01\x04")
    talk.listen()


def starting_encryption_for_ever(talk: Talk) -> None:
    """Offers encryption and never begins it."""
    talk.greet(flags=FLAGS | SSL)
    while True:
        talk.listen()


def listing_for_ever(talk: Talk) -> None:
    """Has a list of tables without an end."""

    def endless(statement: str) -> None:
        talk.columns()
        while True:
            talk.say(b"\xfc\xe8\x03" + b"t" * 1000)

    obliging(talk, endless)


def describing_for_ever(talk: Talk) -> None:
    """Has a result of columns without an end."""

    def endless(statement: str) -> None:
        talk.say(b"\xfe" + struct.pack("<Q", 2**62))
        while True:
            talk.say(b"\x03def" + b"x" * 1000)

    obliging(talk, endless)


def thinking_for_ever(talk: Talk) -> None:
    """Takes a question and does not answer."""
    obliging(talk, lambda statement: time.sleep(60))


def lying_about_lengths(talk: Talk) -> None:
    """Names a value longer than its row, and than memory."""
    obliging(talk, lambda statement: talk.answer([b"\xfe" + struct.pack("<Q", 2**63 + 5) + b"x"]))


def cutting_rows_short(talk: Talk) -> None:
    """Sends rows of fewer bytes than their columns need."""
    obliging(talk, lambda statement: talk.answer([b"\xfd\x01", b"\x05ab"]))


def obliging(talk: Talk, then: Callable[[str], None]) -> None:
    """Answers what every session begins with as a server does, and the first real question with ``then``."""
    talk.let_in()
    while True:
        statement = talk.statement()
        if statement.startswith("SELECT VERSION"):
            talk.answer([b"\x0f10.11.0-MariaDB"])
        elif "information_schema" in statement:
            then(statement)
        elif statement == "SELECT 1":
            talk.answer([b"\x011"])
        else:
            talk.say(OK)
