"""Starting, continuing and cancelling runs: asked twice they queue once, and nobody waits for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from run_rows import Shop, begin, finish_all, make_shop, queued
from web_support import TestDatabase

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.etl.endings import after_etl
from b2b_recs.web.etl.models import DataSourceTable, ETLRun
from b2b_recs.web.etl.services import cancel_run, start_run
from b2b_recs.web.operations.upkeep import settle
from b2b_recs.web.runs.attempts import perform
from b2b_recs.web.tenancy import scope
from b2b_recs.web.training.models import PipelineRun
from b2b_recs.web.training.services import cancel_pipeline, start_pipeline

ETL, PIPELINE = "execute_etl_run", "execute_pipeline_run"


@pytest.fixture
def shop(platform_database: TestDatabase) -> Shop:
    return make_shop()


def start(shop: Shop, with_jobs: bool = True) -> PipelineRun:
    with scope(shop.id):
        return start_pipeline(shop.model, shop.user, with_jobs=with_jobs)


def pipeline(shop: Shop) -> PipelineRun:
    with scope(shop.id):
        return PipelineRun.objects.get()


def copies(shop: Shop) -> list[ETLRun]:
    with scope(shop.id):
        return list(ETLRun.objects.order_by("id"))


def copy(shop: Shop, run: ETLRun, **ending: object) -> None:
    """Do one copy as its own process does."""
    perform(
        ETLRun,
        shop.id,
        run.id,
        lambda recorder: {"results": {"warehouse_count": 1, "table_rows": 3}, **ending},
        after_etl,
    )


def test_a_job_asked_for_twice_is_queued_once(shop: Shop) -> None:
    with scope(shop.id):
        first, second = start_run(shop.jobs[0]), start_run(shop.jobs[0])
        other = start_run(shop.jobs[1])
        assert first.id == second.id
        assert queued() == [(ETL, first.id, "todo"), (ETL, other.id, "todo")]


def test_many_asking_at_once_queue_one_run(shop: Shop) -> None:
    def ask(number: int) -> int:
        try:
            with scope(shop.id):
                return int(start_pipeline(shop.model).id if number % 2 else start_run(shop.jobs[0]).id)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        asked = list(threads.map(ask, range(12)))
    assert len(set(asked[1::2])) == 1
    assert len(set(asked[0::2])) == 1
    with scope(shop.id):
        assert ETLRun.objects.count() == 1 + len(shop.jobs)


def test_a_job_runs_again_once_its_run_is_over(shop: Shop) -> None:
    with scope(shop.id):
        first = start_run(shop.jobs[0])
    copy(shop, first)
    with scope(shop.id):
        assert start_run(shop.jobs[0]).id != first.id


def test_a_draft_is_not_run(shop: Shop) -> None:
    with scope(shop.id):
        draft = shop.add_job("half", draft=True)
        with pytest.raises(BadInput, match="draft"):
            start_run(draft)
        start_pipeline(shop.model)
        assert draft.runs.count() == 0
        assert ETLRun.objects.count() == 2


def test_a_model_without_a_pipeline_is_refused_with_advice(platform_database: TestDatabase) -> None:
    bare = make_shop(pipeline=False)
    with scope(bare.id):
        with pytest.raises(BadInput) as refused:
            start_pipeline(bare.model)
        assert refused.value.field == "pipeline"
        assert refused.value.advice
        assert (PipelineRun.objects.count(), queued()) == (0, [])


def test_a_pipeline_copies_first_and_waits_for_all_of_its_copies(shop: Shop) -> None:
    run = start(shop)
    assert start(shop).id == run.id
    first, second = copies(shop)
    assert [name for name, _, _ in queued()] == [ETL, ETL]
    assert {first.triggered_by, second.triggered_by} == {"pipeline"}
    copy(shop, first)
    assert queued(PIPELINE) == []
    assert pipeline(shop).stages[0]["detail"] == "1 of 2 tables copied"
    copy(shop, second)
    assert queued(PIPELINE) == [(PIPELINE, run.id, "todo")]
    assert (pipeline(shop).status, pipeline(shop).stages[0]["state"]) == ("pending", "done")
    assert pipeline(shop).stages[0]["seconds"] >= 0


def test_copies_that_end_at_the_same_moment_queue_the_pipeline_once(platform_database: TestDatabase) -> None:
    shop = make_shop(jobs=tuple(f"table_{number}" for number in range(6)))
    start(shop)

    def end(run: ETLRun) -> None:
        try:
            copy(shop, run)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(end, copies(shop)))
    assert len(queued(PIPELINE)) == 1
    assert pipeline(shop).stages[0]["detail"] == "6 of 6 tables copied"


def test_a_pipeline_goes_on_after_a_copy_with_rejected_rows(shop: Shop) -> None:
    start(shop)
    for run in copies(shop):
        copy(shop, run, status=ETLRun.Status.PARTIAL, rows_rejected=1)
    assert len(queued(PIPELINE)) == 1


def test_a_failed_copy_fails_the_pipeline_once_the_others_have_ended(shop: Shop) -> None:
    start(shop)
    first, second = copies(shop)
    copy(shop, first, status=ETLRun.Status.FAILED, error_code="table_missing", error="No table.", advice="Look.")
    assert pipeline(shop).is_over is False
    copy(shop, second)
    ended = pipeline(shop)
    assert (ended.status, ended.error_code, ended.advice) == ("failed", "table_missing", "Look.")
    assert ended.error == "1 of 2 jobs did not finish: orders. No table."
    assert ended.finished_at is not None
    assert queued(PIPELINE) == []


def test_without_jobs_the_warehouse_is_used_as_it_is(shop: Shop) -> None:
    run = start(shop, with_jobs=False)
    assert queued() == [(PIPELINE, run.id, "todo")]
    assert run.stages[0]["state"] == "skipped"


def test_what_a_copy_loaded_is_kept_on_its_job(shop: Shop) -> None:
    with scope(shop.id):
        run = start_run(shop.jobs[0])
    copy(shop, run)
    with scope(shop.id):
        table = DataSourceTable.objects.get(data_source=shop.jobs[0])
        shop.etl.refresh_from_db()
    assert (table.last_row_count, table.last_synced_at is not None) == (3, True)
    assert (shop.etl.last_run_status, shop.etl.last_run_message) == ("completed", "")


def test_cancelling_a_run_that_waits_ends_it_at_once(shop: Shop) -> None:
    with scope(shop.id):
        run = start_run(shop.jobs[0])
        cancel_run(run)
        cancel_run(run)
    assert [(row.status, row.error_code) for row in copies(shop)] == [("cancelled", "cancelled")]
    assert [status for _, _, status in queued()] == ["cancelled"]


def test_cancelling_a_run_under_way_leaves_its_end_to_its_process(shop: Shop) -> None:
    with scope(shop.id):
        run = start_run(shop.jobs[0])
        begin(ETL, run.id)
        cancel_run(run)
    (row,) = copies(shop)
    assert (row.status, row.cancel_requested) == ("pending", True)
    settle("etl", shop.id, run.id, "cancelled", "Cancelled on request.")
    assert copies(shop)[0].status == "cancelled"


def test_cancelling_a_run_the_queue_has_lost_ends_it(shop: Shop, platform_database: TestDatabase) -> None:
    with scope(shop.id):
        run = start_run(shop.jobs[0])
    with platform_database.superuser() as server:
        server.execute("DELETE FROM procrastinate_jobs")
    with scope(shop.id):
        cancel_run(run)
    assert copies(shop)[0].status == "cancelled"


def test_cancelling_a_finished_run_changes_nothing(shop: Shop) -> None:
    with scope(shop.id):
        run = start_run(shop.jobs[0])
    copy(shop, run)
    with scope(shop.id):
        cancel_run(run)
    (row,) = copies(shop)
    assert (row.status, row.cancel_requested) == ("completed", False)


def test_cancelling_a_pipeline_ends_its_waiting_copies_and_itself(shop: Shop) -> None:
    run = start(shop)
    with scope(shop.id):
        cancel_pipeline(run)
    assert [row.status for row in copies(shop)] == ["cancelled", "cancelled"]
    ended = pipeline(shop)
    assert (ended.status, ended.error) == ("cancelled", "The run was cancelled.")
    assert [status for _, _, status in queued()] == ["cancelled", "cancelled"]


def test_a_cancelled_pipeline_ends_with_the_last_copy_that_stops(shop: Shop) -> None:
    run = start(shop)
    first = copies(shop)[0]
    begin(ETL, first.id)
    with scope(shop.id):
        cancel_pipeline(run)
    assert (copies(shop)[1].status, pipeline(shop).is_over) == ("cancelled", False)
    copy(shop, first)
    assert pipeline(shop).status == "cancelled"
    assert queued(PIPELINE) == []


def test_a_cancelled_pipeline_does_not_train_although_every_copy_finished(shop: Shop) -> None:
    run = start(shop)
    for each in copies(shop):
        begin(ETL, each.id)
    first, second = copies(shop)
    copy(shop, first)
    with scope(shop.id):
        cancel_pipeline(run)
        ETLRun.objects.filter(id=second.id).update(cancel_requested=False)  # it finished before it heard of it
    copy(shop, second)
    assert (copies(shop)[1].status, pipeline(shop).status) == ("completed", "cancelled")
    assert queued(PIPELINE) == []


def test_cancelling_a_pipeline_that_waits_for_its_turn_ends_it(shop: Shop) -> None:
    run = start(shop, with_jobs=False)
    with scope(shop.id):
        cancel_pipeline(run)
    assert (pipeline(shop).status, queued()[0][2]) == ("cancelled", "cancelled")
    assert start(shop, with_jobs=False).id != run.id


def test_cancelling_while_copies_end_never_deadlocks(platform_database: TestDatabase) -> None:
    shop = make_shop(jobs=tuple(f"table_{number}" for number in range(4)))
    for _ in range(5):
        run = start(shop)
        with scope(shop.id):
            active = list(run.etl_runs.order_by("id"))
        for each in active:
            begin(ETL, each.id)

        def end(each: ETLRun) -> None:
            try:
                copy(shop, each)
            finally:
                connections.close_all()

        def cancel(run: PipelineRun) -> None:
            try:
                with scope(shop.id):
                    cancel_pipeline(run)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(5) as threads:
            work = [threads.submit(end, each) for each in active]
            work.append(threads.submit(cancel, run))
            for one in work:
                one.result()
        with scope(shop.id):
            run.refresh_from_db()
            assert run.etl_runs.filter(status__in=ETLRun.ACTIVE).count() == 0
            if not run.is_over:  # the last copy had ended before the wish came, and the run waits for its turn
                cancel_pipeline(run)
                run.refresh_from_db()
        assert run.status == "cancelled"
        finish_all()
