"""Secrets at rest: sealed with AES-GCM under a ring of keys, each bound to the place it belongs to."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from b2b_recs.engine.errors import BadInput
from b2b_recs.runtime.errors import KeysRefused, SecretUnreadable

_FORMAT = b"\x01"
_ID_BYTES = 8
_NONCE_BYTES = 12
_HEAD = len(_FORMAT) + _ID_BYTES + _NONCE_BYTES
MAX_SECRET_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """Whose secret it is: a sealed text opens only in the place it was sealed for."""

    organization_id: int
    owner: str
    name: str

    @classmethod
    def of_connection(cls, organization_id: int, connection_id: int, name: str) -> SecretPlace:
        """The field ``name`` of a connection."""
        return cls(organization_id, f"connection:{connection_id}", name)

    @classmethod
    def of_organization(cls, organization_id: int, name: str) -> SecretPlace:
        """A secret an organization stores under a name."""
        return cls(organization_id, "organization", name)

    def bound(self) -> bytes:
        """The associated data, unambiguous for every content of the fields."""
        return json.dumps(["b2b-recs secret", self.organization_id, self.owner, self.name]).encode()


class SecretBox:
    """Seals and opens secrets. ``ring`` holds 32-byte keys; the first seals, all open."""

    def __init__(self, ring: Sequence[bytes]) -> None:
        if not ring or any(len(key) != 32 for key in ring):
            raise KeysRefused("The ring of keys is empty or holds a key that is not 32 bytes.")
        self._keys = {_key_id(key): AESGCM(key) for key in reversed(ring)}
        self._current = _key_id(ring[0])

    def __repr__(self) -> str:
        return f"<SecretBox of {len(self._keys)} keys>"

    def seal(self, secret: str, place: SecretPlace) -> bytes:
        """The ciphertext to store; every call gives another one. Raises BadInput when it is too long."""
        clear = secret.encode()
        if len(clear) > MAX_SECRET_BYTES:
            raise BadInput(
                f"The secret is longer than {MAX_SECRET_BYTES} bytes.",
                advice="Store a shorter one.",
                field=place.name,
            )
        nonce = os.urandom(_NONCE_BYTES)
        head = _FORMAT + self._current + nonce
        return head + self._keys[self._current].encrypt(nonce, clear, place.bound())

    def open(self, sealed: bytes, place: SecretPlace) -> str:
        """The secret. Raises SecretUnreadable for another place, a damaged text or a missing key."""
        sealed = bytes(sealed)
        box = self._keys.get(sealed[1 : 1 + _ID_BYTES]) if sealed[:1] == _FORMAT else None
        if box is None or len(sealed) < _HEAD:
            raise SecretUnreadable(
                f"The stored secret {place.name!r} was sealed with a key this installation does not have.",
                advice="Put the old keys back, or enter the secret again.",
                field=place.name,
            )
        try:
            return box.decrypt(sealed[1 + _ID_BYTES : _HEAD], sealed[_HEAD:], place.bound()).decode()
        except InvalidTag:
            raise SecretUnreadable(
                f"The stored secret {place.name!r} does not open here.",
                advice="Enter the secret again.",
                field=place.name,
            ) from None

    def outdated(self, sealed: bytes) -> bool:
        """Whether the text was sealed with an older key of the ring."""
        return bytes(sealed[1 : 1 + _ID_BYTES]) != self._current

    def reseal(self, sealed: bytes, place: SecretPlace) -> bytes:
        """The same secret under the key in use now."""
        return self.seal(self.open(sealed, place), place)


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"b2b-recs key id" + key).digest()[:_ID_BYTES]
