"""Schedules fire exactly once, whoever looks; missed times once, and switched-off ones not at all."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from run_rows import Shop, make_shop, queued, without_pool
from web_support import TestDatabase

from b2b_recs.web.accounts.models import Organization
from b2b_recs.web.etl.models import DataSource, ETLConfiguration, ETLRun
from b2b_recs.web.etl.scheduled import Started, Time, start_scheduled
from b2b_recs.web.etl.services import start_run
from b2b_recs.web.operations.dispatcher import TOGETHER, fire_due_schedules
from b2b_recs.web.operations.upkeep import collect_traffic, keep_pointers, settle
from b2b_recs.web.projects.models import ModelEndpoint, Schedule
from b2b_recs.web.projects.schedules import ScheduleSpec, set_paused, set_schedule
from b2b_recs.web.runs.models import RunLogLine
from b2b_recs.web.tenancy import operating, scope
from b2b_recs.web.training.models import PipelineRun
from b2b_recs.web.training.services import start_pipeline

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def shop(platform_database: TestDatabase) -> Shop:
    return make_shop()


def due(shop: Shop, target: int, kind: str = "etl", **fields: object) -> Schedule:
    values = {"cron": "15 * * * *", "kind": "cron", "next_at": NOW - timedelta(minutes=1), **fields}
    with scope(shop.id):
        return Schedule.objects.create(organization_id=shop.id, target_kind=kind, target_id=target, **values)


def runs(shop: Shop) -> list[tuple[int, str]]:
    with scope(shop.id):
        return list(ETLRun.objects.order_by("id").values_list("data_source_id", "triggered_by"))


def test_a_due_schedule_fires_and_moves_on(shop: Shop) -> None:
    schedule = due(shop, shop.jobs[0].id)
    assert fire_due_schedules(NOW) == 1
    assert fire_due_schedules(NOW) == 0
    assert runs(shop) == [(shop.jobs[0].id, "schedule")]
    with scope(shop.id):
        schedule.refresh_from_db()
    assert (schedule.last_fired_at, schedule.next_at) == (NOW, NOW.replace(minute=15))


def test_a_hundred_due_at_once_fire_once_each_under_several_dispatchers(platform_database: TestDatabase) -> None:
    shop = make_shop(jobs=tuple(f"table_{number:03d}" for number in range(104)))
    for job in shop.jobs:
        due(shop, job.id)

    def dispatch(number: int) -> int:
        try:
            return fire_due_schedules(NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        fired = sum(threads.map(dispatch, range(4)))
    assert fired == len(shop.jobs)
    assert sorted(job for job, _ in runs(shop)) == sorted(job.id for job in shop.jobs)
    assert len(queued("execute_etl_run")) == len(shop.jobs)


def test_many_due_at_once_take_few_transactions(platform_database: TestDatabase) -> None:
    shop = make_shop(jobs=tuple(f"table_{number:03d}" for number in range(2 * TOGETHER)))
    for job in shop.jobs:
        due(shop, job.id)
    with CaptureQueriesContext(connections["default"]) as asked:
        assert fire_due_schedules(NOW) == len(shop.jobs)
    assert sum(query["sql"] == "BEGIN" for query in asked) == 2
    assert len(asked) < 40


def test_a_job_somebody_has_in_hand_is_waited_for_alone_and_holds_up_no_other(shop: Shop) -> None:
    for job in shop.jobs:
        due(shop, job.id)
    fired: list[int] = []

    def dispatch() -> None:
        try:
            fired.append(fire_due_schedules(NOW))
        finally:
            connections.close_all()

    dispatcher = Thread(target=dispatch)
    with scope(shop.id):
        DataSource.objects.select_for_update().get(id=shop.jobs[0].id)
        dispatcher.start()
        until = time.monotonic() + 20
        while not queued("execute_etl_run") and time.monotonic() < until:
            time.sleep(0.01)
        assert runs(shop) == [(shop.jobs[1].id, "schedule")]
        assert fired == []
    dispatcher.join(20)
    assert fired == [2]
    assert runs(shop) == [(shop.jobs[1].id, "schedule"), (shop.jobs[0].id, "schedule")]


def logged(shop: Shop) -> list[str]:
    with scope(shop.id):
        return list(RunLogLine.objects.order_by("id").values_list("message", flat=True))


def test_times_missed_while_nobody_looked_fire_once_and_the_run_says_how_many(shop: Shop) -> None:
    due(shop, shop.jobs[0].id, next_at=NOW - timedelta(hours=5, minutes=45))
    assert [fire_due_schedules(NOW), fire_due_schedules(NOW)] == [1, 0]
    with scope(shop.id):
        assert Schedule.objects.get().next_at == NOW.replace(minute=15)
        assert ETLRun.objects.get().coalesced == 5
    assert logged(shop) == ["5 earlier scheduled times were missed; this run stands for all of them."]


def test_counting_missed_times_has_an_end(shop: Shop) -> None:
    due(shop, shop.jobs[0].id, cron="* * * * *", next_at=NOW - timedelta(days=300))
    assert fire_due_schedules(NOW) == 1
    with scope(shop.id):
        assert ETLRun.objects.get().coalesced == 1000


def test_a_time_that_comes_while_its_run_is_under_way_is_noted_there_and_queues_no_second(shop: Shop) -> None:
    with scope(shop.id):
        start_run(shop.jobs[0])
    due(shop, shop.jobs[0].id)
    assert fire_due_schedules(NOW) == 0
    assert len(runs(shop)) == len(queued("execute_etl_run")) == 1
    with scope(shop.id):
        assert ETLRun.objects.get().coalesced == 1
    assert logged(shop) == [
        "The scheduled time 01 March 11:59 UTC came before this run had ended; no second run starts."
    ]


def test_a_time_that_comes_while_a_pipeline_copies_the_job_queues_no_second(shop: Shop) -> None:
    with scope(shop.id):
        start_pipeline(shop.model)
    due(shop, shop.jobs[0].id)
    assert fire_due_schedules(NOW) == 0
    assert len(queued("execute_etl_run")) == len(shop.jobs)


@pytest.mark.parametrize("status", ["paused", "archived"])
def test_a_resting_model_fires_nothing(shop: Shop, status: str) -> None:
    due(shop, shop.jobs[0].id)
    due(shop, shop.model.id, "pipeline")
    with scope(shop.id):
        ModelEndpoint.objects.update(status=status)
    assert fire_due_schedules(NOW) == 0
    assert runs(shop) == []


def test_switching_off_the_scheduling_of_a_model_lets_times_pass(shop: Shop) -> None:
    due(shop, shop.jobs[0].id)
    with scope(shop.id):
        ETLConfiguration.objects.update(enabled=False)
    assert fire_due_schedules(NOW) == 0
    with scope(shop.id):
        ETLConfiguration.objects.update(enabled=True)
        assert Schedule.objects.get().next_at == NOW.replace(minute=15)
    assert fire_due_schedules(NOW) == 0
    assert fire_due_schedules(NOW.replace(minute=20)) == 1


def test_a_paused_schedule_has_no_next_time_and_counts_from_when_it_is_followed_again(shop: Shop) -> None:
    row = due(shop, shop.jobs[0].id)
    with scope(shop.id):
        assert [set_paused(row, True, NOW), set_paused(row, True, NOW)] == [True, False]
    assert fire_due_schedules(NOW + timedelta(days=2)) == 0
    later = NOW + timedelta(days=3)
    with scope(shop.id):
        row.refresh_from_db()
        assert row.next_at is None
        assert set_paused(row, False, later)
        assert Schedule.objects.get().next_at == later.replace(minute=15)


def test_a_pipeline_schedule_starts_copies_and_pipeline(shop: Shop) -> None:
    due(shop, shop.model.id, "pipeline")
    assert fire_due_schedules(NOW) == 1
    with scope(shop.id):
        run = PipelineRun.objects.get()
    assert (run.triggered_by, len(runs(shop))) == ("schedule", 2)


def test_what_is_switched_off_does_not_fire(shop: Shop) -> None:
    off = due(shop, shop.jobs[0].id, enabled=False)
    due(shop, shop.jobs[1].id)
    with scope(shop.id):
        shop.jobs[1].enabled = False
        shop.jobs[1].save()
    assert fire_due_schedules(NOW) == 0
    assert runs(shop) == []
    with scope(shop.id):
        off.refresh_from_db()
    assert off.last_fired_at is None


def test_a_suspended_organization_does_not_fire_and_goes_on_later(shop: Shop) -> None:
    due(shop, shop.jobs[0].id)
    suspend(shop, True)
    assert fire_due_schedules(NOW) == 0
    suspend(shop, False)
    assert fire_due_schedules(NOW) == 1


def suspend(shop: Shop, suspended: bool) -> None:
    with operating():
        Organization.objects.filter(id=shop.id).update(suspended=suspended)


def test_a_schedule_whose_target_is_gone_or_has_nothing_to_run_stays_quiet(platform_database: TestDatabase) -> None:
    bare = make_shop(pipeline=False)
    due(bare, bare.model.id, "pipeline")
    due(bare, 10_000_000)
    assert fire_due_schedules(NOW) == 0
    with scope(bare.id):
        assert [row.next_at > NOW for row in Schedule.objects.all()] == [True, True]
        assert PipelineRun.objects.count() == 0


@pytest.mark.parametrize("broken", [{"cron": "not a rule"}, {"time_zone": "Nowhere/Land"}, {"cron": "0 0 31 2 *"}])
def test_a_rule_that_cannot_be_read_keeps_no_other_from_firing(shop: Shop, broken: dict[str, str]) -> None:
    bad = due(shop, shop.jobs[0].id, **broken)
    due(shop, shop.jobs[1].id)
    fire_due_schedules(NOW)
    assert shop.jobs[1].id in [job for job, _ in runs(shop)]
    with scope(shop.id):
        bad.refresh_from_db()
    assert bad.next_at is None


def test_a_fault_in_one_schedule_keeps_no_other_from_firing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    due(shop, shop.jobs[0].id)
    due(shop, shop.jobs[1].id)

    def start(times: Mapping[int, Time], wait: bool = True) -> Started:
        if shop.jobs[0].id in times:
            raise ZeroDivisionError
        return start_scheduled(times, wait)

    monkeypatch.setattr("b2b_recs.web.operations.dispatcher.start_scheduled", start)
    assert fire_due_schedules(NOW) == 1
    assert runs(shop) == [(shop.jobs[1].id, "schedule")]
    monkeypatch.undo()
    assert fire_due_schedules(NOW) == 1


def test_a_schedule_set_twice_changes_once_and_counts_from_now_when_switched_on(shop: Shop) -> None:
    job = shop.jobs[0].id

    def put(enabled: bool = True, now: datetime = NOW, **fields: object) -> bool:
        with scope(shop.id):
            return set_schedule(shop.id, "etl", job, ScheduleSpec.parse(fields), enabled, now)

    hourly = {"kind": "hourly", "minute": 15}
    assert [put(**hourly), put(**hourly)] == [True, False]
    assert put(enabled=False, **hourly)
    later = NOW + timedelta(days=3)
    assert put(now=later, **hourly)
    with scope(shop.id):
        assert Schedule.objects.get().next_at == later.replace(minute=15)
    assert [put(), put()] == [True, False]


def test_settling_from_outside_ends_only_what_has_not_ended(shop: Shop) -> None:
    with scope(shop.id):
        run = start_run(shop.jobs[0])
    settle("etl", shop.id, run.id, "failed", "The process was ended from outside (SIGKILL).")
    settle("etl", shop.id, run.id, "cancelled", "later")
    settle("pipeline", shop.id, run.id, "failed", "there is no such run")
    with scope(shop.id):
        run.refresh_from_db()
    assert (run.status, run.error_code) == ("failed", "died")
    assert run.error == "The process was ended from outside (SIGKILL)."


def test_periodic_work_goes_on_after_the_database_restarted(shop: Shop, platform_database: TestDatabase) -> None:
    due(shop, shop.jobs[0].id)
    with without_pool():
        keep_pointers()
        assert Schedule._base_manager.using("operator").count() == 1
        with platform_database.superuser() as server:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        keep_pointers()
        collect_traffic()
        assert fire_due_schedules(NOW) == 1
