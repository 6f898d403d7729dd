"""Who may ask which model, and what those learn who may not."""

from __future__ import annotations

import hashlib
import json

import pytest
from serving_house import KEY

PATHS = ["/recommend", "/recommend-batch", "/model-info"]


async def call(served, path, key, prefix=""):
    if path == "/model-info":
        return await served.get(prefix + path, key=key)
    body = {"customers": ["C01"]} if path == "/recommend-batch" else {"customer_id": "C01"}
    return await served.ask(prefix + path, key=key, **body)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", [None, "", "wrong", "b2br_1_abc_secreT", KEY + " x", "\xff"])
async def test_without_a_good_key_every_model_answers_401_alike(house, running, path, key):
    house.deploy(house.train())
    async with running() as served:
        replies = [await call(served, path, key, prefix) for prefix in ("", "/models/1", "/models/2")]
    assert {reply.status_code for reply in replies} == {401}
    assert len({reply.content for reply in replies}) == 1
    assert {reply.headers["www-authenticate"] for reply in replies} == {"Bearer"}


async def test_a_known_key_that_may_not_ask_is_told_so_and_an_unknown_one_is_not(house, running):
    reads, two = (
        {"prefix": text[-3:], "sha256": hashlib.sha256(text.encode()).hexdigest()}
        for text in ("b2br_1_c_reads", "b2br_1_b_two")
    )
    artifact = house.train()
    house.deploy(artifact, model_id=1, other_keys=[reads, two])
    house.deploy(artifact, model_id=2, keys=("b2br_1_b_two",), other_keys=[reads])
    async with running() as served:
        for path in PATHS:
            refused = [await call(served, path, "b2br_1_c_reads", prefix) for prefix in ("", "/models/1", "/models/3")]
            assert {reply.status_code for reply in refused} == {403} and len({one.content for one in refused}) == 1
            assert refused[0].json()["error"]["code"] == "key_opens_no_model"
            assert (await call(served, path, "b2br_1_c_nobody")).status_code == 401
        assert (await served.get("/health", "b2br_1_c_reads")).status_code == 403
        assert (await served.ask("/models/2/recommend", key="b2br_1_b_two", customer_id="C01")).status_code == 200
        assert (await served.ask("/models/1/recommend", key="b2br_1_b_two", customer_id="C01")).status_code == 403


@pytest.mark.parametrize("path", [*PATHS, "/health"])
async def test_a_key_of_another_model_is_told_the_same_whether_the_model_exists(house, running, path):
    artifact = house.train()
    house.deploy(artifact, model_id=1, keys=("b2br_1_a_one",))
    house.deploy(artifact, model_id=2, keys=("b2br_2_b_two",))
    async with running() as served:
        if path == "/health":
            there, missing = (
                await served.get("/models/2/health", "b2br_1_a_one"),
                await served.get("/models/3/health", "b2br_1_a_one"),
            )
        else:
            there = await call(served, path, "b2br_1_a_one", "/models/2")
            missing = await call(served, path, "b2br_1_a_one", "/models/3")
    assert there.status_code == missing.status_code == 403
    assert "model 2." in there.text and there.json()["error"]["advice"]
    assert there.content.replace(b"model 2.", b"model 3.") == missing.content


async def test_the_key_chooses_the_model(house, running):
    artifact = house.train()
    house.deploy(artifact, model_id=1, version="v1", keys=("b2br_1_a_one",))
    house.deploy(artifact, model_id=2, version="v9", keys=("b2br_2_b_two",))
    async with running() as served:
        first = await served.ask(key="b2br_1_a_one", customer_id="C01")
        second = await served.ask(key="b2br_2_b_two", customer_id="C01")
        named = await served.ask("/models/2/recommend", key="b2br_2_b_two", customer_id="C01")
    assert [reply.json()["model_version"] for reply in (first, second, named)] == ["v1", "v9", "v9"]


async def test_a_key_of_several_models_must_name_one(house, running):
    artifact = house.train()
    house.deploy(artifact, model_id=1)
    house.deploy(artifact, model_id=2)
    async with running() as served:
        unnamed = await served.ask(customer_id="C01")
        named = await served.ask("/models/2/recommend", customer_id="C01")
    assert unnamed.status_code == 400
    assert unnamed.json()["error"]["code"] == "model_not_named"
    assert named.status_code == 200


async def test_a_revoked_key_stops_with_the_next_look_even_when_the_new_artifact_is_damaged(house, running):
    good, bad = house.train(), house.train(seed=8)
    house.damage(bad)
    house.deploy(good, keys=(KEY, "b2br_1_x_old"))
    async with running() as served:
        before = await served.ask(key="b2br_1_x_old", customer_id="C01")
        house.deploy(bad, version="v2", keys=(KEY,))
        await served.follow()
        after = await served.ask(key="b2br_1_x_old", customer_id="C01")
        other = await served.ask(customer_id="C01")
    assert (before.status_code, after.status_code, other.status_code) == (200, 401, 200)


async def test_health_without_a_key_names_the_only_model_but_never_one_of_several(house, running):
    artifact = house.train()
    house.deploy(artifact, model_id=1, keys=("b2br_1_a_one",))
    async with running() as served:
        alone = (await served.get("/health", None)).json()
        house.deploy(artifact, model_id=2, keys=("b2br_2_b_two",))
        await served.follow()
        among = await served.get("/health", None)
        mine = (await served.get("/health", "b2br_2_b_two")).json()
        guessed = await served.get("/models/2/health", None)
        wrong = await served.get("/health", "b2br_2_b_three")
    assert alone["status"] == "ok"
    assert alone["model"]["version"] == "v1"
    assert alone["model"]["data_age_hours"] == 24.0
    assert json.loads(among.content) == {"status": "ok"}
    assert mine["model"]["id"] == 2
    assert guessed.status_code == wrong.status_code == 401
