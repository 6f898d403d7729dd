"""For every type of source, connections whose every secret is a canary, and how to recognise one."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

LOGIN = {"host": "source.example.com", "username": "reader"}
SERVER = {**LOGIN, "database": "shop"}
SNOWFLAKE = {"account": "shop-account1", "warehouse": "small", "database": "shop", "username": "reader"}
BUCKET = {"bucket": "shop-files", "format": "csv"}


@dataclass(frozen=True)
class Planted:
    """Parameters of one type, and what gives each of their secrets away wherever it is found."""

    type: str
    parameters: dict[str, Any]
    marks: dict[str, str]

    @property
    def plain(self) -> dict[str, Any]:
        """The parameters that are no secrets."""
        return {name: value for name, value in self.parameters.items() if name not in self.marks}

    @property
    def secret(self) -> dict[str, Any]:
        """The parameters that are."""
        return {name: self.parameters[name] for name in self.marks}


def plantings() -> list[Planted]:
    """At least one connection of every type there is; together they fill in every secret field."""
    servers = [
        _words(kind, SERVER, "password")
        for kind in ("postgresql", "mysql", "mariadb", "sqlserver", "redshift", "mongodb")
    ]
    stores = [
        _words("s3", {**BUCKET, "access_key_id": "AKIAEXAMPLE"}, "secret_access_key", "session_token"),
        _account("gcs", BUCKET, "service_account"),
        _azure("account_key"),
        _azure("sas_token"),
    ]
    files = [_signed(kind) for kind in ("csv", "parquet", "json", "excel")]
    return [
        *servers, *stores, *files,
        _words("oracle", {**LOGIN, "service_name": "shop"}, "password"),
        Planted("sqlite", {"file": "/srv/nothing/shop.db"}, {}),
        _account("bigquery", {"project": "shop-4711", "dataset": "shop"}, "credentials"),
        _account("firestore", {"project": "shop-4711"}, "service_account"),
        _words("snowflake", SNOWFLAKE, "password"),
        _locked("snowflake", SNOWFLAKE),
        _words("sftp", {**LOGIN, "format": "csv"}, "password"),
        _locked("sftp", {**LOGIN, "format": "csv"}),
    ]  # fmt: skip


def fresh(planted: Planted) -> Planted:
    """The same connection with other secrets, where they are words."""
    return _words(planted.type, planted.plain, *planted.marks)


def _words(kind: str, plain: Mapping[str, Any], *fields: str) -> Planted:
    marks = {name: secrets.token_hex(16) for name in fields}
    return Planted(kind, {**plain, **{name: f"canary {mark} 'ß\"" for name, mark in marks.items()}}, marks)


def _account(kind: str, plain: Mapping[str, Any], field: str) -> Planted:
    key = _private_key("")
    document = {
        "type": "service_account", "client_email": "reader@shop-4711.iam.gserviceaccount.com", "private_key_id": "1",
        "client_id": "1", "private_key": key, "token_uri": "https://oauth2.googleapis.com/token",
    }  # fmt: skip
    return Planted(kind, {**plain, field: json.dumps(document)}, {field: _line(key)})


def _azure(field: str) -> Planted:
    mark = base64.b64encode(secrets.token_bytes(48)).decode()
    text = mark if field == "account_key" else f"sv=2024-11-04&sp=rl&sig={mark}"
    return Planted("azure_blob", {"account": "shop", "container": "files", "format": "csv", field: text}, {field: mark})


def _signed(kind: str) -> Planted:
    mark = secrets.token_hex(16)
    address = f"https://files.invalid/orders.{kind}"
    return Planted(kind, {"location": address, "signature": f"sig={mark}"}, {"signature": mark})


def _locked(kind: str, plain: Mapping[str, Any]) -> Planted:
    passphrase = f"canary-{secrets.token_hex(16)}"
    key = _private_key(passphrase)
    marks = {"private_key": _line(key), "private_key_passphrase": passphrase[7:]}
    return Planted(kind, {**plain, "private_key": key, "private_key_passphrase": passphrase}, marks)


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _private_key(passphrase: str) -> str:
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return _key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()


def _line(key: str) -> str:
    """A line from the middle of a key, which no other key has."""
    lines = key.strip().splitlines()
    return lines[len(lines) // 2]
