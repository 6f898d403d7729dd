"""How fast pages answer with 1,000 jobs, 10,000 runs and 450,000 entries of the audit, and what queries each costs.

    python benchmarks/pages.py                                          1,000 jobs, 10,000 runs, 450,000 entries
    python benchmarks/pages.py --jobs 50 --runs 500 --entries 5000      a quick look

Starts a database of its own, fills one model, and asks every page 20 times as its owner, in this process. Prints the
median milliseconds until the answer, its size and its queries (without those every request costs: session, user,
organization). Floor: the page of the keys people press, which asks the database nothing of its own.

Promised: an answer within 100 ms and 12 queries.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

PROMISED_MS, PROMISED_QUERIES = 100.0, 12
ROUNDS = 20
PAGES = (
    "/",
    "/find/?q=table",
    "/models/{model}/",
    "/models/{model}/etl/",
    "/models/{model}/etl/?q=table+9&state=failing",
    "/models/{model}/etl/?page=40",
    "/models/{model}/etl/list/",
    "/models/{model}/etl/numbers/",
    "/models/{model}/etl/jobs/{job}/",
    "/models/{model}/runs/",
    "/models/{model}/data/",
    "/organization/audit/",
    "/organization/audit/?period=all",
    "/organization/audit/?period=all&before={middle}",
    "/organization/audit/?period=all&kind=connections&who=people",
    "/organization/audit/?q=shop",
    "/organization/audit/?q=nothing-is-called-so",
)
FLOOR = "/find/?q=nothing-is-called-so"
EVERY_REQUEST = ("set_config", "SAVEPOINT", "django_session", '"accounts_membership"', '"accounts_user"."password"')


def fill(jobs: int, runs: int) -> tuple[object, int, int, int]:
    """One model with so many jobs and runs; its owner, its id, the id of one job and that of its organization."""
    from b2b_recs.web.accounts.bootstrap import ensure_owner
    from b2b_recs.web.connections.models import Connection
    from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLConfiguration, ETLRun
    from b2b_recs.web.projects.models import ModelEndpoint, Schedule
    from b2b_recs.web.tenancy import scope

    owner, organization, _ = ensure_owner()
    own, now = {"organization": organization}, datetime.now(UTC)
    with scope(organization.id):
        model = ModelEndpoint.objects.create(**own, name="Giftware wholesale", time_zone="Europe/London")
        etl = ETLConfiguration.objects.create(**own, model=model)
        shop = Connection.objects.create(
            **own, model=model, name="shop", source_type="postgresql", last_test_at=now, last_test_status="passed"
        )
        rows = [DataSource(**own, configuration=etl, connection=shop, name=f"table {at}") for at in range(jobs)]
        made = DataSource.objects.bulk_create(rows)
        DataSourceTable.objects.bulk_create(
            DataSourceTable(**own, data_source=job, spec=copy_of(at)) for at, job in enumerate(made)
        )
        Schedule.objects.bulk_create(
            Schedule(**own, target_kind="etl", target_id=job.id, kind="hourly", rule={"minute": 15}, enabled=True)
            for job in made
        )
        ETLRun.objects.bulk_create(run_of(own, made[at % jobs], at, now) for at in range(runs))
        return owner, model.id, made[0].id, organization.id


def fill_audit(organization: int, entries: int) -> str:
    """The audit log grown to so many entries over two years; the mark of a place in its middle."""
    from django.db import connection

    from b2b_recs.web.audit.kinds import BY_CODE
    from b2b_recs.web.audit.time_line import Place, events_of
    from b2b_recs.web.tenancy import scope

    codes = ("Connection", "DataSource", "DataSourceTable", "ETLRun", "Schedule", "ModelEndpoint")
    kinds = [BY_CODE[code] for code in codes]
    each = max(entries // len(kinds), 1)
    with scope(organization):
        for kind in kinds:
            meta = kind.event._meta
            names = [field.column for field in meta.fields if field.column not in ("pgh_id", "pgh_created_at")]
            columns = ", ".join(f'"{name}"' for name in names)
            with connection.cursor() as cursor:
                cursor.execute(
                    f"INSERT INTO {meta.db_table} ({columns}, pgh_created_at)"
                    f" SELECT {columns}, now() - make_interval(secs => at * %s)"
                    f" FROM (SELECT * FROM {meta.db_table} ORDER BY pgh_id LIMIT 1) AS one"
                    f", generate_series(1, %s) AS at",
                    [2 * 365 * 86_400 / each, each],
                )
        rows = events_of(kinds[0]).order_by("-pgh_created_at")[each // 2 : each // 2 + 1]
        at, event = rows.values_list("pgh_created_at", "pgh_id")[0]
        return Place(at, event, kinds[0].code).mark


def analyze() -> None:
    """Gather statistics, which the database does by itself within a minute."""
    import psycopg

    from b2b_recs.runtime.database import ControlDatabase
    from b2b_recs.runtime.home import Home
    from b2b_recs.runtime.keys import load_keys

    home = Home.current()
    with psycopg.connect(ControlDatabase.current(home, load_keys(home)).owner, autocommit=True) as session:
        session.execute("ANALYZE")


def copy_of(at: int) -> dict[str, object]:
    """What a job copies."""
    load = {"strategy": "transactional", "cursor": "made_at", "key": ["id"]}
    return {"source_schema": "public", "source_table": f"t{at}", "destination_table": f"bq_t{at}", "load": load}


def run_of(own: dict[str, object], job: object, at: int, now: datetime) -> object:
    """A run that ended some hours ago; each eleventh failed."""
    from b2b_recs.web.etl.models import ETLRun

    failed, then = at % 11 == 0, now - timedelta(minutes=4 * at)
    stages = [{"name": name, "state": "done", "detail": ""} for name in ("connect", "read", "load", "reconcile")]
    return ETLRun(
        **own, data_source=job, status="failed" if failed else "completed", stages=stages, attempt=1, rows_read=at,
        rows_loaded=at, error="The source did not answer in time." if failed else "", created_at=then,
        error_code="source_timeout" if failed else "", started_at=then, finished_at=then + timedelta(seconds=4),
        results={} if failed else {"source_count": at, "warehouse_count": at, "reconciled": True},
    )  # fmt: skip


def measure(options: argparse.Namespace) -> None:
    """Fill, ask every page, print and judge."""
    from b2b_recs.cli.context import set_up_django

    set_up_django()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    owner, model, job, organization = fill(options.jobs, options.runs)
    middle_mark = fill_audit(organization, options.entries)
    analyze()
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    slow: list[str] = []
    floor = 0.0
    print(f"{options.jobs:,} jobs, {options.runs:,} runs, {options.entries:,} entries of the audit; median of {ROUNDS}")
    for path in (FLOOR, *(path for path in PAGES if options.only in path)):
        address = path.format(model=model, job=job, middle=middle_mark)
        headers = {"HX-Request": "true"} if path == FLOOR else {}
        client.get(address, headers=headers)
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address, headers=headers)
        queries = sum(
            one["sql"].lstrip("(\n").startswith(("SELECT", "WITH"))
            and not any(mark in one["sql"] for mark in EVERY_REQUEST)
            for one in captured
        )
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            client.get(address, headers=headers)
            took.append(1000 * (time.perf_counter() - began))
        middle = statistics.median(took)
        floor = floor or middle
        size = len(answer.content) / 1000
        print(f"{address:66} {answer.status_code} {middle:7.1f} ms ({middle / floor:4.1f} of the floor) "
              f"{queries:3} queries {size:6.0f} KB")  # fmt: skip
        if answer.status_code != 200 or queries > PROMISED_QUERIES or middle > PROMISED_MS:
            slow.append(address)
    print(f"promised: {PROMISED_MS:.0f} ms and {PROMISED_QUERIES} queries")
    if slow:
        raise SystemExit(f"Not kept by {', '.join(slow)}")


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--entries", type=int, default=450_000)
    parser.add_argument("--only", default="", help="pages whose address holds this text")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="b2b-recs-pages-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # as root, the database runs as another user below it
        os.environ["B2B_RECS_HOME"] = str(folder / "home")
        os.environ.pop("DATABASE_URL", None)
        from b2b_recs.cli.stack import needed

        with needed():
            measure(options)


if __name__ == "__main__":
    main()
