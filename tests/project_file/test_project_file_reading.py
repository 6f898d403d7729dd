"""Reading a project file: what it means, and what is said when it cannot be used."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from project_texts import EXAMPLE

from b2b_recs.engine.etl.spec import Catalog, Transactional
from b2b_recs.engine.schema.types import Mode, WarehouseType
from b2b_recs.project_file.problems import ProjectFileRefused
from b2b_recs.project_file.reading import parse_project, read_project
from b2b_recs.project_file.schema import JobSection


def problems(text: str):
    with pytest.raises(ProjectFileRefused) as caught:
        parse_project(text, "shop.yaml")
    return caught.value.problems


def changed(old: str, new: str) -> str:
    assert old in EXAMPLE
    return EXAMPLE.replace(old, new)


def test_the_example_becomes_the_specifications_of_the_engine():
    project = parse_project(EXAMPLE).project
    lines, products = (project.jobs[name].copy_spec() for name in ("order lines", "products"))
    assert (lines.source_schema, lines.source_table, lines.destination_table) == (
        "public",
        "order_lines",
        "bq_order_lines",
    )
    assert lines.load == Transactional(cursor="ordered_at", key=("order_id", "line_no"), backfill="all")
    assert products.load == Catalog()
    dataset = project.datasets["purchases"]
    assert dataset.joins[0].on == {"product_id": "product_id"}
    assert dataset.filters.history_days == 365
    assert project.pipeline is not None
    training = project.pipeline.training_spec()
    assert (training.algorithms, training.split.test_days, training.deploy) == ("auto", 30, "when_better")


WRONG = [
    ("hourly: 15", "hourly: 75", 10, "jobs.order lines.schedule.hourly", "75", "59 or less"),
    ("hourly: 15", "hurly: 15", 10, "jobs.order lines.schedule.hurly", "hurly", "Did you mean hourly?"),
    ("{hourly: 15}", '{hourly: 1, daily: "02:00"}', 10, "jobs.order lines.schedule", "hourly and daily", "keep one"),
    ("{hourly: 15}", "sometimes", 10, "jobs.order lines.schedule", "sometimes", "{hourly: 15}"),
    ('daily: "02:00"', "daily: 2", 11, "jobs.products.schedule.daily", "2", '"02:00"'),
    ('daily: "02:00"', 'daily: "24:00"', 11, "jobs.products.schedule.daily", "24:00", '"02:00"'),
    ('daily: "02:00"', 'cron: "61 * * * *"', 11, "jobs.products.schedule.cron", "61 * * * *", "from 0 to 59"),
    ('daily: "02:00"', "cron: 5", 11, "jobs.products.schedule.cron", "5", "five fields"),
    ('daily: "02:00"', 'cron: "0 0 30 2 *"', 11, "jobs.products.schedule.cron", "0 0 30 2 *", "cannot be used"),
    (
        'daily: "02:00"',
        'monthly: {day: 35, time: "02:00"}',
        11,
        "jobs.products.schedule.monthly.day",
        "35",
        "from 1 to 31",
    ),
    ('daily: "02:00"', "every_minutes: 0", 11, "jobs.products.schedule.every_minutes", "0", "from 1 to 1440"),
    (
        "cursor: ordered_at",
        "cursr: ordered_at",
        9,
        "jobs.order lines.load.transactional.cursr",
        "",
        "Did you mean cursor?",
    ),
    ("backfill: all", "backfill: some", 9, "jobs.order lines.load.transactional.backfill", "some", "a number of days"),
    ("backfill: all", "lag: soon", 9, "jobs.order lines.load.transactional.lag", "soon", "2 hours"),
    ("[order_id, line_no]", "[order_id, 5]", 9, "jobs.order lines.load.transactional.key[1]", "5", "in quotes"),
    ("load: catalog", "load: catalogue", 11, "jobs.products.load", "catalogue", "transactional"),
    ("load: catalog", "load: {catalog: {keep_days: 0}}", 11, "jobs.products.load.catalog.keep_days", "0", "1 or more"),
    ("    connection: shop", "    connection: shp", 7, "jobs.order lines.connection", "shp", "Did you mean shop?"),
    ("public.products", "products", 11, "jobs.products.table", "products", "public.order_lines"),
    (
        "table: public.products",
        "table: public.products, destination: bq_x__files",
        11,
        "jobs.products.destination",
        "bq_x__files",
        "does not end in __files",
    ),
    ("load: catalog", "load: files", 11, "jobs.products.load", "PostgreSQL has no files", "by a cursor"),
    ("[order_id, line_no]", "[id, id]", 9, "jobs.order lines.load.transactional.key", "id", "named twice"),
    (
        "load: catalog",
        "load: catalog, cluster_by: [a, b, c, d, e]",
        11,
        "jobs.products.cluster_by",
        "5",
        "at most 4",
    ),
    ("public.products", "public.order_lines", 11, "jobs.products.table", "bq_order_lines", "another destination"),
    (
        "base: bq_order_lines",
        "base: bq_order_line",
        14,
        "datasets.purchases.base",
        "bq_order_line",
        "Did you mean bq_order_lines?",
    ),
    (
        "{table: bq_products",
        "{table: stock",
        15,
        "datasets.purchases.joins[0].table",
        "stock",
        "There is: bq_order_lines, bq_products.",
    ),
    ("kind: left", "kind: outer", 15, "datasets.purchases.joins[0].kind", "outer", "left, inner or right"),
    ("time: ordered_at, ", "", 16, "datasets.purchases.roles.time", "", "Add 'time: …'."),
    (
        "top_revenue_share: 0.8",
        "top_revenue_share: lots",
        17,
        "datasets.purchases.filters.top_revenue_share",
        "lots",
        "a number",
    ),
    ("history_days: 365", "history_days: true", 17, "datasets.purchases.filters.history_days", "true", "a number"),
    ("dataset: purchases", "dataset: purchase", 18, "pipeline.dataset", "purchase", "Did you mean purchases?"),
    ("algorithms: auto", "algorithms: [eese]", 18, "pipeline.algorithms", "eese", "one or more of"),
    (
        "algorithms: auto",
        "parameters: {ease: {regularisation: 1}}",
        18,
        "pipeline.parameters.ease.regularisation",
        "",
        "Did you mean regularization?",
    ),
    (
        "algorithms: auto",
        "parameters: {ease: {regularization: -1}}",
        18,
        "pipeline.parameters.ease.regularization",
        "-1",
        "more than 0",
    ),
    ("test_days: 30", "test_days: -1", 18, "pipeline.split.test_days", "-1", "1 or more"),
    ("when_better", "when_beter", 18, "pipeline.deploy", "when_beter", "Did you mean when_better?"),
    ("deploy: when_better", "metric: profit", 18, "pipeline.metric", "profit", "use one of"),
    ("version: 1", "version: 2", 1, "version", "2", "1"),
    ("version: 1\n", "", 1, "version", "", "Add 'version: …'."),
    ("currency: GBP", "currency: pounds", 2, "model.currency", "pounds", "EUR"),
    ("Europe/London", "Mars", 2, "model.time_zone", "Mars", "Europe/London"),
    ("name: Giftware wholesale", "name: 2024", 2, "model.name", "2024", "in quotes"),
    ("type: postgresql", "type: postgres", 4, "connections.shop.type", "postgres", "Did you mean postgresql?"),
    ("username: reader", "user: reader", 4, "connections.shop.user", "", "Did you mean username?"),
    ("port: 5432", "port: 99999", 4, "connections.shop.port", "99999", "65535 or less"),
    ("host: 127.0.0.1, ", "", 4, "connections.shop.host", "", "Add 'host: …'."),
    ("{env: SHOP_PASSWORD}", "{env: SHOP-PASSWORD}", 4, "connections.shop.password.env", "", "environment variable"),
    ("  shop: {", "  5: {", 4, "connections.5", "", 'Put it in quotes: "5".'),
    ("pipeline:", "pipelines:", 18, "pipelines", "", "Did you mean pipeline?"),
]


@pytest.mark.parametrize(("old", "new", "line", "field", "value", "mend"), WRONG)
def test_a_fault_names_file_line_field_value_and_mend(old, new, line, field, value, mend):
    found = [problem for problem in problems(changed(old, new)) if problem.field == field]
    assert len(found) == 1, problems(changed(old, new))
    text = str(found[0])
    assert text.startswith(f"shop.yaml, line {line}: {field}: ")
    assert value in text
    assert mend in text


def test_every_fault_is_told_at_once_in_the_order_of_the_file():
    text = changed("hourly: 15", "hourly: 75").replace("when_better", "when_beter").replace("GBP", "pounds")
    assert [problem.line for problem in problems(text)] == [2, 10, 18]


@pytest.mark.parametrize("plain", ["hunter2", "12345", "[hunter2]"])
def test_a_password_in_the_file_is_refused_and_never_repeated(plain):
    (problem,) = problems(changed("{env: SHOP_PASSWORD}", plain))
    assert problem.field == "connections.shop.password"
    assert "{env: NAME}" in problem.advice
    assert plain.strip("[]") not in str(problem)


def test_a_password_given_twice_is_not_repeated_either():
    (problem,) = problems(changed("password: {env: SHOP_PASSWORD}", "password: hunter2, password: hunter3"))
    assert (problem.line, problem.field) == (4, "password")
    assert "hunter" not in str(problem)


SYNTAX = [
    ("", None, "empty"),
    ("# nothing\n", None, "empty"),
    ("- version: 1", 1, "name: value"),
    ("just words", 1, "name: value"),
    ("version: 1\nmodel:\n\tname: x\n", 3, "tab"),
    ("version: 1\nmodel: {name: x\n", 3, "cannot be read"),
    ("version: 1\nversion: 1\n", 2, "twice"),
    ("version: 1\n---\nversion: 1\n", 2, "second document"),
    ("version: 1\nmodel: {name: \x07}\n", 2, "character"),
    ("version: 1\nmodel: {name: !!python/object/apply:os.system [ls]}\n", 2, ""),
    ("version: 1\nmodel: {name: *unknown}\n", 2, "alias"),
]


@pytest.mark.parametrize(("text", "line", "words"), SYNTAX)
def test_text_that_is_not_a_project_file_is_refused_with_its_line(text, line, words):
    found = problems(text)[0]
    assert found.line == line
    assert words in str(found)
    assert str(found).startswith("shop.yaml")


def test_aliases_that_multiply_are_refused_quickly():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    assert "too much" in str(problems(bomb)[0])


def test_anchors_and_merges_save_writing():
    text = changed("  products: {connection: shop, ", "  products: {<<: *base, ").replace(
        "    connection: shop\n", "    <<: &base {connection: shop}\n"
    )
    assert parse_project(text).project == parse_project(EXAMPLE).project


def test_a_file_that_is_missing_or_not_text_is_named(tmp_path):
    path = tmp_path / "shop.yaml"
    with pytest.raises(ProjectFileRefused, match="There is no such file"):
        read_project(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProjectFileRefused, match="not text in UTF-8"):
        read_project(path)
    path.write_bytes(b"\xef\xbb\xbf" + EXAMPLE.encode())
    assert read_project(path).project.model.name == "Giftware wholesale"


def test_environment_references_are_followed_and_secrets_kept_apart():
    text = changed("host: 127.0.0.1", "host: {env: SHOP_HOST}").replace("port: 5432", "port: {env: SHOP_PORT}")
    read = parse_project(text)
    environment = {"SHOP_HOST": "db.example", "SHOP_PORT": "5433", "SHOP_PASSWORD": "hunter2"}
    shop = read.connections(environment)["shop"]
    assert shop.parameters == {"host": "db.example", "port": "5433", "database": "shop", "username": "reader"}
    assert shop.secrets == {"password": "hunter2"}
    assert shop.references["password"] == {"env": "SHOP_PASSWORD"}
    assert "hunter2" not in repr(shop)


def test_a_variable_that_is_not_set_is_named_with_its_line():
    with pytest.raises(ProjectFileRefused) as caught:
        parse_project(EXAMPLE, "shop.yaml").connections({})
    assert "shop.yaml, line 4: connections.shop.password" in caught.value.message
    assert "SHOP_PASSWORD is not set" in caught.value.message


def test_a_stored_secret_is_named_not_read():
    shop = parse_project(changed("{env: SHOP_PASSWORD}", "{secret: shop reader}")).connections({})["shop"]
    assert (shop.stored, shop.secrets) == ({"password": "shop reader"}, {})


def test_all_settings_of_a_job_reach_the_engine():
    job = """{connection: shop, table: '"My Schema"."Order.Lines"', destination: bq_lines, columns: [id, at, price],
      load: {transactional: {cursor: at, key: id, backfill: 2024-01-31, lag: 2 days}},
      types: {price: "numeric(12, 2) required"}, partition_by: at, cluster_by: id, row_limit: 10, drift: stop,
      reject_threshold: 0, time_zone: Europe/Berlin}"""
    text = changed('{connection: shop, table: public.products, load: catalog, schedule: {daily: "02:00"}}', job)
    spec = parse_project(text.replace("bq_products", "bq_lines")).project.jobs["products"].copy_spec()
    assert (spec.source_schema, spec.source_table, spec.destination_table) == ("My Schema", "Order.Lines", "bq_lines")
    assert isinstance(spec.load, Transactional)
    assert (spec.load.key, spec.load.backfill, spec.load.lag) == (("id",), date(2024, 1, 31), timedelta(days=2))
    (price,) = spec.types
    assert (price.name, price.warehouse_type, price.mode) == ("price", WarehouseType.NUMERIC, Mode.REQUIRED)
    assert (price.precision, price.scale) == (12, 2)
    assert (spec.partition_by, spec.cluster_by, spec.row_limit, spec.drift) == ("at", ("id",), 10, "stop")
    assert (spec.reject_threshold, spec.time_zone) == (0, "Europe/Berlin")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("date as %d/%m/%Y", "DATE AS %d/%m/%Y"),
        ("numeric(12, 2) as 1.234,56", "NUMERIC(12, 2) AS 1.234,56"),
        ("INT64 AS 1 234,56 REQUIRED", "INT64 AS 1 234,56 REQUIRED"),
        ("DATETIME AS %d.%m.%Y %H:%M:%S REQUIRED", "DATETIME AS %d.%m.%Y %H:%M:%S REQUIRED"),
        ("DATE", "DATE"),
    ],
)
def test_a_type_may_say_how_dates_are_written(written: str, kept: str):
    job = f"{{connection: shop, table: public.products, load: catalog, types: {{at: '{written}'}}}}"
    text = changed('{connection: shop, table: public.products, load: catalog, schedule: {daily: "02:00"}}', job)
    text = text.replace("type: postgresql", "type: mysql")  # which reads dates that are written otherwise
    section = parse_project(text).project.jobs["products"]
    assert section.types == {"at": kept}
    assert JobSection.of("shop", section.copy_spec()).types == {"at": kept}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("DATE AS %x", "%x is not a known way of writing dates"),
        ("DATE AS dd/mm", "dd/mm is not a known way of writing dates"),
        ("TIMESTAMP AS %d/%m/%Y", "only dates and numbers take a format"),
        ("NUMERIC(12, 2) AS %d/%m/%Y", "not a known way of writing numbers; use 1234,56, 1.234,56,"),
        ("DATE AS 1.234,56", "not a known way of writing dates"),
    ],
)
def test_a_format_that_is_not_known_is_refused(written: str, words: str):
    job = f"{{connection: shop, table: public.products, load: catalog, types: {{at: '{written}'}}}}"
    text = changed('{connection: shop, table: public.products, load: catalog, schedule: {daily: "02:00"}}', job)
    (problem,) = problems(text)
    assert words in problem.message


def test_a_column_used_but_not_copied_is_refused():
    text = changed("table: public.order_lines\n", "table: public.order_lines\n    columns: [order_id, line_no]\n")
    (problem,) = problems(text)
    assert (problem.line, problem.field) == (10, "jobs.order lines.load.transactional.cursor")
