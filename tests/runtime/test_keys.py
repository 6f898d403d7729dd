"""Keys: random at the first start, refused when weak, and secrets that open only where they belong."""

from __future__ import annotations

import json

import pytest

from b2b_recs.runtime import keys as keys_module
from b2b_recs.runtime.environment import envbool, envint, envport
from b2b_recs.runtime.errors import KeysRefused, SecretUnreadable, SettingRefused
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.keys import load_keys, rotate
from b2b_recs.runtime.secrets import SecretBox, SecretPlace

GOOD = "9f3a5c7e1b2d4f60a8c9e7b5d3f1a2c4"


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").create()


def test_first_start_makes_random_keys_only_the_owner_can_read(home, tmp_path):
    first = load_keys(home, create=True, environ={})
    other = load_keys(Home(tmp_path / "other").create(), create=True, environ={})
    assert home.keys.stat().st_mode & 0o777 == 0o600
    assert load_keys(home, environ={}) == first
    assert first.django_secret != other.django_secret
    assert first.ring != other.ring
    assert len(set(first.passwords.values())) == len(keys_module.ROLES)


def test_missing_keys_refuse_and_name_the_file(home):
    with pytest.raises(KeysRefused) as caught:
        load_keys(home, environ={})
    assert caught.value.field == str(home.keys)


def test_lost_keys_beside_a_database_are_not_replaced(home):
    home.postgres.mkdir()
    (home.postgres / "cluster.json").write_text("{}")
    with pytest.raises(KeysRefused, match="backup"):
        load_keys(home, create=True, environ={})


def test_hosted_without_a_key_refuses_and_names_the_variable(home):
    with pytest.raises(KeysRefused) as caught:
        load_keys(home, create=True, environ={"B2B_RECS_HOSTED": "true"})
    assert caught.value.field == "B2B_RECS_SECRET_KEY"


@pytest.mark.parametrize(
    "key", ["tiny1", "changeme" * 8, "django-insecure-" + GOOD, "a" * 64, "abab" * 16, GOOD + ",tiny1"]
)
def test_weak_key_refuses_names_the_variable_and_is_not_repeated(home, key):
    with pytest.raises(KeysRefused) as caught:
        load_keys(home, environ={"B2B_RECS_SECRET_KEY": key})
    assert caught.value.field == "B2B_RECS_SECRET_KEY"
    assert key not in str(caught.value)


def test_keys_file_open_to_others_refuses(home):
    load_keys(home, create=True, environ={})
    home.keys.chmod(0o644)
    with pytest.raises(KeysRefused, match="chmod 600"):
        load_keys(home, environ={})


@pytest.mark.parametrize(
    "change",
    [{"django_secret": "secret"}, {"ring": []}, {"ring": ["AAAA"]}, {"passwords": {}}, {"ring": ["A" * 43 + "="]}],
)
def test_damaged_keys_file_refuses(home, change):
    load_keys(home, create=True, environ={})
    value = {**json.loads(home.keys.read_text()), **change}
    home.keys.write_text(json.dumps(value))
    with pytest.raises(KeysRefused, match=r"keys\.json"):
        load_keys(home, environ={})


def test_keys_from_the_environment_are_stable_apart_by_purpose_and_rotate(home):
    one = load_keys(home, environ={"B2B_RECS_SECRET_KEY": GOOD})
    two = load_keys(home, environ={"B2B_RECS_SECRET_KEY": GOOD[::-1] + "," + GOOD})
    assert one == load_keys(home, environ={"B2B_RECS_SECRET_KEY": GOOD})
    assert one.ring[0].hex() != one.django_secret
    assert two.ring[1] == one.ring[0]
    assert two.django_fallbacks == (one.django_secret,)


def test_secret_moved_to_another_tenant_connection_or_field_does_not_open(home):
    box = SecretBox(load_keys(home, create=True, environ={}).ring)
    place = SecretPlace.of_connection(1, 7, "password")
    sealed = box.seal("hunter2 ü", place)
    assert box.open(sealed, place) == "hunter2 ü"
    for other in (
        SecretPlace.of_connection(2, 7, "password"),
        SecretPlace.of_connection(1, 8, "password"),
        SecretPlace.of_connection(1, 7, "token"),
        SecretPlace.of_organization(1, "password"),
    ):
        with pytest.raises(SecretUnreadable) as caught:
            box.open(sealed, other)
        assert "hunter2" not in str(caught.value)


def test_damaged_or_foreign_ciphertext_is_refused_at_every_byte(home):
    box = SecretBox([bytes(range(32))])
    place = SecretPlace.of_connection(1, 1, "password")
    sealed = box.seal("word", place)
    for position in range(len(sealed)):
        broken = bytearray(sealed)
        broken[position] ^= 1
        with pytest.raises(SecretUnreadable):
            box.open(bytes(broken), place)
    for cut in (b"", b"\x01", sealed[:10], sealed[:21]):
        with pytest.raises(SecretUnreadable):
            box.open(cut, place)


def test_rotated_ring_opens_old_secrets_and_seals_with_the_new_key(home):
    place = SecretPlace.of_connection(1, 1, "password")
    old = SecretBox(load_keys(home, create=True, environ={}).ring)
    sealed = old.seal("word", place)
    new = SecretBox(rotate(home).ring)
    assert new.open(sealed, place) == "word"
    assert new.outdated(sealed)
    fresh = new.reseal(sealed, place)
    assert not new.outdated(fresh)
    with pytest.raises(SecretUnreadable):
        old.open(fresh, place)


def test_same_secret_is_sealed_differently_every_time_and_never_shown():
    box = SecretBox([bytes(range(32))])
    place = SecretPlace.of_connection(1, 1, "password")
    assert box.seal("word", place) != box.seal("word", place)
    assert b"word" not in box.seal("word", place)
    assert bytes(range(32)).hex() not in repr(box)


def test_bad_values_of_variables_are_refused_with_their_name():
    with pytest.raises(SettingRefused) as caught:
        envbool("B2B_RECS_HOSTED", environ={"B2B_RECS_HOSTED": "maybe"})
    assert caught.value.field == "B2B_RECS_HOSTED"
    for text in ("0", "65536", "80a", "-1", "٣", "1e3"):
        with pytest.raises(SettingRefused):
            envport("B2B_RECS_PORT", 8000, {"B2B_RECS_PORT": text})
    assert envint("X", 3, 1, 9, {"X": " 7 "}) == 7
    assert envbool("X", True, {"X": ""}) is True
