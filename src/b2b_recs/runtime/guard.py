"""The outgoing guard: the one door to hosts that users name, asked at the moment of dialling."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import psutil

from b2b_recs.engine.errors import AddressForbidden, BadInput, HostUnknown
from b2b_recs.runtime.environment import envbool, envlist
from b2b_recs.runtime.errors import SettingRefused
from b2b_recs.runtime.file_folders import allowed_folder, allowed_folders
from b2b_recs.runtime.home import Home

HOSTED_VARIABLE = "B2B_RECS_HOSTED"
GUARD_VARIABLE = "B2B_RECS_OUTGOING_GUARD"
ALLOW_VARIABLE = "B2B_RECS_ALLOW_ADDRESSES"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]

_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})\Z")
# What Python 3.11 calls global although it leads inside, or may after a translation on the way.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/3",
        "::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001::/32",
        "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped IPv6 address, otherwise the address itself."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_public(address: Address) -> bool:
    """Whether the address is out on the Internet, whatever is wrapped inside it."""
    address = unwrapped(address)
    if isinstance(address, ipaddress.IPv6Address):
        inner = [address.sixtofour, *(address.teredo or ())]
        if any(part is not None and not is_public(part) for part in inner):
            return False
        if address.scope_id is not None:
            return False
    if any(address.version == network.version and address in network for network in _NEVER):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of the host, in the system's order of preference. Raises HostUnknown."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise HostUnknown(
            f"The host {host} has no address.",
            advice="Check the spelling of the host name.",
            field="host",
            transient=error.errno == socket.EAI_AGAIN,
        ) from None
    except (UnicodeError, OSError):
        raise _odd_host(host) from None
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


class OutgoingGuard:
    """A Dialer: ``guard(host, port)`` gives the checked IP address to connect to, or raises AddressForbidden.

    With ``enabled`` only public addresses and those in ``allowed`` pass. ``own`` lists (host, port) of this
    installation's own database, refused always. All answers of the name server have to pass. Connections may read
    files below ``folders`` only; with ``apart`` each organization below a folder of its own in them.
    """

    def __init__(
        self,
        *,
        enabled: bool,
        allowed: Iterable[Network] = (),
        own: Iterable[tuple[str, int]] = (),
        resolve: Resolve = resolve,
        folders: Iterable[Path] = (),
        apart: bool = False,
    ) -> None:
        self.enabled = enabled
        self.folders = tuple(folders)
        self.apart = apart
        self.allowed = tuple(allowed)
        self.own = tuple(own)
        self._resolve = resolve

    @classmethod
    def from_environment(
        cls, own: Iterable[tuple[str, int]] = (), environ: Mapping[str, str] | None = None
    ) -> OutgoingGuard:
        """The guard the operator asked for: on when hosted unless switched explicitly."""
        hosted = envbool(HOSTED_VARIABLE, environ=environ)
        return cls(
            enabled=envbool(GUARD_VARIABLE, hosted, environ),
            allowed=allowed_networks(environ),
            own=own,
            folders=allowed_folders(Home.current(), environ),
            apart=hosted,
        )

    def for_organization(self, organization_id: int) -> OutgoingGuard:
        """The guard of one organization's connections: when hosted, only its own folders may be read."""
        folders = [folder / str(int(organization_id)) for folder in self.folders] if self.apart else self.folders
        return OutgoingGuard(
            enabled=self.enabled, allowed=self.allowed, own=self.own, resolve=self._resolve, folders=folders
        )

    def __call__(self, host: str, port: int) -> str:
        """The address to dial. Raises AddressForbidden, HostUnknown, BadInput for what is no host or port."""
        return self.addresses(host, port)[0]

    def folder(self, path: str) -> Path:
        """The real folder behind ``path``. Raises AddressForbidden unless it is below an allowed one, and BadInput."""
        # Before an organization is named, nobody's folder may be read where each has its own.
        return allowed_folder(path, () if self.apart else self.folders)

    def addresses(self, host: str, port: int) -> list[str]:
        """Every address of the host, all checked, the best first."""
        host = _checked_host(host)
        if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
            raise BadInput(f"{port!r} is not a port.", advice="Give a number from 1 to 65535.", field="port")
        found = [ipaddress.ip_address(text) for text in self._resolve(host, port)]
        if not found:
            raise HostUnknown(
                f"The host {host} has no address.", advice="Check the spelling of the host name.", field="host"
            )
        own = self._own_addresses(port)
        for address in found:
            if self._is_own(unwrapped(address), own):
                raise AddressForbidden(
                    f"{host}, port {port}, is the database of this installation itself.",
                    advice="Name the database your data comes from.",
                    field="host",
                )
            if self.enabled and not self._passes(address):
                raise AddressForbidden(
                    f"The address of {host} is not public and may not be reached from here.",
                    advice="Use a public address, or ask the operator of this installation to allow it.",
                    field="host",
                )
        if any(address.is_loopback for address in found):
            # A local server often listens on 127.0.0.1 only, while the system prefers ::1.
            found.sort(key=lambda address: address.version)
        return [str(address) for address in found]

    def _passes(self, address: Address) -> bool:
        inner = unwrapped(address)
        if any(inner.version == network.version and inner in network for network in self.allowed):
            return True
        return is_public(address)

    def _own_addresses(self, port: int) -> set[Address]:
        """Addresses of the own database on that port; empty when it listens on another one."""
        found: set[Address] = set()
        for host, own_port in self.own:
            if own_port != port:
                continue
            if host.startswith(("/", "@")):
                found.add(ipaddress.IPv4Address("127.0.0.1"))
                continue
            try:
                found.update(unwrapped(ipaddress.ip_address(text)) for text in self._resolve(host, port))
            except HostUnknown:
                continue
        return found

    @staticmethod
    def _is_own(address: Address, own: set[Address]) -> bool:
        if address in own:
            return True
        return bool(own) and _is_this_machine(address) and any(_is_this_machine(part) for part in own)


def allowed_networks(environ: Mapping[str, str] | None = None) -> tuple[Network, ...]:
    """The networks of ``B2B_RECS_ALLOW_ADDRESSES``. Raises SettingRefused naming the bad part."""
    networks: list[Network] = []
    for part in envlist(ALLOW_VARIABLE, environ):
        try:
            networks.append(ipaddress.ip_network(part))
        except ValueError:
            raise SettingRefused(
                f"{ALLOW_VARIABLE} holds {part!r}, which is not a network.",
                advice="Write networks as 10.0.0.0/8 or single addresses as 192.168.1.5, separated by commas.",
                field=ALLOW_VARIABLE,
            ) from None
    return tuple(networks)


def _checked_host(host: str) -> str:
    """The host when it is a name or an address and nothing a driver could read as something else."""
    text = host.strip() if isinstance(host, str) else ""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ipaddress.IPv6Address(bare)) if ":" in bare and "%" not in bare else _named(bare, host)
    except ValueError:
        raise _odd_host(host) from None


def _named(text: str, host: str) -> str:
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            raise _odd_host(host) from None
    if not _HOST.match(text):
        raise _odd_host(host)
    return text


def _odd_host(host: object) -> BadInput:
    return BadInput(
        f"{str(host)[:100]!r} is not a host name or an IP address.",
        advice="Write only the host, like db.example.com, without a scheme, a path or a port.",
        field="host",
    )


def _is_this_machine(address: Address) -> bool:
    if address.is_loopback or address.is_unspecified:
        return True
    text = str(address)
    return any(entry.address.split("%")[0] == text for entries in psutil.net_if_addrs().values() for entry in entries)
