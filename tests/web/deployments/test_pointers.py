"""What is deployed, and the files that tell serving so: derived from the database, remade whenever they differ."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from run_rows import GATE, Shop, make_shop
from web_support import TestDatabase

from b2b_recs.engine.serving.pointers import read_pointer
from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.api_keys import create_key, digest, revoke_key
from b2b_recs.web.accounts.models import ApiKey, Organization
from b2b_recs.web.deployments import services
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.pointers import own_key, sync_pointers
from b2b_recs.web.deployments.services import active_deployment, deploy
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.operations.upkeep import keep_pointers
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import operating, scope


@pytest.fixture
def shop(platform_database: TestDatabase) -> Iterator[Shop]:
    serving = Home.current().serving
    serving.mkdir(parents=True, exist_ok=True)
    yield make_shop()
    shutil.rmtree(serving)


def put(shop: Shop, number: int) -> Deployment:
    with scope(shop.id):
        return deploy(shop.trained(number), gate=GATE)


def pointer(shop: Shop) -> dict[str, Any] | None:
    path = Home.current().deployment_pointer(shop.model.id)
    if not path.exists():
        return None
    read_pointer(path)  # serving understands it
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def versions(shop: Shop) -> list[tuple[int, str]]:
    with scope(shop.id):
        return list(TrainedModel.objects.order_by("number").values_list("number", "status"))


def test_deploying_retires_what_was_in_service_and_points_serving_at_the_new_one(shop: Shop) -> None:
    put(shop, 1)
    second = put(shop, 2)
    with scope(shop.id):
        active = active_deployment(shop.model)
        shop.model.refresh_from_db()
        assert active == second
        assert list(Deployment.objects.order_by("id").values_list("status", flat=True)) == ["retired", "active"]
    assert versions(shop) == [(1, "retired"), (2, "deployed")]
    assert (shop.model.status, shop.model.endpoint_active) == ("active", True)
    content = pointer(shop)
    assert content is not None
    assert (content["version"], content["artifact_id"], content["deployment_id"]) == ("v2", f"{2:064d}", second.id)
    assert content["data_until"] == "2026-02-01T00:00:00+00:00"


def test_deploying_the_same_version_twice_is_one_deployment(shop: Shop) -> None:
    with scope(shop.id):
        trained = shop.trained(1)
        assert deploy(trained).id == deploy(trained).id
        assert Deployment.objects.count() == 1


def test_deploying_at_the_same_moment_leaves_one_active(shop: Shop) -> None:
    with scope(shop.id):
        trained = [shop.trained(1), shop.trained(2)]

    def ask(number: int) -> None:
        try:
            with scope(shop.id):
                deploy(trained[number % 2])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(8)))
    with scope(shop.id):
        active = Deployment.objects.get(status="active")
    keep_pointers()
    content = pointer(shop)
    assert content is not None
    assert content["deployment_id"] == active.id
    assert sorted(status for _, status in versions(shop)) == ["deployed", "retired"]


def test_going_back_puts_the_older_version_into_service_again(shop: Shop) -> None:
    put(shop, 1)
    put(shop, 2)
    with scope(shop.id):
        deploy(TrainedModel.objects.get(number=1))
    assert versions(shop) == [(1, "deployed"), (2, "retired")]
    assert (pointer(shop) or {})["version"] == "v1"


def test_a_deployment_that_is_undone_leaves_the_old_one_answering(shop: Shop) -> None:
    put(shop, 1)
    with pytest.raises(ZeroDivisionError), scope(shop.id):
        deploy(shop.trained(2))
        raise ZeroDivisionError
    assert versions(shop) == [(1, "deployed")]
    assert (pointer(shop) or {})["version"] == "v1"


def test_a_kill_between_commit_and_file_is_mended_by_one_sweep(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    put(shop, 1)
    monkeypatch.setattr(services, "sync_pointers", lambda organization_id: None)
    put(shop, 2)
    assert (pointer(shop) or {})["version"] == "v1"
    keep_pointers()
    assert (pointer(shop) or {})["version"] == "v2"


def test_a_file_that_cannot_be_written_does_not_undo_the_deployment(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(organization_id: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(services, "sync_pointers", full)
    deployment = put(shop, 1)
    assert deployment.status == "active"
    keep_pointers()
    assert (pointer(shop) or {})["deployment_id"] == deployment.id


@pytest.mark.parametrize("damage", ["", "{", "gone", b"\xff\xfe"])
def test_a_damaged_or_missing_file_is_written_anew(shop: Shop, damage: str | bytes) -> None:
    put(shop, 1)
    before = pointer(shop)
    path = Home.current().deployment_pointer(shop.model.id)
    path.unlink() if damage == "gone" else path.write_bytes(damage if isinstance(damage, bytes) else damage.encode())
    keep_pointers()
    assert pointer(shop) == before


def test_a_file_that_says_the_truth_is_left_alone(shop: Shop) -> None:
    put(shop, 1)
    path = Home.current().deployment_pointer(shop.model.id)
    before = path.stat()
    keep_pointers()
    sync_pointers(shop.id)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_keys_come_and_go_within_one_sweep(shop: Shop) -> None:
    put(shop, 1)
    with scope(shop.id):
        key, text = create_key("shop", model=shop.model)
        everywhere, _ = create_key("all models")
        reads, _ = create_key("reads only", scopes=(ApiKey.Scope.READ,))
    keep_pointers()
    assert (pointer(shop) or {})["other_keys"] == [{"prefix": reads.prefix, "sha256": reads.hash}]
    held = {one["prefix"]: one["sha256"] for one in (pointer(shop) or {})["keys"]}
    assert held == {
        "platform": digest(own_key(shop.id, shop.model.id)),
        key.prefix: digest(text),
        everywhere.prefix: everywhere.hash,
    }
    with scope(shop.id):
        revoke_key(key)
    keep_pointers()
    assert [one["prefix"] for one in (pointer(shop) or {})["keys"]] == ["platform", everywhere.prefix]


def test_keys_of_another_model_or_organization_never_open_this_one(shop: Shop) -> None:
    rival = make_shop("Rival")
    put(shop, 1)
    put(rival, 1)
    with scope(rival.id):
        create_key("rival")
    with scope(shop.id):
        other = ModelEndpoint.objects.create(organization_id=shop.id, name="other")
        elsewhere, _ = create_key("other", model=other)
    keep_pointers()
    assert [one["prefix"] for one in (pointer(shop) or {})["keys"]] == ["platform"]
    assert [one["prefix"] for one in (pointer(shop) or {})["other_keys"]] == [elsewhere.prefix]
    assert (pointer(rival) or {})["other_keys"] == []
    assert len((pointer(rival) or {})["keys"]) == 2


def test_the_file_of_a_model_that_nothing_answers_for_is_removed(shop: Shop) -> None:
    put(shop, 1)
    with scope(shop.id):
        Deployment.objects.update(status="retired")
    keep_pointers()
    assert pointer(shop) is None


def test_a_suspended_organization_is_not_answered_for_until_it_is_let_in_again(shop: Shop) -> None:
    put(shop, 1)
    for suspended in (True, False):
        with operating():
            Organization.objects.filter(id=shop.id).update(suspended=suspended)
        sync_pointers(shop.id)
        keep_pointers()
        assert (pointer(shop) is None) is suspended
