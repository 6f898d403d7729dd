"""Parameters that no connection can have, by the field they are refused with."""

from __future__ import annotations

from typing import Any

HOST_PARAMETERS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"host": None}, "host"),
    ({"host": "/var/run"}, "host"),
    ({"host": "a,b"}, "host"),
    ({"host": " shop.example"}, "host"),
    ({"host": "https://shop.example"}, "host"),
    ({"host": "h\x00"}, "host"),
    ({"port": 0}, "port"),
    ({"port": 65536}, "port"),
    ({"port": "many"}, "port"),
)
ANY_PARAMETERS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"url": "x://y"}, "url"),
    ({"options": "-c x=y"}, "options"),
    ({"driver": "canary"}, "driver"),
)
DATABASE_PARAMETERS: tuple[tuple[dict[str, Any], str], ...] = (
    *HOST_PARAMETERS,
    ({"database": ""}, "database"),
    ({"database": "a\x00b"}, "database"),
    ({"password": "canary\x00"}, "password"),
    ({"password": ["canary"]}, "password"),
    *ANY_PARAMETERS,
)
