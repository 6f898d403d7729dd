"""What a column can never become is refused before a run, by each source's own rules."""

from __future__ import annotations

import pytest

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.becoming import impossible_types, refuse_impossible
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.registry import SOURCE_TYPES


def column(source_type: str, **more: object) -> ColumnInfo:
    return ColumnInfo("c", source_type, nullable=True, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "given", "never"),
    [
        ("postgresql", column("point"), ("INT64", "DATE", "FLOAT64", "TIME")),
        ("postgresql", column("timestamp with time zone"), ("INT64", "FLOAT64", "TIME", "BOOL")),
        ("postgresql", column("jsonb"), ("INT64", "DATE", "FLOAT64", "TIME")),
        ("postgresql", column("bytea"), ("INT64", "DATE", "FLOAT64", "TIME")),
        ("postgresql", column("uuid"), ("INT64", "DATE", "FLOAT64", "TIME")),
        ("postgresql", column("interval"), ("INT64", "DATE", "FLOAT64", "TIME")),
        ("postgresql", column("int[]"), ("INT64", "DATE", "FLOAT64", "TIME")),
        ("postgresql", column("integer"), ("DATE", "TIME", "BYTES")),
        ("postgresql", column("text", tells_json=False), ("JSON",)),
        ("mysql", column("datetime", base_type="datetime"), ("INT64", "FLOAT64", "TIME", "BOOL")),
        ("mysql", column("point", base_type="point"), ("INT64", "DATE", "FLOAT64", "TIME")),
        ("sqlserver", column("varbinary(8)", base_type="varbinary"), ("INT64", "DATE", "FLOAT64", "TIME")),
        ("oracle", column("DATE", base_type="DATE"), ("INT64", "FLOAT64", "TIME")),
        ("snowflake", column("BOOLEAN", base_type="BOOLEAN"), ("DATE", "TIME", "FLOAT64")),
        ("redshift", column("integer", base_type="integer"), ("DATE", "TIME", "TIMESTAMP")),
        ("bigquery", column("ARRAY<INT64>", base_type="INTEGER", type_kind="repeated"), ("INT64", "DATE")),
        ("parquet", column("list<element: int64>", base_type="list<element: int64>"), ("INT64", "DATE")),
        ("parquet", column("date32[day]", base_type="date32[day]"), ("INT64", "TIME")),
    ],
)
def test_types_that_no_value_could_become_are_known_before_a_run(
    kind: str, given: ColumnInfo, never: tuple[str, ...]
) -> None:
    found = impossible_types(SOURCE_TYPES[kind], given)
    assert set(never) <= {one.value for one in found} and WarehouseType.STRING not in found
    wanted = ColumnMapping("c", given.source_type, WarehouseType(never[0]), Mode.NULLABLE)
    with pytest.raises(BadInput, match=r"cannot become"):
        refuse_impossible(SOURCE_TYPES[kind], [given], [wanted])


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("mysql", column("tinyint(1)", base_type="tinyint(1)")),
        ("mysql", column("bit(1)", base_type="bit(1)")),
        ("oracle", column("NUMBER", base_type="NUMBER")),
        ("snowflake", column("NUMBER(38,0)", base_type="NUMBER", precision=38, scale=0)),
        ("csv", column("text", base_type="string")),
        ("sqlite", column("DATETIME")),
        ("mongodb", column("date", guessed=True)),
    ],
)
def test_a_number_may_become_any_number_and_what_is_only_guessed_anything(kind: str, given: ColumnInfo) -> None:
    found = impossible_types(SOURCE_TYPES[kind], given)
    assert not {WarehouseType.INT64, WarehouseType.FLOAT64, WarehouseType.NUMERIC} & set(found)


@pytest.mark.parametrize("kind", sorted(SOURCE_TYPES))
def test_what_is_proposed_is_never_refused(kind: str) -> None:
    declared = SOURCE_TYPES[kind]
    for name in declared.rules:
        given = column(name, base_type=name)
        proposed = declared.propose([given], {}, "UTC")[0].warehouse_type
        assert proposed not in impossible_types(declared, given), name
