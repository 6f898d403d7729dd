"""A job of a project file that asks for detection gets the types and names its source's values lead to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tenant_rows import Tenant

from b2b_recs.engine.etl.copy import copy_table
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.project_file.apply import Applied, apply_project
from b2b_recs.project_file.export import export_project
from b2b_recs.project_file.problems import ProjectFileRefused
from b2b_recs.project_file.reading import parse_project
from b2b_recs.runtime.guard import OutgoingGuard
from b2b_recs.runtime.home import Home
from b2b_recs.web.connections import services
from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.tenancy import scope

FILE = """\
version: 1
model: {{name: Looked at, currency: EUR, time_zone: UTC}}
connections:
  folder: {{type: csv, location: {folder}}}
jobs:
  orders: {{connection: folder, table: orders.csv, load: catalog, detect: true{more}}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(services, "guard", lambda: OutgoingGuard(enabled=False, folders=[tmp_path]))
    return tmp_path


def written(folder: Path, day: str = "{at:02}.03.2024") -> None:
    lines = [f"{at};{day.format(at=at)};{at},50;{at:05}" for at in range(1, 29)]
    (folder / "orders.csv").write_text("\n".join(["id;ordered;net.price;code", *lines]))


def applied(acme: Tenant, folder: Path, more: str = "", **options: Any) -> tuple[Applied, CopySpec]:
    found = apply_project(acme.id, parse_project(FILE.format(folder=folder, more=more)), environment={}, **options)
    with scope(acme.id):
        return found, CopySpec.model_validate(DataSource.objects.get(configuration__model=found.model).table.spec)


def types(spec: CopySpec) -> dict[str, str]:
    return {one.name: f"{one.warehouse_type} {one.format}".strip() for one in spec.types}


DETECTED = {"id": "INT64", "ordered": "DATE %d.%m.%Y", "net.price": "NUMERIC 1234,56"}


def test_types_and_names_come_from_values_and_what_the_file_says_wins(acme: Tenant, folder: Path) -> None:
    written(folder)
    _, spec = applied(acme, folder)
    assert types(spec) == DETECTED and spec.names == {"net.price": "net_price"}
    assert applied(acme, folder)[0].changes == []
    _, spec = applied(acme, folder, ", types: {id: STRING}, names: {net.price: price}")
    assert types(spec) == {**DETECTED, "id": "STRING"} and spec.names == {"net.price": "price"}
    with scope(acme.id):
        text = export_project(applied(acme, folder)[0].model)
    # The exported file says what was found, so it needs no source.
    (folder / "orders.csv").unlink()
    assert apply_project(acme.id, parse_project(text), environment={}).changes == []


def test_once_the_table_is_filled_what_was_found_stays_and_nobody_is_asked(acme: Tenant, folder: Path) -> None:
    written(folder)
    first, spec = applied(acme, folder)
    csv = SOURCE_TYPES["csv"]
    with services.opener_of("csv", {"location": str(folder)}, acme.id)() as source:
        warehouse = LocalWarehouse(Home.current().model_warehouse(first.model.id))
        result = copy_table(
            csv, source, spec, warehouse, folder / "staging", "run", Silent(), lambda: datetime.now(UTC)
        )
    assert (result.rows_loaded, result.rows_rejected) == (28, 0)
    (folder / "orders.csv").unlink()
    assert applied(acme, folder)[0].changes == []
    _, spec = applied(acme, folder, ", types: {id: STRING}")
    assert types(spec) == {**DETECTED, "id": "STRING"}


def test_a_source_that_cannot_be_asked_is_told_at_its_line_and_changes_nothing(acme: Tenant, folder: Path) -> None:
    with pytest.raises(ProjectFileRefused) as refused:
        applied(acme, folder)
    (problem,) = refused.value.problems
    assert (problem.line, problem.field) == (6, "jobs.orders.detect") and "orders.csv" in problem.message
    assert "leave detect out" in problem.advice
    with scope(acme.id):
        assert not DataSource.objects.filter(name="orders", configuration__model__name="Looked at").exists()
