"""Pages asked for over HTTP: what they say, who may do what, and how many queries they cost."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tenant_rows import Tenant

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.etl.models import ETLConfiguration, ETLRun
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.projects.queries import board
from b2b_recs.web.projects.services import create_model
from b2b_recs.web.tenancy import scope
from b2b_recs.web.training.models import PipelineRun

PAGES = (
    "/",
    "/models/{model}/",
    "/models/{model}/live/",
    "/models/{model}/runs/",
    "/models/{model}/runs/copies/{copy}/",
    "/models/{model}/runs/trainings/{training}/",
    "/models/{model}/keys/",
    "/models/{model}/etl/",
    "/models/{model}/etl/list/",
    "/models/{model}/etl/numbers/",
    "/models/{model}/etl/jobs/{job}/",
    "/models/{model}/etl/connections/new/",
    "/models/{model}/etl/jobs/new/",
    "/models/{model}/setup/",
    "/find/?q=a&model={model}",
)
MOST_QUERIES = 12


def signed_in(tenant: Tenant, role: str = "owner") -> Client:
    client = Client()
    client.force_login(tenant.people[role], backend="django.contrib.auth.backends.ModelBackend")
    return client


def path_of(tenant: Tenant, path: str) -> str:
    return path.format(
        model=tenant.id_of("ModelEndpoint"),
        copy=tenant.id_of("ETLRun"),
        training=tenant.id_of("PipelineRun"),
        job=tenant.id_of("DataSource"),
    )


@pytest.mark.parametrize("path", PAGES)
def test_a_page_costs_few_queries_however_many_rows_there_are(acme: Tenant, path: str) -> None:
    with scope(acme.id):
        for number in range(30):
            create_model(acme.organization, None, f"Model {number}")
            PipelineRun.objects.create(organization=acme.organization, model_id=acme.id_of("ModelEndpoint"))
    client = signed_in(acme)
    client.get("/")
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = client.get(path_of(acme, path))
    assert answer.status_code == 200
    ours = [query["sql"] for query in captured if _is_the_pages_own(query["sql"])]
    assert len(ours) <= MOST_QUERIES, "\n".join(ours)


def _is_the_pages_own(sql: str) -> bool:
    """Not what every request costs: session, user, memberships, settings of row-level security, savepoints."""
    every_request = ("set_config", "SAVEPOINT", "django_session", '"accounts_membership"', '"accounts_user"."password"')
    return sql.startswith("SELECT") and not any(mark in sql for mark in every_request)


@pytest.mark.parametrize("path", PAGES[1:])
def test_a_page_of_another_organization_is_missing(acme: Tenant, rival: Tenant, path: str) -> None:
    assert signed_in(rival).get(path_of(acme, path)).status_code == 404


def test_the_dashboard_of_one_organization_says_nothing_of_another(acme: Tenant, rival: Tenant) -> None:
    text = signed_in(acme).get("/").content.decode()
    assert "Model of Acme" in text
    assert "Rival" not in text


def test_the_last_run_is_told_from_its_end(acme: Tenant) -> None:
    with scope(acme.id):
        PipelineRun.objects.all().delete()
        own = {"organization": acme.organization, "model_id": acme.id_of("ModelEndpoint")}
        now = datetime.now(UTC)
        run = PipelineRun.objects.create(
            **own, status="completed", created_at=now - timedelta(hours=3), finished_at=now - timedelta(minutes=5)
        )
        (row,) = board("", "", "", "1").page.object_list
        assert row.run_at == run.finished_at
        run = PipelineRun.objects.create(**own, status="running", created_at=now, started_at=now)
        (row,) = board("", "", "", "1").page.object_list
        assert row.run_at == run.started_at


def test_search_and_status_narrow_the_list(acme: Tenant) -> None:
    with scope(acme.id):
        create_model(acme.organization, None, "Spare parts", description="for lorries")
    client = signed_in(acme)
    found = client.get("/?q=LORRIES").content.decode()
    assert "Spare parts" in found and 'href="/models/' in found
    assert f'<a class="row-link" href="/models/{acme.id_of("ModelEndpoint")}/">' not in found
    assert "No model matches" in client.get("/?status=archived").content.decode()


def test_a_model_is_created_with_its_settings_and_its_name_once(acme: Tenant) -> None:
    with scope(acme.id):
        made = create_model(acme.organization, acme.people["owner"], "Bolts", currency="GBP", time_zone="Europe/London")
        assert ETLConfiguration.objects.get(model=made).time_zone == "Europe/London"
        with pytest.raises(BadInput) as refusal:
            create_model(acme.organization, None, "BOLTS")
        assert refusal.value.field == "name"
        assert ModelEndpoint.objects.filter(name__iexact="bolts").count() == 1


def test_a_refused_form_keeps_what_was_typed_and_names_the_field(acme: Tenant) -> None:
    client = signed_in(acme)
    answer = client.post(
        "/models/new/", {"name": "x" * 101, "currency": "XXX", "time_zone": "Mars/Base", "description": "kept"}
    )
    text = answer.content.decode()
    assert answer.status_code == 422
    for words in (
        "This name is 1 character too long: it has 101, and 100 is the most.",
        "Choose a currency of the list.",
        "Choose a time zone of the list.",
        "kept",
    ):
        assert words in text


def test_a_viewer_may_look_and_not_change(acme: Tenant) -> None:
    viewer, model = signed_in(acme, "viewer"), acme.id_of("ModelEndpoint")
    assert viewer.get(f"/models/{model}/").status_code == 200
    for path in (f"/models/{model}/run/", f"/models/{model}/train/", f"/models/{model}/keys/"):
        assert viewer.post(path, {"name": "x"}).status_code == 403
    assert 'method="post" action="/models/' not in viewer.get(f"/models/{model}/").content.decode()


def test_pressing_train_twice_starts_one_run(acme: Tenant) -> None:
    client, model = signed_in(acme, "editor"), acme.id_of("ModelEndpoint")
    with scope(acme.id):
        PipelineRun.objects.all().update(status="completed")
    for _ in range(2):
        assert client.post(f"/models/{model}/train/").status_code == 302
    with scope(acme.id):
        assert PipelineRun.objects.filter(status="pending").count() == 1


def test_the_live_part_asks_again_only_while_a_run_goes(acme: Tenant) -> None:
    client, address = signed_in(acme), f"/models/{acme.id_of('ModelEndpoint')}/live/?was=busy"
    going = client.get(address)
    assert 'hx-trigger="every 1s"' in going.content.decode()
    assert "HX-Refresh" not in going
    with scope(acme.id):
        PipelineRun.objects.all().update(status="failed", error="It broke.")
    over = client.get(address)
    assert 'hx-trigger="every 1s"' not in over.content.decode()
    assert over["HX-Refresh"] == "true"
    assert "HX-Refresh" not in client.get(address.partition("?")[0])


def test_all_that_changes_while_a_run_goes_comes_with_one_answer(acme: Tenant) -> None:
    client, address = signed_in(acme), f"/models/{acme.id_of('ModelEndpoint')}/"
    page, polled = (client.get(address + part).content.decode() for part in ("", "live/?was=busy"))
    for place in ('id="headline"', 'id="recent"', 'id="model-state"', 'id="live"'):
        assert page.count(place) == polled.count(place) == 1
    assert polled.count('hx-swap-oob="innerHTML"') == 3
    told = re.search(r'<p id="headline"[^>]*>([^<]+)</p>', polled)
    assert told and told[1] in page and "is under way" in told[1]


def test_copies_that_belong_to_a_training_are_among_the_recent_runs(acme: Tenant) -> None:
    with scope(acme.id):
        PipelineRun.objects.update(status="completed")
        ETLRun.objects.update(pipeline_run_id=acme.id_of("PipelineRun"), status="completed")
    text = signed_in(acme).get(path_of(acme, "/models/{model}/")).content.decode()
    recent = text[text.index('id="recent-runs"') :]
    for path in ("/models/{model}/runs/trainings/{training}/", "/models/{model}/runs/copies/{copy}/"):
        assert f'href="{path_of(acme, path)}"' in recent


def test_a_training_whose_copies_run_is_among_the_recent_runs_and_under_way_on_the_dashboard(acme: Tenant) -> None:
    own = {"organization": acme.organization}
    with scope(acme.id):
        PipelineRun.objects.update(status="completed")
        ETLRun.objects.update(status="completed")
        training = PipelineRun.objects.create(**own, model_id=acme.id_of("ModelEndpoint"), status="pending")
        board_says = [board("", "", "", "1").page.object_list[0].run_status]
        for _ in range(7):
            copy = {"data_source_id": acme.id_of("DataSource"), "pipeline_run": training}
            ETLRun.objects.create(**own, **copy, status="running", created_at=datetime.now(UTC))
        board_says.append(board("", "", "", "1").page.object_list[0].run_status)
    assert board_says == ["pending", "running"]
    text = signed_in(acme).get(path_of(acme, "/models/{model}/")).content.decode()
    recent = text[text.index('id="recent-runs"') :]
    assert recent.index(f"/runs/trainings/{training.id}/") < recent.index("/runs/copies/")


def test_a_model_whose_serving_was_stopped_is_not_called_active(acme: Tenant) -> None:
    with scope(acme.id):
        ModelEndpoint.objects.update(status="active", endpoint_active=False)
        Deployment.objects.update(status="active", traffic_share=0)
    client = signed_in(acme)
    page, board = client.get(f"/models/{acme.id_of('ModelEndpoint')}/").content.decode(), client.get("/")
    assert '<span id="model-state"><span class="badge badge-warn">Stopped</span></span>' in page
    assert "Stopped" in board.content.decode() and "No model answers now." in board.content.decode()
    assert "(live)" not in page
    assert "Serving stays stopped until it is started again." in page
    assert "The endpoint goes on answering" not in page
    with scope(acme.id):
        ModelEndpoint.objects.update(status="paused")
        Deployment.objects.all().delete()
    assert "No model answers yet." in client.get("/").content.decode()


def test_numbers_out_of_range_in_an_address_are_missing_pages(acme: Tenant) -> None:
    client = signed_in(acme)
    for path in ("/models/99999999999999999999/", "/models/0/", "/?page=99999999999999999999", "/?page=x&status=zzz"):
        assert client.get(path).status_code in (200, 404)


def test_the_overview_gives_the_whole_reason_of_a_failed_training_and_leads_to_the_settings(acme: Tenant) -> None:
    with scope(acme.id):
        PipelineRun.objects.update(
            status="failed", error="Too many days.", advice="Give fewer.", error_code="bad_input", stages=[]
        )
    model = acme.id_of("ModelEndpoint")
    page = signed_in(acme).get(f"/models/{model}/").content.decode()
    assert "Too many days. Give fewer." in page and "Press Train now" not in page
    assert f'href="/models/{model}/setup/">Change the settings</a>' in page
