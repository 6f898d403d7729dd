"""A type that sampled values do not fit is accepted, and how many would be rejected is told beside the column."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.http import QueryDict
from tenant_rows import Tenant
from wizard_rows import address_of, column, draft_of, looked_at_job, proposal, signed_in

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.sources.contract import ReadRequest
from b2b_recs.engine.sources.registry import open_source, source_type
from b2b_recs.runtime.guard import OutgoingGuard
from b2b_recs.web.etl.misfits import misfit, seen_values
from b2b_recs.web.etl.models import DataSourceTable
from b2b_recs.web.etl.proposals import propose
from b2b_recs.web.etl.wizard.schema_form import schema_changes, schema_form
from b2b_recs.web.tenancy import scope

CODES = ["85123", "71053", "84970L", None, "84970S"]
PRICES = ["2.55", "3.390", "0.125", "12"]


@pytest.mark.parametrize(
    ("samples", "kind", "digits", "text", "words"),
    [
        (CODES, "INT64", (None, None), True, "2 of 4 sampled values would be rejected, such as “84970L”."),
        (CODES, "STRING", (None, None), True, ""),
        (PRICES, "NUMERIC", (12, 2), False, "1 of 4 sampled values would be rejected, such as “0.125”."),
        (PRICES, "NUMERIC", (None, None), False, ""),
        (PRICES, "INT64", (None, None), False, "3 of 4 sampled values would be rejected, such as “2.55”."),
        (
            ["10:30:00", "10", "noon"],
            "TIME",
            (None, None),
            True,
            "2 of 3 sampled values would be rejected, such as “10”",
        ),
        (["yes", "maybe", "1"], "BOOL", (None, None), True, "1 of 3 sampled values would be rejected"),
        (['{"a": 1}', "12", "some"], "JSON", (None, None), True, "1 of 3 sampled values would be rejected"),
        (["2024-01-31", "31.01.2024", ""], "DATE", (None, None), True, "2 of 3 sampled values would be rejected"),
    ],
)
def test_the_sampled_values_a_type_would_reject_are_counted(
    samples: list[str | None], kind: str, digits: tuple[int | None, int | None], text: bool, words: str
) -> None:
    wanted = ColumnMapping("c", "text", WarehouseType(kind), precision=digits[0], scale=digits[1])
    told = misfit(seen_values(samples), wanted, text=text)
    assert told.startswith(words) and bool(told) == bool(words)


GERMAN = ["1.234,50", "99,90", "12", "n/a"]


@pytest.mark.parametrize(
    ("format", "words"),
    [
        ("", "3 of 4 sampled values would be rejected, such as “1.234,50”. The numbers are read in the format "
         "1.234,56."),
        ("1.234,56", "1 of 4 sampled values would be rejected, such as “n/a”."),
        ("1234,56", "2 of 4 sampled values would be rejected, such as “1.234,50”. The numbers are read in the "
         "format 1.234,56."),
        ("1,234.56", "3 of 4 sampled values would be rejected, such as “1.234,50”."),
    ],
)  # fmt: skip
def test_numbers_written_otherwise_than_was_chosen_are_counted_and_the_way_is_named(format: str, words: str) -> None:
    wanted = ColumnMapping("Preis", "text", WarehouseType.NUMERIC, format=format)
    assert misfit(seen_values(GERMAN), wanted, text=True).startswith(words)
    assert misfit(seen_values(["1,5", "2.5"]), wanted, text=True).count("are read") == 0


def test_a_type_that_samples_disagree_with_is_kept_and_told_beside_the_column(acme: Tenant) -> None:
    looked_at_job(acme)
    client, draft = signed_in(acme), draft_of(acme, "again", 4)
    address = f"{address_of(acme, draft.id)}step/4/"
    answer = client.post(address, {"destination_table": "bq_again", "type-1": "INT64"}, follow=True)
    told = "1 of 1 sampled values would be rejected, such as “a”."
    assert answer.redirect_chain[-1][0].endswith("/step/5/") and f"“note”: {told}" in answer.content.decode()
    row = client.get(address).content.decode().split('class="schema-warn"')[1]
    assert told in row.split("</tr>")[0]


def test_a_type_no_value_could_become_is_refused_beside_its_column_in_step_4(acme: Tenant) -> None:
    looked_at_job(acme)
    client, draft = signed_in(acme), draft_of(acme, "geo", 4)
    table = proposal().model_dump(mode="json")
    table["columns"][1] |= {"source_type": "point", "impossible": ["INT64", "DATE"]}
    with scope(acme.id):
        DataSourceTable.objects.filter(data_source=draft).update(
            seen={"at": datetime.now(UTC).isoformat(), "proposal": table}
        )
    typed = {"destination_table": "bq_geo", "type-1": "INT64"}
    answer = client.post(f"{address_of(acme, draft.id)}step/4/", typed)
    assert answer.status_code == 422
    told = answer.content.decode().split('id="column-1-error"')[1].split("</tr>")[0]
    assert "Column note of type point cannot become INT64. Choose STRING, or the type that was proposed." in told


def test_always_filled_is_refused_where_every_sampled_value_is_empty_and_counted_where_some_are() -> None:
    table, typed = proposal(), QueryDict("destination_table=bq_orders&mode-1=REQUIRED")
    table.columns[1] = column("note", "text", "STRING", "low", [None, None]).model_copy(update={"empty": 2})
    with pytest.raises(BadInput, match="empty in all 2 sampled rows") as refused:
        schema_changes(typed, {}, table)
    assert (refused.value.field, refused.value.column) == ("types", "note")
    wanted = ColumnMapping("note", "text", WarehouseType.STRING, Mode.REQUIRED)
    told = misfit(seen_values(["a", None, "b"]), wanted, text=True, empty=1)
    assert told == "1 of 3 sampled values are empty and would be rejected."


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("id", "TIME", "3 of 3 sampled values would be rejected, such as “1”."),
        ("id", "TIMESTAMP", ""),  # seconds since 1970
        ("created_at", "INT64", "2 of 2 sampled values would be rejected, such as “2024-01-31 10:00:00”."),
        ("updated_at", "TIME", "3 of 3 sampled values would be rejected, such as “2024-01-31T10:00:00Z”."),
        ("updated_at", "TIMESTAMP", "1 of 3 sampled values would be rejected, such as “2000000”."),
        ("total", "NUMERIC", "1 of 3 sampled values would be rejected, such as “n/a”."),
        ("total", "BYTES", "2 of 3 sampled values would be rejected, such as “2.5”."),
        ("note", "INT64", "1 of 3 sampled values would be rejected, such as “a”."),
    ],
)
def test_of_a_file_whose_types_are_only_declared_every_type_counts_what_a_run_would_reject(
    tmp_path: Path, name: str, kind: str, words: str
) -> None:
    place = tmp_path / "shop.db"
    with closing(sqlite3.connect(place)) as file:
        file.execute(
            "CREATE TABLE sale (id INTEGER PRIMARY KEY, created_at timestamp, updated_at TIMESTAMP, total DECIMAL, "
            "note TEXT)"
        )
        file.executemany(
            "INSERT INTO sale VALUES (?, ?, ?, ?, ?)",
            [
                (1, "2024-01-31 10:00:00", "2024-01-31T10:00:00Z", 2.5, "1"),
                (2, None, 1_700_000_000, 3, "a"),
                (3, "2024-02-01 10:00:00", 2_000_000, "n/a", 7),
            ],
        )
        file.commit()
    declared = source_type("sqlite")
    guard = OutgoingGuard(enabled=False, folders=[tmp_path])
    with open_source("sqlite", {"file": str(place)}, guard) as source:
        table = propose(declared, source, "main", "sale", "UTC")
        request = ReadRequest("main", "sale", (ColumnMapping(name, "", WarehouseType(kind)),))
        rejected = sum(len(batch.rejected) for batch in source.read(request))
    form = schema_form({"types": [{"name": name, "warehouse_type": kind, "precision": None, "scale": None}]}, table)
    assert form.misfits.get(name, "") == words
    assert words.startswith(str(rejected)) or not (words or rejected)
