"""What is sent to SQL Server for each type, what its answers become, and what its errors become."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from b2b_recs.engine import errors
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.sources.casting import cast_batch
from b2b_recs.engine.sources.contract import ColumnInfo, ReadRequest, Window
from b2b_recs.engine.sources.sqlserver.connection import connection_string
from b2b_recs.engine.sources.sqlserver.declaration import SQLServer
from b2b_recs.engine.sources.sqlserver.errors import connect_error, statement_error
from b2b_recs.engine.sources.sqlserver.parameters import SQLServerParameters
from b2b_recs.engine.sources.sqlserver.reading import natural, rows_of
from b2b_recs.engine.sources.sqlserver.select import literal, select_count, select_rows, sent_as, shown
from b2b_recs.engine.sources.sqlserver.types import OTHER_TYPE, RULES, kind_of


def column(base: str, **more: Any) -> ColumnInfo:
    """A column called c] of that type."""
    return ColumnInfo("c]", base, nullable=True, base_type=base, **more)


SENT = {
    "tinyint": "[c]]]",
    "bigint": "[c]]]",
    "bit": "[c]]]",
    "decimal": "[c]]]",
    "float": "[c]]]",
    "date": "[c]]]",
    "nvarchar": "[c]]]",
    "varbinary": "[c]]]",
    "real": "CAST([c]]] AS float)",
    "money": "CAST([c]]] AS decimal(19, 4))",
    "datetime2": "CONVERT(nvarchar(40), [c]]], 121)",
    "datetime": "CONVERT(nvarchar(40), [c]]], 121)",
    "smalldatetime": "CONVERT(nvarchar(40), [c]]], 121)",
    "datetimeoffset": "CONVERT(nvarchar(40), [c]]], 121)",
    "time": "CONVERT(nvarchar(40), [c]]], 121)",
    "text": "CONVERT(nvarchar(max), [c]]])",
    "xml": "CONVERT(nvarchar(max), [c]]])",
    "json": "CONVERT(nvarchar(max), [c]]])",
    "image": "CONVERT(varbinary(max), [c]]])",
    "timestamp": "CONVERT(varbinary(8), [c]]])",
    "uniqueidentifier": "CONVERT(nvarchar(36), [c]]])",
    "hierarchyid": "[c]]].ToString()",
    "some clr type": "CONVERT(nvarchar(max), [c]]])",
}


@pytest.mark.parametrize(("base", "sql"), SENT.items())
def test_what_the_driver_would_damage_is_sent_as_text(base: str, sql: str) -> None:
    assert sent_as(column(base)) == sql


@pytest.mark.parametrize("base", RULES)
def test_every_type_is_sent_shown_and_compared(base: str) -> None:
    known = {"c]": column(base, precision=10, scale=2)}
    mapping = SQLServer().propose(list(known.values()), {}, "UTC")[0]
    assert mapping.reason and "[c]]]" in sent_as(known["c]"]) and "[c]]]" in shown(known["c]"])
    request = ReadRequest("dbo", "t", (mapping,), Window("c]"), ("c]",), row_limit=3)
    assert "FETCH NEXT 3 ROWS ONLY" in select_rows(request, known)
    assert select_count(request, known).startswith("SELECT COUNT_BIG(*) FROM (SELECT 1 AS one FROM [dbo].[t] WHERE")


def test_a_type_that_is_not_known_is_text_of_low_confidence() -> None:
    mapping = SQLServer().propose([column("brand_new")], {}, "UTC")[0]
    assert (mapping.warehouse_type, mapping.confidence) == (WarehouseType.STRING, RULES[OTHER_TYPE].confidence)
    assert kind_of(column("brand_new")) is kind_of(column(OTHER_TYPE))


@pytest.mark.parametrize(
    ("base", "text", "sql"),
    [
        ("int", "42", "42"),
        ("decimal", "-0.10", "-0.10"),
        ("float", "1e300", "CAST('1e300' AS float)"),
        ("date", "2024-01-04", "CAST('2024-01-04' AS date)"),
        ("datetime2", "2024-01-04 00:00:00.1234567", "CAST('2024-01-04T00:00:00.1234567' AS datetime2(7))"),
        ("datetime2", "2024-07-04 00:00:00+00:00", "CAST('2024-07-04T02:00:00' AS datetime2(7))"),
        ("datetime", "2024-01-04 00:00:00.003", "CAST(CAST('2024-01-04T00:00:00.003' AS datetime2(7)) AS datetime)"),
        ("datetimeoffset", "2024-01-04 01:02:03.5+05:30", "CAST('2024-01-04T01:02:03.5+05:30' AS datetimeoffset(7))"),
        ("datetimeoffset", "2024-01-04", "CAST('2024-01-04T00:00:00+00:00' AS datetimeoffset(7))"),
        ("time", "10:11:12.1", "CAST('10:11:12.1' AS time(7))"),
        ("nvarchar", "O'Brien\\", "N'O''Brien\\'"),
        ("varbinary", "0x00ff", "0x00ff"),
    ],
)
def test_the_text_of_a_cursor_becomes_a_literal_of_its_type(base: str, text: str, sql: str) -> None:
    assert literal(text, column(base), "Europe/Berlin") == sql


@pytest.mark.parametrize("base", ["int", "float", "date", "datetime2", "datetimeoffset", "time", "varbinary", "money"])
def test_a_text_that_is_no_value_is_refused(base: str) -> None:
    for text in ("1; DROP TABLE x", "'", "", "2024-01-01'; --", "0x1'"):
        if text or base != "varbinary":
            with pytest.raises(errors.BadInput):
                literal(text, column(base), "UTC")


def cast(base: str, text: str, wanted: WarehouseType) -> Any:
    """The one value a text of the server becomes, or the rejected row."""
    mapping = ColumnMapping("c]", base, wanted, Mode.NULLABLE)
    values = natural(pa.array([text], pa.large_string()), column(base), wanted)
    batch = cast_batch(pa.RecordBatch.from_arrays([values], ["c]"]), [mapping], "UTC")
    return batch.rows.column(0)[0].as_py() if batch.rows.num_rows else batch.rejected[0]


def test_times_are_exact_to_the_microsecond_and_refused_beyond() -> None:
    read = cast("datetime2", "9999-12-31 23:59:59.9999990", WarehouseType.DATETIME)
    assert read == datetime(9999, 12, 31, 23, 59, 59, 999999)  # noqa: DTZ001 - without a zone
    refused = cast("datetime2", "9999-12-31 23:59:59.9999999", WarehouseType.DATETIME)
    assert refused.row == {"c]": "9999-12-31 23:59:59.9999999"}
    moment = cast("datetimeoffset", "2024-01-01 00:00:00.0000010 +05:30", WarehouseType.TIMESTAMP)
    assert moment == datetime(2023, 12, 31, 18, 30, 0, 1, tzinfo=UTC)
    assert cast("datetimeoffset", "2024-01-01 00:00:00 -14:00", WarehouseType.TIMESTAMP).hour == 14
    assert cast("time", "23:59:59.9999990", WarehouseType.TIME) == "23:59:59.999999"
    assert cast("time", "23:59:59.9999999", WarehouseType.TIME).column == "c]"
    assert cast("datetimeoffset", "2024-01-01 00:00:00.0000001 +05:30", WarehouseType.STRING).endswith("1 +05:30")


def test_the_driver_makes_room_for_no_more_than_a_batch() -> None:
    wide = [column("nvarchar", precision=4000)] * 10
    request = ReadRequest("dbo", "t", ())
    assert rows_of(request, wide) * 10 * 4000 * 4 <= request.batch_bytes
    assert rows_of(request, [column("int")]) == 65_536


class DriverError(Exception):
    """As the driver raises it."""

    def __init__(self, driver_error: str, ddbc_error: str) -> None:
        super().__init__(f"Driver Error: {driver_error}; DDBC Error: {ddbc_error}")
        self.driver_error, self.ddbc_error = driver_error, ddbc_error


PARAMETERS = SQLServerParameters(
    host="db.example.com",
    database="shop",
    username="reader",
    password="canary;}",  # type: ignore[arg-type]
)
FRAME = "[Microsoft][ODBC Driver 18 for SQL Server]"


@pytest.mark.parametrize(
    ("kind", "words", "expected"),
    [
        ("Invalid authorization specification", "[SQL Server]Anmeldefehler.", errors.AuthenticationRefused),
        ("Syntax error", '[SQL Server]Cannot open database "shop" requested by the login.', errors.DatabaseMissing),
        ("Client unable to establish connection", "SSL Provider: certificate verify failed", errors.SourceRefused),
        ("Timeout expired", "Login timeout expired", errors.ConnectionRefused),
        ("Client unable to establish connection", "TCP Provider: Error code 0x2749", errors.ConnectionRefused),
        ("General error", "odd canary;}", errors.SourceRefused),
    ],
)
def test_a_refused_connection_says_why(kind: str, words: str, expected: type[errors.EngineError]) -> None:
    refusal = connect_error(DriverError(kind, FRAME + words), PARAMETERS)
    assert type(refusal) is expected
    assert refusal.advice and "canary" not in str(refusal) and "ODBC" not in str(refusal)


@pytest.mark.parametrize(
    ("kind", "words", "expected"),
    [
        ("Base table or view not found", "Invalid object name 'x'.", errors.TableMissing),
        ("Column not found", "Invalid column name 'x'.", errors.ColumnMissing),
        ("Syntax error or access violation", "The SELECT permission was denied on 'x'", errors.PermissionMissing),
        ("Communication link failure", "TCP Provider: broken", errors.ConnectionLost),
        ("General error", "Protocol error in TDS stream", errors.ConnectionLost),
        ("General error", "Connection may have been terminated by the server.", errors.ConnectionLost),
        ("General error", "SMux Provider: Physical connection is not usable [xFFFFFFFF].", errors.ConnectionLost),
        ("Timeout expired", "Query timeout expired", errors.SourceTimeout),
        ("Syntax error", "Lock request time out period exceeded.", errors.SourceTimeout),
        ("Serialization failure", "chosen as the deadlock victim. Rerun the transaction.", errors.SourceRefused),
        ("Syntax error", "anything else", errors.SourceRefused),
    ],
)
def test_a_failed_statement_says_why(kind: str, words: str, expected: type[errors.EngineError]) -> None:
    refusal = statement_error(DriverError(kind, FRAME + words), "db.example.com", "dbo.x", "canary")
    assert type(refusal) is expected
    assert refusal.advice
    assert refusal.transient == (expected in (errors.ConnectionLost, errors.SourceTimeout) or "victim" in words)


def keywords(text: str) -> list[str]:
    """The names of a connection string's settings, once doubled braces, which are part of a value, are gone."""
    return [part.split("={")[0] for part in text.replace("}}", "").split("};")]


@pytest.mark.parametrize("field", ["database", "username", "password"])
def test_nothing_typed_becomes_another_keyword(field: str) -> None:
    plain = connection_string(PARAMETERS, 1433)
    typed = SQLServerParameters(**{**PARAMETERS.model_dump(), field: "x};Server={evil"})
    assert keywords(connection_string(typed, 1433)) == keywords(plain)
    assert "Server={tcp:127.0.0.1,1433}" in plain and "HostnameInCertificate={db.example.com}" in plain
    assert "TrustServerCertificate={no}" in plain and "Encrypt={yes}" in plain
