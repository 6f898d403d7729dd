"""Secrets are planted in a running installation, then searched for in everything it keeps, prints and shows."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from cli.command_line import Installation, Said
from cli.wholesale_shop import PROJECT, fill
from security.traces import CommandLines, in_files, pages, rows, told

from b2b_recs.runtime.database import ControlDatabase
from b2b_recs.runtime.keys import load_keys

pytestmark = pytest.mark.xdist_group("canary")
MODEL, ROLE = "Großhandel", "kanarienvogel"
ROLE_OF_THE_SHOP = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'leser') THEN CREATE ROLE leser LOGIN; END IF;
END $$
"""


@dataclass
class Planted:
    """What was planted, and everything that came out of the installation meanwhile."""

    installation: Installation
    control: ControlDatabase
    secrets: dict[str, str]
    own_keys: dict[str, str]
    lines: CommandLines
    outputs: dict[str, str] = field(default_factory=dict)
    pages: dict[str, httpx.Response] = field(default_factory=dict)
    failed: dict[str, Any] = field(default_factory=dict)
    ran: dict[str, Any] = field(default_factory=dict)

    def keep(self, name: str, said: Said) -> Said:
        """Itself; what was printed is searched later."""
        self.outputs[name] = said.out + said.err
        return said


@pytest.fixture(scope="module")
def shop(postgres_server: Any) -> Iterator[tuple[int, str]]:
    """The port of a wholesaler's server and the password of its reader."""
    password = f"ß'\" {secrets.token_hex(12)}"
    postgres_server.execute(ROLE_OF_THE_SHOP)
    postgres_server.execute(f"DROP ROLE IF EXISTS {ROLE}")
    postgres_server.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{password.replace(chr(39), chr(39) * 2)}'")
    url = postgres_server.create_database("volière")
    fill(url)
    with psycopg.connect(url) as owner:
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {ROLE}".encode())
    yield postgres_server.port, password
    postgres_server.execute('DROP DATABASE "volière" WITH (FORCE)')
    postgres_server.execute(f"DROP ROLE {ROLE}")


@pytest.fixture(scope="module")
def planted(reachable_folder: Path, shop: tuple[int, str]) -> Iterator[Planted]:
    """The whole path, with a password that fails, then with the right one; the installation still runs."""
    port, password = shop
    wrong = f"falsch-{secrets.token_hex(12)}"
    project = PROJECT.format(port=port).replace(
        "warenwirtschaft\n    username: leser", f"volière\n    username: {ROLE}"
    )
    installation = Installation(reachable_folder / "canary")
    file = installation.write("projekt.yaml", project.replace("algorithms: auto", "algorithms: [popular]"))
    with CommandLines() as lines, installation.up() as up:
        lines.family.add(up.pid)
        keys = load_keys(installation.home, environ={})
        # The random middle of each secret, so that no way of escaping the rest hides it.
        planted = Planted(
            installation,
            ControlDatabase.current(installation.home, keys, environ={}),
            {"password": password[4:], "wrong password": wrong[7:]},
            {"django": keys.django_secret, **{f"role {name}": text for name, text in keys.passwords.items()}},
            lines,
        )
        planted.keep("apply wrong", installation("apply", file, LESER_PASSWORT=wrong).well())
        planted.failed = _run(planted, "failed", 1)
        planted.keep("apply", installation("apply", file, "--json", "-", LESER_PASSWORT=password).well())
        planted.ran = _run(planted, "ran", 0)
        planted.keep("export", installation("export", MODEL).well())
        planted.keep("doctor", installation("doctor", "--json"))
        planted.keep("recommend", installation("recommend", MODEL, "00003", "--json").well())
        _enter(planted)
        yield planted


def _run(planted: Planted, name: str, code: int) -> dict[str, Any]:
    target = planted.installation.folder / f"{name}.json"
    said = planted.keep(name, planted.installation("run", MODEL, "--wait", "--json", str(target)))
    assert said.code == code, said
    planted.outputs[f"{name} json"] = target.read_text("utf-8")
    found: dict[str, Any] = json.loads(planted.outputs[f"{name} json"])
    return found


def _enter(planted: Planted) -> None:
    """Use an API key and a one-time link, and read every page and the endpoint's own words."""
    installation = planted.installation
    key = installation("api-key", MODEL).well().out.strip()
    planted.secrets["API key"] = key.rsplit("_", 1)[1]
    link = installation("sign-in-link").well().out.split()[-1]
    planted.secrets["link"] = link.rstrip("/").rsplit("/", 1)[1]
    serving = f"http://127.0.0.1:{installation.serving_port}"
    for path in ("/model-info", "/health", "/openapi.json"):
        answer = httpx.get(serving + path, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200, answer.text
        planted.outputs[f"serving {path}"] = answer.text + str(answer.headers)
    with httpx.Client(base_url=link[: link.index("/sign-in")], follow_redirects=True, timeout=30) as client:
        form = client.get(link).text
        token = form.split('name="csrfmiddlewaretoken" value="', 1)[1].split('"', 1)[0]
        client.post(link, data={"csrfmiddlewaretoken": token}).raise_for_status()
        assert "/accounts/login/" not in str(client.get("/").url)
        planted.pages = pages(client, ("/", "/operator/"))
        # The link again, now used up, and a key where it does not belong.
        planted.outputs["used link"] = client.get("/health/", headers={"Authorization": f"Bearer {key}x"}).text


def test_the_whole_path_was_walked(planted: Planted) -> None:
    assert planted.failed["jobs"] and planted.ran["deployment"]["deployed"]
    assert len(planted.pages) > 20
    assert {answer.status_code for answer in planted.pages.values()} <= {200, 403, 404}
    assert any(address.startswith("/operator/connections/") for address in planted.pages)
    assert any("--" in line or "-m" in line for line in planted.lines.seen) and planted.lines.environments


def test_the_search_finds_what_is_there(planted: Planted, tmp_path: Path) -> None:
    secret = planted.secrets["password"]
    for number, text in enumerate(
        (f"x{secret}y", base64.b64encode(f"ab{secret}c".encode()).decode(), secret.encode().hex())
    ):
        (tmp_path / f"{number}.log").write_text(text)
    assert in_files(planted.secrets, tmp_path) == {f"{number}.log": ["password"] for number in range(3)}


def test_no_row_of_the_control_database_holds_a_secret(planted: Planted) -> None:
    with psycopg.connect(planted.control.url(*planted.control.administrator)) as connection:
        tables = dict(rows(connection))
    everything = {**planted.secrets, **planted.own_keys}
    assert len(tables) > 30 and any(name.endswith("event") for name in tables)
    assert any("storedsecret" in name and text for name, text in tables.items())
    assert any("procrastinate" in name and text for name, text in tables.items())
    assert {name: told(everything, text) for name, text in tables.items() if told(everything, text)} == {}


def test_no_file_of_the_installation_holds_a_secret(planted: Planted) -> None:
    home = planted.installation.home
    found = in_files({**planted.secrets, **planted.own_keys}, planted.installation.folder)
    keys = str(home.keys.relative_to(planted.installation.folder))
    assert set(found.pop(keys)) == set(planted.own_keys)
    assert found == {}


def test_nothing_printed_written_or_shown_holds_a_secret(planted: Planted) -> None:
    everything = {**planted.secrets, **planted.own_keys}
    shown = {
        **planted.outputs,
        **{address: f"{answer.headers} {answer.text}" for address, answer in planted.pages.items()},
    }
    assert {name: told(everything, text) for name, text in shown.items() if told(everything, text)} == {}


def test_no_command_line_and_no_environment_holds_a_secret(planted: Planted) -> None:
    everything = {**planted.secrets, **planted.own_keys}
    assert [line for line in planted.lines.seen if told(everything, line)] == []
    assert [told(everything, text) for text in planted.lines.environments if told(planted.secrets, text)] == []
