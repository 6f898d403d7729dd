"""Log lines without secrets, and settings that refuse to start unsafely."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from b2b_recs.web.operations.redaction import RedactingFormatter

CANARY = "canary-7f3a-91c2"


@pytest.mark.parametrize(
    "line",
    [
        f"connecting to postgresql://reader:{CANARY}@db.example.com/shop",
        f"password={CANARY} user=reader",
        f'{{"password": "{CANARY}", "host": "db"}}',
        f"Authorization: Bearer {CANARY}",
        f"GET /sign-in/link/{CANARY}/ 200",
        f"secret='{CANARY}'",
    ],
)
def test_a_secret_never_reaches_the_log(line: str) -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, line, None, None)
    assert CANARY not in RedactingFormatter("%(message)s").format(record)


def test_a_key_keeps_its_prefix_only_and_tracebacks_are_cleaned_too() -> None:
    key = "b2br_7_ab12cd34_" + "f" * 64
    try:
        raise ValueError(f"refused {key}")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed", None, sys.exc_info())
    text = RedactingFormatter("%(message)s").format(record)
    assert "b2br_7_ab12cd34_***" in text
    assert "f" * 64 not in text


def test_ordinary_words_stay() -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "The password was refused by the server.", None, None)
    assert RedactingFormatter("%(message)s").format(record) == "The password was refused by the server."


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"B2B_RECS_SECRET_KEY": "short"}, "B2B_RECS_SECRET_KEY"),
        ({"B2B_RECS_SECRET_KEY": ""}, "keys.json"),
        ({"B2B_RECS_HOSTED": "true"}, "B2B_RECS_ALLOWED_HOSTS"),
        ({"B2B_RECS_HOSTED": "true", "B2B_RECS_ALLOWED_HOSTS": "a.example", "B2B_RECS_DEBUG": "1"}, "B2B_RECS_DEBUG"),
        ({"B2B_RECS_ROLE": "postgres"}, "B2B_RECS_ROLE"),
    ],
)
def test_unsafe_settings_refuse_to_start_and_name_what_is_wrong(
    tmp_path: Path, environment: dict[str, str], named: str
) -> None:
    variables = {**os.environ, "B2B_RECS_HOME": str(tmp_path), "DATABASE_URL": "postgresql://u:p@h:1/d", **environment}
    done = subprocess.run(
        [sys.executable, "-c", "import b2b_recs.web.settings"],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert named in done.stderr.splitlines()[-1]


def test_a_hosted_installation_insists_on_https(tmp_path: Path) -> None:
    variables = {
        **os.environ,
        "B2B_RECS_HOME": str(tmp_path),
        "DATABASE_URL": "postgresql://u:p@h:1/d",
        "B2B_RECS_HOSTED": "true",
        "B2B_RECS_ALLOWED_HOSTS": "recs.example",
    }
    script = (
        "import b2b_recs.web.settings as s; print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE,"
        " s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS > 0, s.ALLOWED_HOSTS, s.DEBUG)"
    )
    done = subprocess.run([sys.executable, "-c", script], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True True True True ['recs.example'] False"
