"""The outgoing guard: what may be dialled, and what never."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from b2b_recs.engine.errors import AddressForbidden, BadInput, HostUnknown
from b2b_recs.runtime.errors import SettingRefused
from b2b_recs.runtime.guard import OutgoingGuard, allowed_networks, is_public

INSIDE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1",
    "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001:0:4136:e378::1", "2001:db8::1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd12::1",
    "fe80::1", "fe80::1%1", "fec0::1", "ff02::1",
]  # fmt: skip
OUTSIDE = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "192.0.1.1", "2606:4700::1111", "::ffff:8.8.8.8"]


def answering(*addresses):
    return lambda host, port: list(addresses)


@pytest.mark.parametrize("text", INSIDE)
def test_inside_address_is_refused_when_hosted(text):
    with pytest.raises(AddressForbidden):
        OutgoingGuard(enabled=True, resolve=answering(text))("db.example.com", 5432)


@pytest.mark.parametrize("text", OUTSIDE)
def test_public_address_is_given_back_for_dialling(text):
    assert is_public(ipaddress.ip_address(text))
    dialled = OutgoingGuard(enabled=True, resolve=answering(text))("db.example.com", 5432)
    assert ipaddress.ip_address(dialled) == ipaddress.ip_address(text)


def test_one_bad_answer_of_the_name_server_refuses_all():
    for answers in (("8.8.8.8", "10.0.0.1"), ("10.0.0.1", "8.8.8.8")):
        with pytest.raises(AddressForbidden):
            OutgoingGuard(enabled=True, resolve=answering(*answers))("rebind.example.com", 443)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "localhost", "[::1]"])
def test_other_spellings_of_this_machine_are_refused(host):
    # Some resolvers do not know a spelling at all, which is as good.
    with pytest.raises((AddressForbidden, HostUnknown)):
        OutgoingGuard(enabled=True)(host, 5432)


@pytest.mark.parametrize(
    "host",
    ["", " ", "/var/run/postgresql", "@abstract", "a,b", "a b", "user@host", "host:5432", "http://host", "a/b",
     "a\x00b", "a\nb", "\\\\host\\share", "fe80::1%eth0", "-h", "a" * 300, "x\u2028y"],
)  # fmt: skip
def test_what_is_no_host_is_bad_input_naming_the_field(host):
    with pytest.raises(BadInput) as caught:
        OutgoingGuard(enabled=False)(host, 5432)
    assert caught.value.field == "host"


@pytest.mark.parametrize("port", [0, -1, 65536, True, "5432"])
def test_what_is_no_port_is_bad_input(port):
    with pytest.raises(BadInput) as caught:
        OutgoingGuard(enabled=False, resolve=answering("8.8.8.8"))("db.example.com", port)
    assert caught.value.field == "port"


@pytest.mark.parametrize("text", ["127.0.0.1", "0.0.0.0", "::1", "::ffff:127.0.0.1", "127.0.0.2"])
def test_own_database_is_refused_even_when_everything_else_is_allowed(text):
    guard = OutgoingGuard(
        enabled=False, own=[("127.0.0.1", 5001)], resolve=lambda host, port: [host if host[0].isdigit() else text]
    )
    with pytest.raises(AddressForbidden, match="database of this installation"):
        guard("shop.example.com", 5001)
    assert guard("shop.example.com", 5002) == str(ipaddress.ip_address(text))


# The first and the last address of every range of docs and security notes that the standard library lets pass.
EDGES = [
    "100.64.0.0", "100.127.255.255", "192.0.0.0", "192.0.0.255", "192.88.99.0", "192.88.99.255",
    "64:ff9b::", "64:ff9b::ffff:ffff", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
    "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
    "224.0.0.0", "239.255.255.255", "ff00::", "ffff::1",
]  # fmt: skip


@pytest.mark.parametrize("text", EDGES)
def test_every_range_is_refused_to_its_edges(text):
    assert not is_public(ipaddress.ip_address(text))
    with pytest.raises(AddressForbidden):
        OutgoingGuard(enabled=True, resolve=answering("8.8.8.8", text))("db.example.com", 5432)


@pytest.mark.parametrize(
    "host",
    ["[::ffff:127.0.0.1]", "::ffff:7f00:1", "0:0:0:0:0:ffff:7f00:1", "[64:ff9b::7f00:1]", "::127.0.0.1",
     "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe", "[0000:0000:0000:0000:0000:0000:0000:0001]"],
)  # fmt: skip
def test_an_address_wrapped_in_ipv6_is_judged_by_what_it_wraps(host):
    with pytest.raises(AddressForbidden):
        OutgoingGuard(enabled=True)(host, 5432)


@pytest.mark.parametrize(
    "host", ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "0xa9.254.169.254"]
)
def test_other_spellings_of_the_metadata_address_are_refused(host):
    with pytest.raises((AddressForbidden, HostUnknown)):
        OutgoingGuard(enabled=True)(host, 80)
    # Where a resolver does know the spelling, its answer is judged.
    with pytest.raises(AddressForbidden):
        OutgoingGuard(enabled=True, resolve=answering("169.254.169.254"))(host, 80)


def test_a_name_that_changes_its_answer_is_judged_at_every_dial_and_dialled_by_the_judged_address():
    answers = iter([["8.8.8.8"], ["127.0.0.1"], ["8.8.4.4"]])
    guard = OutgoingGuard(enabled=True, resolve=lambda host, port: next(answers))
    assert guard("rebind.example.com", 5432) == "8.8.8.8"
    with pytest.raises(AddressForbidden):
        guard("rebind.example.com", 5432)
    assert guard("rebind.example.com", 5432) == "8.8.4.4"


def test_every_refusal_reads_alike_so_that_nobody_maps_the_inside():
    said = set()
    for text in [*INSIDE, *EDGES]:
        with pytest.raises(AddressForbidden) as caught:
            OutgoingGuard(enabled=True, resolve=answering(text))("db.example.com", 5432)
        said.add((str(caught.value), caught.value.field, caught.value.transient))
    assert len(said) == 1


def test_a_guard_for_one_organization_is_as_strict_as_the_whole():
    guard = OutgoingGuard(enabled=True, own=[("10.0.0.5", 5432)], allowed=allowed_networks({
        "B2B_RECS_ALLOW_ADDRESSES": "10.0.0.0/24"}), resolve=lambda host, port: [host]).for_organization(7)  # fmt: skip
    assert guard("10.0.0.6", 5432) == "10.0.0.6"
    for host in ("10.0.0.5", "10.0.1.1", "127.0.0.1"):
        with pytest.raises(AddressForbidden):
            guard(host, 5432)


def test_own_database_is_found_behind_another_name():
    names = {"control.internal": ["10.0.0.5"], "innocent.example.com": ["10.0.0.5"], "other": ["10.0.0.6"]}
    guard = OutgoingGuard(enabled=False, own=[("control.internal", 5432)], resolve=lambda host, port: names[host])
    with pytest.raises(AddressForbidden):
        guard("innocent.example.com", 5432)
    assert guard("other", 5432) == "10.0.0.6"


def test_ranges_the_operator_allows_pass_and_no_others():
    allowed = allowed_networks({"B2B_RECS_ALLOW_ADDRESSES": "10.1.0.0/16, fd00::/8"})
    assert OutgoingGuard(enabled=True, allowed=allowed, resolve=answering("10.1.2.3"))("a", 1) == "10.1.2.3"
    assert OutgoingGuard(enabled=True, allowed=allowed, resolve=answering("fd00::1"))("a", 1) == "fd00::1"
    with pytest.raises(AddressForbidden):
        OutgoingGuard(enabled=True, allowed=allowed, resolve=answering("10.2.0.1"))("a", 1)


def test_bad_allow_list_is_refused_with_the_variable():
    with pytest.raises(SettingRefused) as caught:
        allowed_networks({"B2B_RECS_ALLOW_ADDRESSES": "10.0.0.0/8, intranet"})
    assert caught.value.field == "B2B_RECS_ALLOW_ADDRESSES"
    assert "intranet" in str(caught.value)


def test_guard_is_on_when_hosted_and_off_otherwise_unless_said():
    assert OutgoingGuard.from_environment(environ={"B2B_RECS_HOSTED": "true"}).enabled
    assert not OutgoingGuard.from_environment(environ={}).enabled
    assert OutgoingGuard.from_environment(environ={"B2B_RECS_OUTGOING_GUARD": "on"}).enabled


def test_unknown_host_says_so(monkeypatch):
    def fail(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(HostUnknown, match=r"nowhere\.example"):
        OutgoingGuard(enabled=True)("nowhere.example", 5432)


def test_refusal_does_not_tell_the_inside_address():
    with pytest.raises(AddressForbidden) as caught:
        OutgoingGuard(enabled=True, resolve=answering("10.9.8.7"))("intranet.example.com", 80)
    assert "10.9.8.7" not in str(caught.value)


def test_local_names_prefer_the_older_protocol():
    guard = OutgoingGuard(enabled=False, resolve=answering("::1", "127.0.0.1"))
    assert guard("localhost", 5432) == "127.0.0.1"
