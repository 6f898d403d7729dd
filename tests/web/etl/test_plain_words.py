"""The steps of the job wizard speak plainly: types by what they hold, dates and numbers in text by an example."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.formats import FORMATS
from b2b_recs.engine.schema.number_formats import NUMBER_FORMATS
from b2b_recs.engine.schema.types import Mode, WarehouseType
from b2b_recs.web.etl.proposals import ProposedColumn, ProposedLoad, ProposedType, TableProposal
from b2b_recs.web.etl.wizard.schema_form import schema_changes, schema_form
from b2b_recs.web.etl.wizard.type_words import MODES, TYPE_GROUPS
from b2b_recs.web.etl.wizard.written import OFFERED, code_of, example_of

BECOMES = ProposedType(
    warehouse_type="STRING", mode="NULLABLE", precision=None, scale=None, format="", confidence="high",
    reason="Text stays text.", warning="",
)  # fmt: skip
DELIVERED = ProposedColumn(
    name="delivered", source_type="text", nullable=True, is_time=False, samples=["31/01/2024", None], proposed=BECOMES,
    key_position=None,
)  # fmt: skip
TABLE = TableProposal(
    source_schema="", source_table="orders", destination_table="bq_orders", columns=[DELIVERED], key=[],
    time_columns=[], proposed=ProposedLoad(load={}, reason="", confidence="high"), partition_by=None,
)  # fmt: skip


def test_every_type_and_mode_has_words_of_its_own_before_its_name() -> None:
    words = dict(pair for _, types in TYPE_GROUPS for pair in types)
    assert set(words) == set(WarehouseType) and len(set(words.values())) == len(words)
    assert all(said.endswith(f" ({name})") and said[0].isupper() for name, said in words.items())
    assert [name for name, _ in MODES] == list(Mode)


def test_every_way_to_write_dates_and_numbers_has_an_example_that_means_it() -> None:
    codes = [*FORMATS, *NUMBER_FORMATS]
    assert [code_of(example_of(code)) for code in codes] == codes
    assert sorted(example for example, _ in OFFERED) == sorted(map(example_of, codes))
    assert (example_of("%d/%m/%Y"), code_of("31.12.2024 14:05")) == ("31/12/2024", "%d.%m.%Y %H:%M")
    assert (example_of(""), code_of("%d/%m/%Y"), code_of(" often ")) == ("", "%d/%m/%Y", "often")


def test_an_example_that_is_typed_is_kept_as_its_format_and_shown_as_an_example() -> None:
    typed = QueryDict("destination_table=bq_orders&type-0=DATE&format-0=31/12/2024")
    changes = schema_changes(typed, {}, TABLE)
    assert changes["types"][0]["format"] == "%d/%m/%Y"
    row = schema_form(changes, TABLE).rows[0]
    assert (row.format, row.samples) == ("31/12/2024", "31/01/2024, (empty)")


@pytest.mark.parametrize(
    ("kind", "typed", "code"),
    [
        ("NUMERIC", "1.234,50", "1.234,56"), ("NUMERIC", "12.500,00", "1.234,56"), ("INT64", "1.000.000", "1.234,56"),
        ("FLOAT64", "-5,25", "1234,56"), ("NUMERIC", "1 234,5", "1 234,56"), ("NUMERIC", "0012,5", "001234,56"),
        ("NUMERIC", "12.50", ""), ("NUMERIC", "1234", ""), ("DATE", "31.01.2023", "%d.%m.%Y"),
        ("DATE", "2023-01-31", ""), ("DATE", "20230131", "%Y%m%d"),
        ("DATETIME", "31/01/2023 9:05 PM", "%d/%m/%Y %I:%M %p"),
    ],
)  # fmt: skip
def test_any_example_written_in_one_way_only_is_as_good_as_those_of_the_list(kind: str, typed: str, code: str) -> None:
    given = QueryDict(mutable=True)
    given.update({"destination_table": "bq_orders", "type-0": kind, "format-0": typed})
    assert schema_changes(given, {}, TABLE)["types"][0]["format"] == code


@pytest.mark.parametrize(
    ("kind", "typed", "ways"),
    [
        ("NUMERIC", "1,234", "as 1234,56 or as 1,234.56"), ("NUMERIC", "1.234", "as 1.234,56 or as 1234.56"),
        ("DATE", "01/02/2024", "as 31/12/2024 or as 12/31/2024"),
    ],
)  # fmt: skip
def test_an_example_that_may_be_written_in_several_ways_is_refused_with_them(kind: str, typed: str, ways: str) -> None:
    with pytest.raises(BadInput) as refused:
        schema_changes(QueryDict(f"destination_table=bq_orders&type-0={kind}&format-0={typed}"), {}, TABLE)
    assert f"“{typed}” may be written in more than one way, for “delivered”: {ways}." in refused.value.message


def test_a_way_to_write_that_nobody_can_read_is_refused_with_examples() -> None:
    with pytest.raises(BadInput, match="“tomorrow” is no way to write dates or numbers") as refused:
        schema_changes(QueryDict("destination_table=bq_orders&type-0=DATE&format-0=tomorrow"), {}, TABLE)
    assert (refused.value.field, refused.value.column) == ("types", "delivered")
    assert "31/12/2024 or 1.234,56" in str(refused.value.advice)


def test_how_rows_are_arranged_is_said_in_words() -> None:
    assert schema_form({}, TABLE).arranged == "as they come"
    values = {"partition_by": "day", "cluster_by": ["customer", "product"]}
    assert schema_form(values, TABLE).arranged == "by day of day, then by customer, product"
