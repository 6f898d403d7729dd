"""A model from draft to active, paused, archived and back: what follows, and what is refused with its reason."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.test import Client
from run_rows import GATE, Shop, make_shop
from tenant_rows import Tenant
from web.api.api_client import program
from web_support import TestDatabase

from b2b_recs.runtime.home import Home
from b2b_recs.web.conflicts import ConnectionOff, ModelArchived
from b2b_recs.web.deployments.services import deploy
from b2b_recs.web.etl.following import jobs_to_run, why_idle
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.scheduled import Time, start_scheduled
from b2b_recs.web.etl.services import start_run
from b2b_recs.web.operations.upkeep import keep_pointers
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.projects.states import StatusRefused, change_status
from b2b_recs.web.tenancy import scope
from b2b_recs.web.training.models import PipelineRun
from b2b_recs.web.training.services import start_pipeline


@pytest.fixture
def shop(platform_database: TestDatabase) -> Iterator[Shop]:
    serving = Home.current().serving
    serving.mkdir(parents=True, exist_ok=True)
    yield make_shop()
    shutil.rmtree(serving)


def served(shop: Shop) -> bool:
    return Home.current().deployment_pointer(shop.model.id).exists()


def change(shop: Shop, *statuses: str) -> ModelEndpoint:
    for status in statuses:
        with scope(shop.id):
            model = change_status(shop.model.id, status)
    return model


def put_into_service(shop: Shop, number: int = 1) -> None:
    with scope(shop.id):
        deploy(shop.trained(number), gate=GATE)


def test_a_paused_model_answers_and_an_archived_one_does_not(shop: Shop) -> None:
    put_into_service(shop)
    assert change(shop, "paused").endpoint_active
    assert served(shop)
    assert not change(shop, "archived").endpoint_active
    assert not served(shop)
    keep_pointers()
    assert not served(shop)
    restored = change(shop, "paused")
    assert (restored.status, restored.endpoint_active, served(shop)) == ("paused", True, True)
    assert change(shop, "active").status == "active"


def test_a_kill_before_the_endpoint_followed_is_mended_by_one_sweep(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_into_service(shop)
    monkeypatch.setattr("b2b_recs.web.projects.states.withdraw_pointer", lambda model_id: None)
    change(shop, "paused", "archived")
    assert served(shop)
    keep_pointers()
    assert not served(shop)


def test_a_version_deployed_while_paused_leaves_it_paused(shop: Shop) -> None:
    put_into_service(shop)
    change(shop, "paused")
    put_into_service(shop, 2)
    shop.model.refresh_from_db()
    assert shop.model.status == "paused"


def test_nothing_of_an_archived_model_starts(shop: Shop) -> None:
    put_into_service(shop)
    change(shop, "paused", "archived")
    with scope(shop.id):
        job = shop.add_job("customers")
        model = ModelEndpoint.objects.get(id=shop.model.id)
        for attempt in (lambda: start_run(job), lambda: start_pipeline(model), lambda: deploy(shop.trained(2))):
            with pytest.raises(ModelArchived, match="is archived"):
                attempt()
        assert not ETLRun.objects.exists()


@pytest.mark.parametrize(
    ("before", "wanted", "words"),
    [
        ([], "active", "nothing to answer with yet"),
        ([], "paused", "is a draft"),
        (["archived"], "active", "is archived"),
        (["deploy"], "draft", "cannot become a draft again"),
        (["deploy"], "archived", "is active"),
    ],
)
def test_what_cannot_be_says_why_and_what_to_do(shop: Shop, before: list[str], wanted: str, words: str) -> None:
    for step in before:
        put_into_service(shop) if step == "deploy" else change(shop, step)
    with pytest.raises(StatusRefused, match=words) as refused:
        change(shop, wanted)
    assert refused.value.advice
    assert refused.value.field == "status"


def test_a_model_with_a_run_under_way_is_not_archived(shop: Shop) -> None:
    with scope(shop.id):
        start_run(shop.add_job("customers"))
    with pytest.raises(StatusRefused, match=r"1 run of .* has not ended"):
        change(shop, "archived")


def test_a_draft_that_was_archived_comes_back_as_one(shop: Shop) -> None:
    assert change(shop, "archived", "paused").status == "draft"


def test_asking_for_the_status_it_has_changes_nothing(shop: Shop) -> None:
    shop.model.refresh_from_db()
    assert change(shop, "draft").status == "draft"
    with scope(shop.id):
        assert ModelEndpoint.objects.get(id=shop.model.id).updated_at == shop.model.updated_at


def test_the_page_offers_what_can_be_and_tells_what_happened(acme: Tenant) -> None:
    client, model = Client(), acme.id_of("ModelEndpoint")
    client.force_login(acme.people["editor"], backend="django.contrib.auth.backends.ModelBackend")
    with scope(acme.id):
        ModelEndpoint.objects.filter(id=model).update(status="active")
    page = client.get(f"/models/{model}/").content.decode()
    assert 'data-confirm-text="Pause"' in page
    assert 'data-confirm-text="Archive"' not in page
    answer = client.post(f"/models/{model}/status/", {"status": "archived"}, follow=True)
    assert "so that its schedules rest, then archive it, so that nothing answers." in answer.content.decode()
    answer = client.post(f"/models/{model}/status/", {"status": "paused"}, follow=True)
    text = answer.content.decode()
    assert "is paused now." in text
    assert 'data-confirm-text="Resume"' in text
    assert client.post(f"/models/{model}/status/", {"status": "gone"}).status_code == 400


def test_programs_change_it_too(acme: Tenant) -> None:
    writer = program(acme)
    with scope(acme.id):
        ModelEndpoint.objects.filter(id=writer.model_id).update(status="active")
    address = f"/api/models/{writer.model_id}/status/"
    assert writer.post(address, {"status": "archived"}).refused(409, "status_refused", "status")
    assert writer.post(address, {"status": "paused"}).well()["status"] == "paused"
    assert writer.post(address, {"status": "draft"}).status == 422
    assert program(acme, "read").post(address, {"status": "active"}).status == 403


RUN_BUTTONS = ("Run all", "Train now", "Run now", "Run again")


def test_pages_of_an_archived_model_offer_nothing_that_runs(shop: Shop) -> None:
    put_into_service(shop)
    with scope(shop.id):
        own = {"organization": shop.organization, "status": "completed"}
        training = PipelineRun.objects.create(**own, model=shop.model)
        copy = ETLRun.objects.create(**own, data_source=shop.jobs[0])
    client = Client()
    client.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    home = f"/models/{shop.model.id}/"
    pages = ("", "etl/", f"etl/jobs/{shop.jobs[0].id}/", f"runs/copies/{copy.id}/", f"runs/trainings/{training.id}/")

    def offered() -> list[set[str]]:
        texts = [client.get(home + page).content.decode() for page in pages]
        return [{name for name in RUN_BUTTONS if f"{name}</button>" in text or f'"{name}"' in text} for text in texts]

    assert all(offered())
    change(shop, "paused", "archived")
    assert offered() == [set()] * len(pages)


def test_a_job_whose_connection_is_switched_off_neither_starts_nor_promises_a_time(shop: Shop) -> None:
    with scope(shop.id):
        job = shop.add_job("customers")
        job.connection.enabled = False
        job.connection.save()
        with pytest.raises(ConnectionOff, match="is switched off"):
            start_run(job)
        assert start_scheduled({job.id: Time(datetime.now(UTC))}).jobs == set()
        assert not jobs_to_run(shop.model).exists()  # every job of the shop reads from this connection
        assert start_pipeline(shop.model).stages[0]["state"] == "skipped"
        assert why_idle(job, by_hand=False, paused=False) == "Its connection is switched off."
        assert not ETLRun.objects.exists()
