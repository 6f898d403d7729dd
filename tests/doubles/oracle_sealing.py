"""How login secrets of Oracle are sealed and opened."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def sealed(key: bytes, plain: bytes) -> bytes:
    sealing = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    return sealing.update(plain) + sealing.finalize()


def opened(key: bytes, sealed: bytes) -> bytes:
    opening = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).decryptor()
    return opening.update(sealed) + opening.finalize()


def padded(plain: bytes) -> bytes:
    missing = 16 - len(plain) % 16
    return plain + bytes([missing]) * missing
