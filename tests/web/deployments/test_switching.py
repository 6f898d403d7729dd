"""Putting versions into service, rolling back, stopping and starting: each once, each refused with its reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from run_rows import Shop, make_shop
from version_rows import WORSE, make_version
from web_support import TestDatabase

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.progress import Silent
from b2b_recs.runtime.home import Home
from b2b_recs.web.conflicts import ModelArchived
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.services import ask
from b2b_recs.web.deployments.switching import (
    GateDisagrees,
    ServiceRefused,
    before_current,
    put_into_service,
    roll_back,
    start_serving,
    stop_serving,
)
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.operations.upkeep import keep_pins, keep_pointers
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.projects.states import change_status
from b2b_recs.web.tenancy import scope
from b2b_recs.web.training import execution


@pytest.fixture
def shop(platform_database: TestDatabase) -> Iterator[Shop]:
    Home.current().create()
    yield make_shop()
    shutil.rmtree(Home.current().serving)


def put(shop: Shop, trained: TrainedModel, **how: Any) -> Deployment:
    with scope(shop.id):
        return put_into_service(trained, shop.user, **how)


def back(shop: Shop, number: int) -> int:
    with scope(shop.id):
        return int(roll_back(shop.model, number, shop.user).trained_model.number)


def served(shop: Shop) -> str:
    """The version the pointer lets answer; empty when nothing answers."""
    path = Home.current().deployment_pointer(shop.model.id)
    pointer = json.loads(path.read_text()) if path.exists() else {}
    return str(pointer["version"]) if pointer.get("status") == "active" else ""


def history(shop: Shop) -> list[int]:
    with scope(shop.id):
        return list(Deployment.objects.order_by("id").values_list("trained_model__number", flat=True))


def model_of(shop: Shop) -> ModelEndpoint:
    with scope(shop.id):
        return ModelEndpoint.objects.get(id=shop.model.id)


def three(shop: Shop) -> list[TrainedModel]:
    """Three versions that were in service one after another."""
    versions = [make_version(shop, number) for number in (1, 2, 3)]
    for trained in versions:
        put(shop, trained)
    return versions


def test_a_version_goes_into_service_once_however_often_it_is_asked_for(shop: Shop) -> None:
    versions = three(shop)
    assert served(shop) == "v3"
    first = put(shop, versions[0])
    assert put(shop, versions[0]).id == first.id
    assert (served(shop), history(shop)) == ("v1", [1, 2, 3, 1])
    assert first.deployed_by == shop.user


def test_two_clicks_at_the_same_moment_are_one_deployment(shop: Shop) -> None:
    versions = three(shop)

    def click(_: int) -> int:
        try:
            return put(shop, versions[0]).id
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        assert len(set(threads.map(click, range(2)))) == 1
    assert history(shop) == [1, 2, 3, 1]


def test_a_version_the_gate_did_not_pass_goes_into_service_only_when_somebody_says_all_the_same(shop: Shop) -> None:
    put(shop, make_version(shop, 1))
    worse = make_version(shop, 2, passed=False)
    with pytest.raises(GateDisagrees) as refusal:
        put(shop, worse)
    assert WORSE in refusal.value.message
    assert served(shop) == "v1"
    deployment = put(shop, worse, despite_gate=True)
    assert served(shop) == "v2"
    assert deployment.gate == {"passed": False, "reasons": [WORSE]}


def test_a_version_without_a_verdict_has_not_passed(shop: Shop) -> None:
    with pytest.raises(GateDisagrees, match="gave no verdict"):
        put(shop, make_version(shop, 1, gate={}))


def test_a_version_whose_model_is_gone_from_the_disk_is_refused_and_the_old_one_answers(shop: Shop) -> None:
    put(shop, make_version(shop, 1))
    lost = make_version(shop, 2)
    shutil.rmtree(Home.current().artifacts / lost.artifact_id)
    with pytest.raises(ServiceRefused, match="v2 cannot be opened"):
        put(shop, lost)
    assert (served(shop), history(shop)) == ("v1", [1])


def test_rolling_back_goes_further_back_each_time_and_not_forth_again(shop: Shop) -> None:
    three(shop)
    assert back(shop, 3) == 2
    assert served(shop) == "v2"
    assert back(shop, 2) == 1
    with scope(shop.id):
        assert before_current(shop.model) is None
    with pytest.raises(ServiceRefused, match="No other version was in service before v1"):
        back(shop, 1)
    assert history(shop) == [1, 2, 3, 2, 1]


def test_a_double_click_on_roll_back_goes_back_once(shop: Shop) -> None:
    three(shop)
    assert [back(shop, 3), back(shop, 3)] == [2, 2]
    assert history(shop) == [1, 2, 3, 2]


def test_rolling_back_from_a_page_that_is_old_is_refused_with_what_answers_by_now(shop: Shop) -> None:
    versions = three(shop)
    put(shop, versions[0])
    with pytest.raises(ServiceRefused, match="v1 is in service by now, not v3"):
        back(shop, 3)
    assert served(shop) == "v1"


def test_what_a_roll_back_undid_is_passed_over_by_the_next_one(shop: Shop) -> None:
    versions = three(shop)
    back(shop, 3)
    fourth = make_version(shop, 4)
    put(shop, fourth)
    assert [back(shop, 4), back(shop, 2)] == [2, 1]
    put(shop, versions[2])  # an older version put in by hand: back leads to what was there before it
    assert back(shop, 3) == 1


def test_stopped_nothing_answers_and_no_sweep_brings_it_back_until_it_is_started(shop: Shop) -> None:
    three(shop)
    for _ in range(2):
        with scope(shop.id):
            stop_serving(shop.model)
    keep_pointers()
    keep_pins()
    assert served(shop) == ""
    assert not model_of(shop).endpoint_active
    with scope(shop.id), pytest.raises(BadInput, match="was stopped: its endpoint answers nothing"):
        ask(shop.model, "C1")
    for _ in range(2):
        with scope(shop.id):
            start_serving(shop.model)
    assert served(shop) == "v3"
    assert model_of(shop).endpoint_active
    assert history(shop) == [1, 2, 3]


def test_a_kill_after_stopping_was_committed_is_mended_by_the_sweep(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    three(shop)
    monkeypatch.setattr("b2b_recs.web.deployments.switching.sync_pointers", lambda organization_id: None)
    with scope(shop.id):
        stop_serving(shop.model)
    assert served(shop) == "v3"
    keep_pointers()
    assert served(shop) == ""


def test_putting_another_version_into_service_starts_a_stopped_endpoint(shop: Shop) -> None:
    versions = three(shop)
    with scope(shop.id):
        stop_serving(shop.model)
    put(shop, versions[1])
    assert served(shop) == "v2"
    assert model_of(shop).endpoint_active


def test_a_training_puts_nothing_into_service_while_it_is_stopped(shop: Shop) -> None:
    three(shop)
    with scope(shop.id):
        stop_serving(shop.model)
    fourth = make_version(shop, 4)
    told: list[tuple[str, str, str]] = []

    class Recorder(Silent):
        def stage(self, name: str, state: str, detail: str = "") -> None:
            told.append((name, state, detail))

    assert execution._deploy(fourth, Recorder()) is False  # type: ignore[arg-type]
    assert told == [("deploy", "skipped", "Serving was stopped by hand. Put v4 into service by hand.")]
    assert (served(shop), history(shop)) == ("", [1, 2, 3])


def test_what_was_stopped_stays_stopped_when_the_model_is_archived_and_restored(shop: Shop) -> None:
    three(shop)
    with scope(shop.id):
        stop_serving(shop.model)
        for status in ("paused", "archived", "paused"):
            change_status(shop.model.id, status)
    keep_pointers()
    assert served(shop) == ""
    with scope(shop.id):
        start_serving(shop.model)
    assert served(shop) == "v3"


ACTIONS: dict[str, Callable[[Shop], object]] = {
    "put": lambda shop: put(shop, TrainedModel.objects.get(number=1)),
    "back": lambda shop: back(shop, 3),
    "stop": lambda shop: stop_serving(shop.model),
    "start": lambda shop: start_serving(shop.model),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_an_archived_model_refuses_everything(shop: Shop, action: str) -> None:
    three(shop)
    with scope(shop.id):
        change_status(shop.model.id, "paused")
        change_status(shop.model.id, "archived")
    with scope(shop.id), pytest.raises(ModelArchived, match="is archived"):
        ACTIONS[action](shop)
    assert served(shop) == ""


@pytest.mark.parametrize("action", ["put", "back"])
def test_a_paused_model_keeps_the_version_in_service(shop: Shop, action: str) -> None:
    three(shop)
    with scope(shop.id):
        change_status(shop.model.id, "paused")
    with scope(shop.id), pytest.raises(ServiceRefused, match="is paused, so the version in service stays"):
        ACTIONS[action](shop)
    assert served(shop) == "v3"


def test_a_paused_model_can_be_stopped_and_started(shop: Shop) -> None:
    three(shop)
    with scope(shop.id):
        change_status(shop.model.id, "paused")
        stop_serving(shop.model)
    assert served(shop) == ""
    with scope(shop.id):
        start_serving(shop.model)
    assert served(shop) == "v3"


@pytest.mark.parametrize("action", ["back", "stop", "start"])
def test_nothing_in_service_is_told(shop: Shop, action: str) -> None:
    with scope(shop.id), pytest.raises(ServiceRefused, match="Nothing of “Model of Acme” is in service"):
        ACTIONS[action](shop)
