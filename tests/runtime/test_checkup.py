"""The doctor names what is wrong and what mends it."""

from __future__ import annotations

import json
import socket

import pytest
from click.testing import CliRunner

from b2b_recs.cli.doctor import doctor
from b2b_recs.runtime import checkup as checkup_module
from b2b_recs.runtime.checkup import BAD, OK, SKIPPED, Checkup
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.keys import Keys, load_keys
from b2b_recs.runtime.ports import free_port


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("B2B_RECS_SECRET_KEY", "DATABASE_URL", "B2B_RECS_HOSTED", "B2B_RECS_ALLOW_ADDRESSES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("B2B_RECS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("B2B_RECS_PORT", str(free_port()))
    monkeypatch.setenv("B2B_RECS_SERVING_PORT", str(free_port()))
    return Home(tmp_path / "home")


def found(home, **options):
    return {finding.name: finding for finding in Checkup(home, **options).findings()}


def test_fresh_machine_has_nothing_to_mend_and_nothing_is_created(home):
    result = CliRunner().invoke(doctor)
    assert result.exit_code == 0, result.output
    assert "Nothing to mend." in result.output
    assert "PostgreSQL) 18" in result.output
    assert not home.root.exists()


def test_json_gives_every_finding(home):
    home.create()
    home.root.chmod(0o777)
    result = CliRunner().invoke(doctor, ["--json"])
    value = json.loads(result.output)
    assert result.exit_code == 1
    assert value["ok"] is False
    assert [each["name"] for each in value["findings"] if each["state"] == BAD] == ["home folder"]
    assert all(each["mend"] for each in value["findings"] if each["state"] == BAD)


def test_open_keys_taken_port_and_bad_setting_are_named(home, monkeypatch):
    load_keys(home.create(), create=True)
    home.keys.chmod(0o640)
    monkeypatch.setenv("B2B_RECS_ALLOW_ADDRESSES", "intranet")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("B2B_RECS_PORT", str(taken.getsockname()[1]))
        findings = found(home)
    assert {name for name, finding in findings.items() if finding.state == BAD} == {"settings", "keys", "port of web"}
    assert "chmod 600" in findings["keys"].mend
    assert "intranet" in findings["settings"].text
    assert "B2B_RECS_PORT" in findings["port of web"].mend


def test_full_disk_is_named(home, monkeypatch):
    usage = checkup_module.shutil.disk_usage("/")
    monkeypatch.setattr(checkup_module.shutil, "disk_usage", lambda path: usage._replace(free=5_000_000))
    assert found(home)["disk"].state == BAD


def test_database_is_asked_with_every_role_and_for_its_tables(home, monkeypatch, role_server):
    keys = load_keys(home.create(), create=True)
    monkeypatch.setenv("DATABASE_URL", role_server.url("doctor_test"))
    role_server.create_database("doctor_test")
    try:
        assert found(home)["database"].state == BAD
        control = checkup_module.ControlDatabase.current(home, Keys(keys.django_secret, keys.ring, keys.passwords))
        control.ensure()
        findings = found(home, migrations=lambda: 3)
        assert findings["database"].state == OK
        assert (findings["database tables"].state, findings["database tables"].mend) == (BAD, "Run: b2b-recs migrate")
        role_server.execute("ALTER ROLE b2b_recs_web BYPASSRLS")
        assert "b2b_recs_web" in found(home)["database"].text
        role_server.execute("ALTER ROLE b2b_recs_web NOBYPASSRLS")
        monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
        assert found(home)["database"].state == BAD
    finally:
        role_server.drop_database("doctor_test")


def test_stopped_installation_is_not_called_broken(home):
    load_keys(home.create(), create=True)
    findings = found(home)
    assert findings["processes"].state == SKIPPED
    assert findings["database"].state == SKIPPED
    assert all(finding.state != BAD for finding in findings.values())
