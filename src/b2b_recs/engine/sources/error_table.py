"""The engine's error for what a server says, looked up in a source's table of codes and words."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from b2b_recs.engine.errors import (
    AuthenticationRefused,
    ColumnMissing,
    ConnectionLost,
    ConnectionRefused,
    DatabaseMissing,
    EngineError,
    HostUnknown,
    PermissionMissing,
    SourceRefused,
    SourceTimeout,
    TableMissing,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One line of a table: what is said of a refusal, and by what it is known.

    The texts name what was asked, such as ``{host}`` or ``{subject}``. ``codes`` are what a driver tells errors apart
    by, be they numbers, states or classes; ``pattern`` is looked for in its words. With neither, any error is meant.
    """

    kind: type[EngineError]
    message: str
    advice: str
    field: str | None = None
    transient: bool | None = None
    codes: Iterable[Hashable] = ()
    pattern: str = ""

    def when(self, *, codes: Iterable[Hashable] = (), pattern: str = "") -> Refusal:
        """The same refusal, known by these."""
        return replace(self, codes=codes, pattern=pattern)

    def tells(self, codes: frozenset[Hashable], said: str) -> bool:
        """Whether an error with these codes and words is this one."""
        if not self.codes and not self.pattern:
            return True
        return not codes.isdisjoint(self.codes) or bool(self.pattern and re.search(self.pattern, said))

    def about(self, **names: object) -> EngineError:
        """The error, with the names in its texts filled in."""
        field = None if self.field is None else self.field.format_map(names)
        message, advice = self.message.format_map(names), self.advice.format_map(names)
        # A server's own words may end anywhere, and the advice is a sentence of its own.
        message = message if message.endswith((".", "!", "?", "…")) else f"{message.rstrip(' ,;:')}."
        return self.kind(message, advice=advice, field=field, transient=self.transient)


def refusal_of(table: Sequence[Refusal], codes: Iterable[Hashable], said: str = "", **names: object) -> EngineError:
    """The error of the first line that tells; the last line of a table tells any."""
    known = frozenset(codes)
    return next(line for line in table if line.tells(known, said)).about(**names)


# What servers of several kinds refuse, in the same words: of opening a connection …
UNKNOWN_HOST = Refusal(HostUnknown, "The host {host} has no address.", "Check the spelling of the host.", "host")
NOTHING_ANSWERS = Refusal(
    ConnectionRefused,
    "Nothing answered at {host}, port {port}.",
    "Check host and port, that the server runs, and that its firewall lets this machine in.",
    "host",
)
NO_DATABASE = Refusal(
    DatabaseMissing,
    "{host} has no database named {database}.",
    "Check the database name; capital letters matter.",
    "database",
)
PASSWORD_REFUSED = Refusal(
    AuthenticationRefused,
    "The user name or password was refused by {host}.",
    "Check the user name and password, then test again.",
    "password",
)
FULL = Refusal(SourceRefused, "{host} takes no more connections now: {words}", "Try later.", transient=True)
NOT_CONNECTED = Refusal(SourceRefused, "{host} refused the connection: {words}", "Check every field, then test again.")
TOO_MUCH = Refusal(
    SourceRefused, "{host} sent a longer answer than a database gives.", "Check the host and port.", "host"
)

# … and of reading a table.
NO_TABLE = Refusal(
    TableMissing, "{subject} is not on {host}.", "Check the schema and table name, or whether it was dropped."
)
NO_COLUMN = Refusal(
    ColumnMissing, "A column is no longer in {subject}: {words}", "Open the job and choose its columns again."
)
NOT_ALLOWED = Refusal(
    PermissionMissing, "This login may not read {subject}: {words}", "Ask for GRANT SELECT ON {subject}."
)
SLOW = Refusal(
    SourceTimeout,
    "{host} took too long to answer about {subject}: {words}",
    "Try at a quieter hour, or read fewer rows at a time.",
)
LOST = Refusal(
    ConnectionLost,
    "The connection to {host} broke while reading: {words}",
    "Check that the server is up, then start the run again.",
)
NOT_NOW = Refusal(SourceRefused, "{host} could not answer now: {words}", "Try again.", transient=True)
NOT_READ = Refusal(SourceRefused, "{host} refused to read {subject}: {words}", "Check the table on the server.")
