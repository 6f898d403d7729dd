"""The words beside a connection's form: who grants the login its rights, what must be reachable, what else to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from b2b_recs.engine.sources.contract import SourceType

ENCRYPTED = (
    "Encryption: prefer encrypts where the server can; choose verify-full where an authority this machine knows signed "
    "its certificate."
)
CHECKED = (
    "Encryption: verify-full refuses a certificate that no known authority signed: give its certificate, or choose "
    "require, which takes any."
)
FILES_LOADED = "Files that match load once each; a file that changes is loaded again."
OUTGOING = "the outgoing address of this installation (its operator knows it)"


@dataclass(frozen=True, slots=True)
class FormHelp:
    """What stands beside the form of a source type.

    ``heading`` and ``grants`` stand over the type's grants: what they make, and who runs them where. ``reach`` says
    which address and port must be open, and ``notes`` what else to know before a test.
    """

    heading: str
    grants: str
    reach: str
    notes: tuple[str, ...] = ()


def server_reach(port: int, more: str = "") -> str:
    """What must be open to reach a server that is dialled at its own port, usually ``port``."""
    return f"The server's port, usually {port}, must be reachable from {OUTGOING}.{more and f' {more}'}"


def cloud_reach(*hosts: str) -> str:
    """What must be open to reach a service whose addresses are known."""
    named = hosts[0] if len(hosts) == 1 else f"{', '.join(hosts[:-1])} and {hosts[-1]}"
    return f"This installation must reach {named} on port 443. Nothing has to be let in to it."


def help_of(declared: SourceType) -> FormHelp:
    """The words beside the form of a type, which its parameters declare."""
    found: FormHelp = declared.Parameters.form_help  # type: ignore[attr-defined]
    return found
