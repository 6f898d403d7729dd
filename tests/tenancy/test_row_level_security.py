"""The database keeps organizations apart, whatever the code forgets."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from web_support import TestDatabase


def test_smoke(platform_database: TestDatabase) -> None:
    with platform_database.superuser() as connection:
        assert connection.execute("select count(*) from accounts_organization").fetchone() == (0,)
