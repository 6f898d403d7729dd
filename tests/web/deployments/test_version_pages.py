"""The page of a model's versions and the same by API: what is shown, to whom, and that refusals say why."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from run_rows import Shop, make_shop
from version_rows import FIGURE, WORSE, make_version
from web.audit.test_audit_log import told
from web_support import TestDatabase

from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.api_keys import create_key
from b2b_recs.web.accounts.models import Membership, User
from b2b_recs.web.datasets.models import DatasetVersion
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.switching import put_into_service, stop_serving
from b2b_recs.web.experiments.models import Experiment, TrainedModel
from b2b_recs.web.projects.model_queries import overview
from b2b_recs.web.projects.states import change_status
from b2b_recs.web.tenancy import operating, scope
from b2b_recs.web.training.models import PipelineRun

MOST_QUERIES = 12


@pytest.fixture
def shop(platform_database: TestDatabase) -> Iterator[Shop]:
    Home.current().create()
    made = make_shop()
    for number, passed in ((1, True), (2, True), (3, False)):
        trained = make_version(made, number, passed=passed)
        if number < 3:
            with scope(made.id):
                put_into_service(trained, made.user)
    with scope(made.id):
        DatasetVersion.objects.update(rows=397_884, customers=4_338, table_versions={"bq_orders": 4})
    yield made
    shutil.rmtree(Home.current().serving)


def signed_in(shop: Shop, role: str = "owner") -> Client:
    user = shop.user
    if role != "owner":
        with operating():
            user = User.objects.create_user(f"{role}@acme.example")
            Membership.objects.create(organization=shop.organization, user=user, role=role)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text_of(answer: HttpResponse) -> str:
    return " ".join(answer.content.decode().split())


def current(shop: Shop) -> int:
    with scope(shop.id):
        return int(Deployment.objects.get(status="active").trained_model.number)


def place(shop: Shop, rest: str = "versions/") -> str:
    return f"/models/{shop.model.id}/{rest}"


def version_id(shop: Shop, number: int) -> int:
    with scope(shop.id):
        return int(shop.model.trained_models.get(number=number).id)


def test_the_page_shows_each_version_with_its_data_figure_verdict_and_which_answers(shop: Shop) -> None:
    client = signed_in(shop)
    client.get(place(shop))
    with CaptureQueriesContext(connection) as captured:
        text = text_of(client.get(place(shop)))
    assert "<h1>Versions</h1>" in text and "v2 answers." in text
    for shown in (
        "v1",
        "v2",
        "v3",
        "purchases</span> v1: 397,884 rows, 4,338 customers, until",
        "bq_orders</a> v4",
        ".381",
    ):
        assert shown in text, shown
    assert 'NDCG@10</span><p class="small faint whitespace-nowrap">95 %: .372 to .390' in text
    for explained in ("NDCG@10", "95 %", "the gate"):
        assert text.count(f'aria-label="What {explained} means"') == 1, explained
    assert "is ahead" not in text
    assert "in service until" in text and "never in service" in text
    assert "Not passed" in text and WORSE in text.replace("&#x27;", "'")
    assert "In service" in text and "Roll back to v1" in text and "Stop serving" in text
    assert text.count("Put into service</button>") == 2
    assert "The gate did not pass v3" in text and "Put into service all the same" in text
    own = [one["sql"] for one in captured if one["sql"].startswith("SELECT") and "set_config" not in one["sql"]]
    around = ("django_session", '"accounts_membership"', '"accounts_user"."password"', '"accounts_organization"')
    assert len([one for one in own if not any(mark in one for mark in around)]) <= MOST_QUERIES


def test_a_version_whose_training_measured_another_higher_says_so_beside_its_figure(shop: Shop) -> None:
    with scope(shop.id):
        run = PipelineRun.objects.create(model=shop.model, status="completed")
        trained = TrainedModel.objects.get(number=2)
        TrainedModel.objects.filter(id=trained.id).update(pipeline_run=run)
        other = {"all": {"ndcg@10": {"value": 0.391, "low": 0.38, "high": 0.4}}, "validation": {"all": 0.2}}
        own = {"all": {"ndcg@10": FIGURE}, "validation": {"all": 0.3}}
        for algorithm, metrics in ((trained.algorithm, own), ("ials", other)):
            Experiment.objects.create(pipeline_run=run, algorithm=algorithm, metrics=metrics)
    text = text_of(signed_in(shop).get(place(shop)))
    assert text.count("was chosen because it did best on the orders before the test;") == 1
    assert text.count("On the test iALS is ahead, .391 to .381, but the two intervals overlap") == 1


def test_the_chart_of_the_overview_calls_a_version_live_only_while_it_answers(shop: Shop) -> None:
    with scope(shop.id):
        run = PipelineRun.objects.create(model=shop.model, status="completed")
        TrainedModel.objects.filter(number=3).delete()
        newest = TrainedModel.objects.get(number=2)
        TrainedModel.objects.filter(id=newest.id).update(pipeline_run=run)
        Experiment.objects.create(pipeline_run=run, algorithm=newest.algorithm, metrics={"all": {"ndcg@10": FIGURE}})
        before = overview(shop.model).lift
        stop_serving(shop.model)
        after = overview(shop.model).lift
    assert [lift.rows[0].name.endswith(", v2 (live)") for lift in (before, after) if lift] == [True, False]


def test_a_version_says_on_which_orders_it_was_measured_and_whether_it_learnt_from_them_afterwards(shop: Shop) -> None:
    def microseconds(day: int) -> int:
        return int(datetime(2026, 3, day, 12, tzinfo=UTC).timestamp() * 1_000_000)

    period = {"cut": microseconds(1), "until": microseconds(20)}
    make_version(shop, 4, period=period, learnt_until=microseconds(20))
    make_version(shop, 5, period=period, learnt_until=microseconds(1) - 1)
    make_version(shop, 6, period=period)
    text = re.sub("<[^>]+>", "", text_of(signed_in(shop).get(place(shop))))
    copy = "Measured by a copy that learnt from the orders before 1 Mar 2026, on those from then until 20 Mar 2026"
    assert text.count(copy) == text.count(f"{copy}; after that the version learnt from all.") == 1
    alone = "Measured on the orders from 1 Mar 2026 until 20 Mar 2026"
    assert text.count(f"{alone}, none of which it learnt from.") == text.count(f"{alone}.") == 1
    assert "customers, until 1 Mar 2026" in text
    assert "later than any the version learnt from" not in text


def test_a_search_finds_by_number_algorithm_and_dataset(shop: Shop) -> None:
    client = signed_in(shop)
    for query, rows in (("v3", 1), ("purchases", 3), ("no such thing", 0)):
        text = text_of(client.get(place(shop), {"q": query}))
        assert text.count('data-label="Trained"') == rows, query
    assert "No version matches" in text


def test_a_viewer_sees_everything_and_no_button(shop: Shop) -> None:
    viewer = signed_in(shop, "viewer")
    text = text_of(viewer.get(place(shop)))
    assert "v3" in text and "Try it" in text
    for button in ("Put into service</button>", "Roll back to", "Stop serving</button>", "/deploy/"):
        assert button not in text, button
    posts = (f"versions/{version_id(shop, 1)}/deploy/", "service/back/", "service/stop/", "service/start/")
    for rest in posts:
        assert viewer.post(place(shop, rest), {"from_version": 2}).status_code == 403
    assert current(shop) == 2


def test_an_editor_puts_into_service_rolls_back_stops_and_starts(shop: Shop) -> None:
    client = signed_in(shop, "editor")
    deploy = place(shop, f"versions/{version_id(shop, 3)}/deploy/")
    refused = text_of(client.post(deploy, follow=True))
    assert "The gate did not pass v3" in refused and current(shop) == 2
    assert "v3 is in service now." in text_of(client.post(deploy, {"despite_gate": "yes"}, follow=True))
    assert current(shop) == 3
    assert "Rolled back: v2 is in service now." in text_of(
        client.post(place(shop, "service/back/"), {"from_version": 3}, follow=True)
    )
    stopped = text_of(client.post(place(shop, "service/stop/"), follow=True))
    assert "v2 was stopped: nothing answers until it is started again." in stopped and "Start again" in stopped
    page = text_of(client.get(place(shop, "")))
    assert "v2 stopped by hand" in page and "Start it again" in page
    assert "Serving was stopped" in text_of(client.get(place(shop, "try/")))
    assert "v2 answers again within a few seconds." in text_of(client.post(place(shop, "service/start/"), follow=True))
    assert client.post(place(shop, "service/back/"), {"from_version": "x"}).status_code == 404
    who = User.objects.get(email="editor@acme.example").email
    history = re.findall(r"<li\b.*?</li>", text_of(client.get(place(shop))).partition("What was in service")[2])
    lines = [" ".join(re.sub("<[^>]*>", " ", line).split()) for line in history]
    expected = ("v2 started again", "v2 stopped", "v2 rolled back", "v3 put into service")
    for line, words in zip(lines, expected, strict=False):
        assert re.match(rf"{words} by {who} \d+ \w+ \d{{4}}, \d\d:\d\d UTC", line), line
    assert lines[2].endswith("until now, not while it was stopped") and ", for " in lines[3] and len(lines) == 6
    assert [line for line in lines if "while it was stopped" in line] == [lines[2]]


def test_the_only_version_says_why_there_is_no_roll_back(shop: Shop) -> None:
    rival = make_shop("Rival")
    only = make_version(rival, 1, passed=True)
    with scope(rival.id):
        put_into_service(only, rival.user)
    told = "There is no roll back: v1 is the first version that was ever in service."
    assert told in text_of(signed_in(rival).get(place(rival)))
    assert "There is no roll back" not in text_of(signed_in(shop).get(place(shop)))


def test_a_paused_and_an_archived_model_offer_nothing_that_would_be_refused(shop: Shop) -> None:
    client = signed_in(shop)
    with scope(shop.id):
        change_status(shop.model.id, "paused")
    text = text_of(client.get(place(shop)))
    assert "The model is paused, so no other version goes into service." in text
    assert "Put into service</button>" not in text and "Roll back to" not in text and "Stop serving" in text
    with scope(shop.id):
        change_status(shop.model.id, "archived")
    text = text_of(client.get(place(shop)))
    assert "The model is archived: nothing of it answers." in text
    assert "Stop serving</button>" not in text and "Put into service</button>" not in text


def test_a_model_without_versions_says_what_comes_first(shop: Shop) -> None:
    rival = make_shop("Rival")
    text = text_of(signed_in(rival).get(place(rival)))
    assert "No version yet" in text and "None is in service yet." in text


def test_a_training_that_the_gate_kept_out_leads_to_the_versions(shop: Shop) -> None:
    results = {"version": "v3", "deployed": False, "gate": {"reasons": [WORSE]}}
    with scope(shop.id):
        run = PipelineRun.objects.create(model=shop.model, status="completed", results=results)
    text = text_of(signed_in(shop).get(place(shop, f"runs/trainings/{run.id}/")))
    assert f'<a class="link" href="{place(shop)}">v3</a>' in text


def test_a_version_of_another_model_is_missing(shop: Shop) -> None:
    rival = make_shop("Rival")
    foreign = make_version(rival, 1)
    client = signed_in(shop)
    assert client.post(place(shop, f"versions/{foreign.id}/deploy/")).status_code == 404
    assert client.post(f"/models/{rival.model.id}/versions/{foreign.id}/deploy/").status_code == 404


def test_the_audit_tells_who_put_what_into_service_and_who_stopped_it(shop: Shop) -> None:
    client = signed_in(shop)
    client.post(place(shop, f"versions/{version_id(shop, 1)}/deploy/"))
    client.post(place(shop, "service/back/"), {"from_version": 1})
    client.post(place(shop, "service/stop/"))
    client.post(place(shop, "service/start/"))
    who = shop.user.email
    assert [words for words in told(shop, kind="service", who="people") if "changed" not in words] == [
        f"{who} started the serving of v2 of Model of Acme",
        f"{who} stopped the serving of v2 of Model of Acme",
        f"{who} rolled back to v2 of Model of Acme",
        f"{who} put into service v1 of Model of Acme",
    ]


def test_a_program_does_the_same_by_the_api(shop: Shop) -> None:
    with scope(shop.id):
        _, key = create_key("till", scopes=["read", "write"])
    client, headers = Client(), {"Authorization": f"Bearer {key}"}

    def post(path: str, body: object = None, **more: str) -> tuple[int, dict[str, object]]:
        answer = client.post(f"/api{path}", body, content_type="application/json", headers={**headers, **more})
        return answer.status_code, answer.json()

    listed = client.get(f"/api/models/{shop.model.id}/versions/", headers=headers).json()
    assert [(one["version"], one["in_service"], one["gate"]["passed"]) for one in listed["items"]] == [
        ("v3", False, False), ("v2", True, True), ("v1", False, True),
    ]  # fmt: skip
    third = listed["items"][0]
    assert third["figure"] == {"metric": "NDCG@10", "value": 0.381, "low": 0.372, "high": 0.39}
    assert client.get(f"/api/versions/{third['id']}/", headers=headers).json() == third
    status, refused = post(f"/versions/{third['id']}/deploy/", {})
    assert (status, refused["error"]["code"]) == (409, "gate_not_passed")  # type: ignore[index]
    status, put = post(f"/versions/{third['id']}/deploy/", {"despite_gate": True})
    assert (status, put["version"], put["answers"]) == (200, "v3", True)
    back = f"/models/{shop.model.id}/deployments/roll-back/"
    first, second = (post(back, {"from_version": 3}) for _ in range(2))
    assert first == second and first[1]["version"] == "v2" and first[1]["rolled_back"] is True
    assert post(f"/models/{shop.model.id}/deployments/stop/")[1]["answers"] is False
    assert post(f"/models/{shop.model.id}/deployments/start/")[1]["answers"] is True
    history = client.get(f"/api/models/{shop.model.id}/deployments/", headers=headers).json()
    assert [one["version"] for one in history["items"]] == ["v2", "v3", "v2", "v1"]
    with scope(shop.id):
        stop_serving(shop.model)
        change_status(shop.model.id, "paused")
    assert post(back, {"from_version": 2})[0] == 409
