"""The demo's shop can be connected by a newcomer: what to type is printed on request, and the line works."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from django.test import Client
from web_support import TestDatabase

from b2b_recs.cli import demo_shop
from b2b_recs.engine.errors import EngineError
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.keys import load_keys
from b2b_recs.runtime.ports import free_port
from b2b_recs.runtime.sample_source import sample_file
from b2b_recs.runtime.state import write_state
from b2b_recs.web.accounts.bootstrap import ensure_owner
from b2b_recs.web.accounts.models import ApiKey
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import scope


def test_without_a_running_demo_the_way_to_start_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="No demo runs in") as refused:
        demo_shop.shop_parameters(Home(tmp_path))
    assert "b2b-recs demo" in refused.value.advice


def test_the_parameters_are_those_of_the_shop_that_runs_and_its_login_only_reads(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").create()
    keys = load_keys(home, create=True)
    write_state(home, datetime.now(UTC), "http://127.0.0.1:8000", {"demo database": {"port": 5544}})
    assert demo_shop.shop_parameters(home) == {
        "host": "127.0.0.1",
        "port": 5544,
        "database": "shop",
        "username": "shop_reader",
        "password": keys.passwords["demo_reader"],
    }


def test_the_name_of_the_model_is_the_project_files() -> None:
    project = yaml.safe_load(sample_file().with_name("project.yaml").read_text("utf-8"))
    assert project["model"]["name"] == demo_shop.MODEL


def test_the_line_for_the_api_works_as_it_is_printed_and_leaves_one_key(
    platform_database: TestDatabase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, organization, _ = ensure_owner()
    with scope(organization.id):
        ModelEndpoint.objects.create(organization=organization, name=demo_shop.MODEL)
    parameters = {"host": "127.0.0.1", "port": free_port(), "database": "shop", "username": "u", "password": "p" * 20}
    monkeypatch.setattr(demo_shop, "shop_parameters", lambda home: parameters)
    monkeypatch.setattr(demo_shop, "set_up_django", lambda role: None)
    demo_shop.show_shop(None)
    demo_shop.show_shop(None)
    printed = capsys.readouterr().out
    words = shlex.split(printed.strip().splitlines()[-1])
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    body = words[words.index("-d") + 1]
    assert json.loads(body)["parameters"] == parameters
    assert all(f"{value}" in printed for value in parameters.values())
    answer = Client().post(urlsplit(words[2]).path, body, content_type="application/json", headers=headers)
    assert "Nothing answers" in answer.content.decode() or answer.json()["error"]["code"] == "connection_refused"
    with scope(organization.id):
        assert [key.revoked_at is None for key in ApiKey.objects.order_by("id")] == [False, True]
