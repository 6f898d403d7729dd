"""A value in a message is seen whole, and changes nothing of the text around it."""

from __future__ import annotations

import pytest

from b2b_recs.engine.quoted import quoted
from b2b_recs.engine.sources.registry import parameter_faults

TYPED = {"database": "shop", "username": "reader"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("db.example.com", "“db.example.com”"),
        ("O'Brien", "“O'Brien”"),
        (65_536, "“65536”"),
        ("naïve 店", "“naïve 店”"),
        ("a\nb\x00", "“a\\nb\\x00”"),
        ("ab\u202ecd\u2066", "“ab\\u202ecd\\u2066”"),
        ("x" * 70, f"“{'x' * 60}…”"),
    ],
)
def test_a_value_is_quoted_and_signs_that_are_not_seen_are_escaped(value: object, shown: str) -> None:
    assert quoted(value) == shown


@pytest.mark.parametrize("host", ["127.0.0.1:46651", "db.example.com:5432", "[::1]:5432"])
def test_a_port_typed_into_the_host_is_sent_to_its_own_field(host: str) -> None:
    (fault,) = parameter_faults("postgresql", {**TYPED, "host": host})
    assert fault.field == "host"
    assert f"“{host}”" in fault.message
    assert "the port goes into its own field" in fault.message


@pytest.mark.parametrize("host", ["a b:c", "/var/run", "a:b", "::g"])
def test_what_is_no_host_at_all_is_told_as_before(host: str) -> None:
    (fault,) = parameter_faults("postgresql", {**TYPED, "host": host})
    assert "one host name or one address" in fault.message


def test_a_setting_that_is_missing_is_explained() -> None:
    (fault,) = parameter_faults("postgresql", TYPED)
    assert (fault.message, fault.advice) == ("Host is missing.", "Name or address of the server.")
