"""From one version to the next: no failed request, and nothing damaged is ever put into service."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from serving_house import KEY

from b2b_recs.engine.artifacts.bundle import Recommender
from b2b_recs.engine.serving import shelf as shelf_module


async def test_no_request_fails_while_versions_change_under_load(house, running):
    artifacts = {f"v{number}": house.train("buy_again", seed=number) for number in range(5)}
    house.deploy(artifacts["v0"], version="v0")
    failed, versions, stop = [], set(), asyncio.Event()

    async def keep_asking(served):
        while not stop.is_set():
            reply = await served.ask(customer_id="C01", k=5)
            if reply.status_code != 200:
                failed.append(reply.text)
            else:
                versions.add(reply.json()["model_version"])
            await asyncio.sleep(0)

    async with running(poll_seconds=0.01) as served:
        callers = [asyncio.create_task(keep_asking(served)) for _ in range(4)]
        for version, artifact in artifacts.items():
            house.deploy(artifact, version=version)
            async with asyncio.timeout(10):
                while version not in versions:
                    await asyncio.sleep(0.005)
        stop.set()
        await asyncio.gather(*callers)
    assert failed == []
    assert versions == set(artifacts)


async def test_one_flipped_bit_is_refused_and_the_old_version_keeps_answering(house, running):
    good, bad = house.train(), house.train(seed=8)
    house.damage(bad)
    house.deploy(good, version="v1")
    async with running() as served:
        house.deploy(bad, version="v2")
        await served.follow()
        reply = await served.ask(customer_id="C01")
        health = await served.get("/health")
    assert reply.json()["model_version"] == "v1"
    assert health.status_code == 200
    assert health.json()["status"] == "degraded"
    assert health.json()["problem"]["version"] == "v2"
    assert "changed since it was written" in health.json()["problem"]["message"]


@pytest.mark.parametrize("how", ["damaged", "missing", "traversal"])
async def test_with_nothing_that_can_answer_the_reply_is_503_with_the_reason_for_key_holders(house, running, how):
    artifact = {"damaged": house.train(), "missing": "0" * 64, "traversal": "../../etc/passwd"}[how]
    if how == "damaged":
        house.damage(artifact)
    house.deploy(artifact)
    async with running() as served:
        reply = await served.ask(customer_id="C01")
        health = await served.get("/health")
    assert reply.status_code == health.status_code == 503
    assert reply.json()["error"]["code"] == "no_model"
    assert health.json()["problem"]["code"] == "artifact_refused"


async def test_without_any_deployment_health_is_503(running):
    async with running() as served:
        health = await served.get("/health", None)
    assert health.status_code == 503
    assert health.json() == {"status": "unavailable"}


async def test_a_mended_artifact_is_taken_up_again(house, running, monkeypatch):
    good, bad = house.train(), house.train(seed=8)
    house.damage(bad)
    house.deploy(good, version="v1")
    monkeypatch.setattr(shelf_module, "RETRY_SECONDS", 0.0)
    async with running() as served:
        house.deploy(bad, version="v2")
        await served.follow()
        house.damage(bad)  # the same bit again
        await served.follow()
        health = (await served.get("/health")).json()
    assert (health["status"], health["model"]["version"]) == ("ok", "v2")


async def test_a_model_that_cannot_answer_its_probe_is_not_put_into_service(house, running, monkeypatch):
    good, next_one = house.train(), house.train(seed=8)
    house.deploy(good, version="v1")
    async with running() as served:
        answering = served.app.state.shelf.entries[1].serving
        monkeypatch.setattr(Recommender, "scores_by_index", lambda *_: 1 / 0)
        house.deploy(next_one, version="v2")
        await served.follow()
        monkeypatch.undo()
        reply = await served.ask(customer_id="C01")
    assert reply.json()["model_version"] == "v1"
    assert served.app.state.shelf.entries[1].serving is answering


async def test_a_pointer_that_cannot_be_read_changes_nothing_but_health(house, running):
    house.deploy(house.train(), version="v1")
    async with running() as served:
        (house.pointers / "model-1.json").write_text('{"model_id": 1, "artif')
        (house.pointers / "model-7.json").write_text('{"model_id": 1}')
        await served.follow()
        reply = await served.ask(customer_id="C01")
        health = (await served.get("/health")).json()
    assert reply.json()["model_version"] == "v1"
    assert health["problem"]["code"] == "pointer_refused"


@pytest.mark.parametrize("how", ["removed", "paused"])
async def test_a_withdrawn_model_stops_answering_and_its_keys_open_nothing(house, running, how):
    artifact = house.train()
    house.deploy(artifact)
    async with running() as served:
        if how == "removed":
            (house.pointers / "model-1.json").unlink()
        else:
            house.deploy(artifact, status="paused")
        await served.follow()
        reply = await served.ask(customer_id="C01", key=KEY)
    assert reply.status_code == 401


async def test_a_stopped_model_tells_its_key_holders_alone_and_answers_again_once_started(house, running):
    artifact = house.train()
    house.deploy(
        artifact, status="stopped", other_keys=[{"prefix": "r", "sha256": hashlib.sha256(b"reads").hexdigest()}]
    )
    async with running() as served:
        for path, body in (
            ("/recommend", {"customer_id": "C01"}),
            ("/models/1/recommend-batch", {"customers": ["C01"]}),
        ):
            refused = await served.ask(path, **body)
            error = refused.json()["error"]
            assert (refused.status_code, error["code"]) == (503, "serving_stopped")
            assert error["message"] == "Serving of this model was stopped." and "starts it again" in error["advice"]
        assert (await served.get("/model-info")).json()["error"]["code"] == "serving_stopped"
        health = await served.get("/health")
        assert (health.status_code, health.json()["problem"]["code"]) == (503, "serving_stopped")
        assert (await served.get("/health", None)).json() == {"status": "unavailable"}
        for key, status in (("b2br_1_abc_wrong", 401), (None, 401), ("reads", 403)):
            told = await served.ask(key=key, customer_id="C01")
            assert told.status_code == status and "stopped" not in told.text
        house.deploy(artifact, model_id=2, version="v9")
        await served.follow()
        assert (await served.ask(customer_id="C01")).json()["model_version"] == "v9"
        house.deploy(artifact)
        await served.follow()
        assert (await served.ask("/models/1/recommend", customer_id="C01")).json()["model_version"] == "v1"


async def test_the_same_artifact_under_a_new_version_is_not_loaded_again(house, running):
    artifact = house.train()
    house.deploy(artifact, version="v1")
    async with running() as served:
        model = served.app.state.shelf.entries[1].serving.model
        house.deploy(artifact, version="v2")
        await served.follow()
        reply = await served.ask(customer_id="C01")
        assert served.app.state.shelf.entries[1].serving.model is model
    assert reply.json()["model_version"] == "v2"


async def test_a_model_slower_than_a_millisecond_answers_from_a_thread(house, running):
    house.deploy(house.train())
    async with running() as served:
        model = served.app.state.shelf.entries[1].serving.model
        model.quick = True
        on_loop = (await served.ask(customer_id="C01")).json()
        model.quick = False
        in_thread = (await served.ask(customer_id="C01")).json()
    assert on_loop == in_thread
