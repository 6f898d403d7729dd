"""Deleting a model: archived first, its name typed; then nothing of it is left, and nothing of others is touched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from run_rows import Shop, make_shop
from tenant_rows import Tenant
from version_rows import make_version
from warehouse_rows import load_table, warehouse_of
from web.audit.test_audit_log import told
from web.datasets.test_data_pages import signed_in
from web_support import TestDatabase

from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.api_keys import create_key
from b2b_recs.web.connections.models import StoredSecret
from b2b_recs.web.connections.services import save_connection
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.switching import put_into_service
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.monitoring.models import PredictionLog
from b2b_recs.web.operations.upkeep import keep_pointers, remove_files
from b2b_recs.web.projects.deleting import delete_model
from b2b_recs.web.projects.models import ModelEndpoint, Removal, Schedule
from b2b_recs.web.runs.models import RunLogLine
from b2b_recs.web.tenancy import scope
from b2b_recs.web.tenancy.models import TenantModel
from b2b_recs.web.training.models import PipelineRun

KEPT = {"Membership", "Invitation", "Removal", "StoredSecret", "SystemMetrics", "KeptAnswer", "RunLogLine"}


@pytest.fixture(autouse=True)
def home(platform_database: TestDatabase) -> Iterator[Home]:
    yield Home.current().create()
    shutil.rmtree(Home.current().serving)
    Home.current().create()


def archived(tenant: Tenant) -> int:
    """The tenant's model with nothing under way, archived."""
    model = tenant.id_of("ModelEndpoint")
    with scope(tenant.id):
        for kind in ("ETLRun", "PipelineRun"):
            type(tenant.rows[kind]).objects.update(status="completed")
        ModelEndpoint.objects.filter(id=model).update(status="archived", endpoint_active=False)
    return model


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def left(tenant: Tenant) -> set[str]:
    """The kinds of rows an organization still has."""
    kinds = [one for one in apps.get_models() if issubclass(one, TenantModel)]
    with scope(tenant.id):
        return {one.__name__ for one in kinds if one.objects.exists()}


def test_nothing_of_a_deleted_model_is_left_and_the_other_organization_has_everything(
    acme: Tenant, rival: Tenant
) -> None:
    for tenant in (acme, rival):
        load_table(tenant)
    model, before = archived(acme), left(rival)
    folder, staging = warehouse_of(acme).root, Home.current().staging / f"etl-{acme.id_of('DataSource')}"
    staging.mkdir(parents=True)
    client = signed_in(acme, "admin")
    page = text_of(client.get(f"/models/{model}/delete/"))
    for loss in ("1 connection with its credentials", "1 warehouse table with every row", "2 runs of its history"):
        assert loss in page, loss
    answer = client.post(f"/models/{model}/delete/", {"name": "Model of Acme"}, follow=True)
    assert "The model “Model of Acme” was deleted." in text_of(answer)
    assert left(acme) <= KEPT
    assert not folder.exists()
    remove_files()
    assert not list(Home.current().removed.glob("*")) and not staging.exists()
    assert left(rival) == before
    assert warehouse_of(rival).tables("raw_data")
    assert client.get(f"/models/{model}/").status_code == 404
    assert client.post(f"/models/{model}/delete/", {"name": "Model of Acme"}).status_code == 404


def test_its_schedules_credentials_keys_and_traffic_go_with_it(acme: Tenant) -> None:
    model = archived(acme)
    with scope(acme.id):
        row = ModelEndpoint.objects.get(id=model)
        other = ModelEndpoint.objects.create(name="another")
        parameters = {"host": "db.example.com", "database": "shop", "username": "reader", "password": "tell nobody"}
        for one in (row, other):
            save_connection(one, "erp", "postgresql", parameters)
            Schedule.objects.create(target_kind="pipeline", target_id=one.id, cron="0 2 * * *")
        trained = TrainedModel.objects.get()
        later = Deployment.objects.create(model=row, trained_model=trained, artifact_id="a" * 64, status="retired")
        log = PredictionLog.objects.get()
        PredictionLog.objects.create(
            model=row, deployment=later, window_start=log.window_start, window_end=log.window_end
        )
        delete_model(model, "Model of Acme")
        assert [schedule.target_id for schedule in Schedule.objects.all()] == [other.id]
        secrets = StoredSecret.objects.filter(name__startswith="model-").values_list("name", flat=True)
        assert len(secrets) == 1 and secrets[0].startswith(f"model-{other.id}-connection-")


def test_the_logs_of_its_runs_go_and_the_audit_is_not_filled_with_their_lines(acme: Tenant) -> None:
    model = archived(acme)
    with scope(acme.id):
        copy, training = ETLRun.objects.get(), PipelineRun.objects.get()
        for kind, number in (("etl", copy.id), ("pipeline", training.id), ("etl", copy.id + 100), ("etl", copy.id)):
            RunLogLine.objects.create(run_kind=kind, run_id=number, message=f"a line of {kind} {number}")
        others = {f"a line of etl {copy.id + 100}"}
        others |= set(RunLogLine.objects.exclude(run_id=copy.id).filter(run_id=1).values_list("message", flat=True))
        delete_model(model, "Model of Acme")
        assert set(RunLogLine.objects.values_list("message", flat=True)) == others
        RunLogLine.objects.filter(run_id=copy.id + 100).delete()
    noted = [words for words in told(acme) if "log of run" in words]
    assert len(noted) == 1 and f"deleted a line in the log of run {copy.id + 100}" in noted[0]


def test_artifacts_go_unless_another_version_has_the_same(platform_database: TestDatabase) -> None:
    shop, other = make_shop(), make_shop("Rival")
    own, shared = make_version(shop, 1), make_version(shop, 2)
    make_version(other, 2)
    with scope(shop.id):
        put_into_service(own)
        ModelEndpoint.objects.update(status="archived")
        delete_model(shop.model.id, shop.model.name)
    store = ArtifactStore(Home.current().artifacts)
    assert store.exists(own.artifact_id)
    remove_files()
    assert not store.exists(own.artifact_id) and store.exists(shared.artifact_id)
    keep_pointers()
    assert not Home.current().deployment_pointer(shop.model.id).exists()


def test_a_kill_before_the_files_moved_is_finished_by_the_sweep(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    load_table(acme)
    model, folder = archived(acme), warehouse_of(acme).root
    with monkeypatch.context() as killed, scope(acme.id):
        killed.setattr("b2b_recs.web.projects.removing.set_aside", lambda removal: False)
        killed.setattr("b2b_recs.web.projects.deleting.withdraw_pointer", lambda model_id: None)
        delete_model(model, "Model of Acme")
    assert folder.exists() and signed_in(acme).get("/").status_code == 200
    remove_files()
    assert not folder.exists()
    with scope(acme.id):
        assert not Removal.objects.filter(done_at=None).exclude(name="old").exists()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("draft", "“Model of Acme” is a draft. Archive it first"),
        ("paused", "“Model of Acme” is paused. Archive it first"),
        ("active", "“Model of Acme” is active. Pause it, so that its schedules rest; archive it"),
    ],
)
def test_a_model_that_is_not_archived_is_refused_with_the_way_there(acme: Tenant, status: str, words: str) -> None:
    model = archived(acme)
    with scope(acme.id):
        ModelEndpoint.objects.update(status=status, endpoint_active=status == "active")
    client = signed_in(acme)
    for answer in (
        client.get(f"/models/{model}/delete/"),
        client.post(f"/models/{model}/delete/", {"name": "Model of Acme"}),
    ):
        assert words.replace("’", "'").split(". ")[0] in text_of(answer)
        assert words.rpartition(". ")[2] in text_of(answer)
        assert "answers requests" not in text_of(answer)
    with scope(acme.id):
        assert ModelEndpoint.objects.filter(id=model).exists()


def test_a_model_in_training_is_refused(acme: Tenant) -> None:
    model = archived(acme)
    with scope(acme.id):
        type(acme.rows["PipelineRun"]).objects.update(status="running")
    answer = text_of(signed_in(acme).get(f"/models/{model}/delete/"))
    assert "1 run of “Model of Acme” has not ended." in answer


def test_another_name_deletes_nothing(acme: Tenant) -> None:
    model = archived(acme)
    client = signed_in(acme)
    for typed, words in (("Model of Rival", "The name is “Model of Acme”."), ("", "Type the name of the model.")):
        answer = client.post(f"/models/{model}/delete/", {"name": typed})
        assert answer.status_code == 422 and words in text_of(answer)
    with scope(acme.id):
        assert ModelEndpoint.objects.filter(id=model).exists()


def test_only_admins_see_and_use_it_and_no_key_may(acme: Tenant) -> None:
    model = archived(acme)
    for role, seen in (("viewer", False), ("editor", False), ("admin", True), ("owner", True)):
        client = signed_in(acme, role)
        assert (f"/models/{model}/delete/" in text_of(client.get(f"/models/{model}/"))) is seen, role
        if not seen:
            assert client.post(f"/models/{model}/delete/", {"name": "Model of Acme"}).status_code == 403
    with scope(acme.id):
        _, key = create_key("till", scopes=["read", "write"])
    answer = Client().post(
        f"/api/models/{model}/delete/", {"name": "Model of Acme"}, content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )  # fmt: skip
    assert answer.status_code == 403 and "No API key may do this" in answer.content.decode()


def test_an_admin_deletes_by_the_api_and_the_audit_keeps_it(acme: Tenant) -> None:
    model = archived(acme)
    client, address = signed_in(acme, "admin"), f"/api/models/{model}/delete/"
    wrong = client.post(address, {"name": "x"}, content_type="application/json")
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "name")
    gone = client.post(address, {"name": "Model of Acme"}, content_type="application/json")
    assert (gone.status_code, gone.json()) == (200, {"id": model, "name": "Model of Acme"})
    words = told(acme, kind="models", who="people")
    assert "admin@acme.example deleted the model Model of Acme" in words
    assert "admin@acme.example deleted the files of the model Model of Acme" in words


def test_a_name_with_quotes_and_letters_from_right_to_left_is_typed_as_it_is(platform_database: TestDatabase) -> None:
    shop: Shop = make_shop()
    name = 'Bolts & "nuts" “Ö” דגם'
    with scope(shop.id):
        ModelEndpoint.objects.update(status="archived", name=name)
        assert delete_model(shop.model.id, f" {name} ") == name
