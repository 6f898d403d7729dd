"""What every source promises of text whose values are dates, numbers, yes or no, or JSON: it is proposed as that.

What was proposed can be read: every value exactly, or its row rejected with the reason.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from contract.suite import Suite

from b2b_recs.engine.schema.number_formats import LOSES_ZEROS
from b2b_recs.engine.schema.types import Confidence, WarehouseType
from b2b_recs.engine.sources.contract import ReadRequest, RejectedRow, Source

W = WarehouseType
SAMPLED = 1_000
# What the texts of a column look like, what they are proposed as, and what the value of a row is then.
LOOKS: dict[str, tuple[Any, WarehouseType, Any]] = {
    "due": (lambda at: f"{_day(at)}", W.DATE, lambda at: _day(at)),
    "weight": (lambda at: f"{at}.25", W.NUMERIC, lambda at: Decimal(f"{at}.25")),
    "pieces": (lambda at: f"{at}", W.INT64, lambda at: at),
    "gift": (lambda at: ("yes", "no")[at % 2], W.BOOL, lambda at: at % 2 == 0),
    "details": (lambda at: f'{{"a": {at}}}', W.JSON, lambda at: f'{{"a": {at}}}'),
    "padded": (lambda at: f"{at:05}", W.STRING, lambda at: f"{at:05}"),
    "remark": (lambda at: f"n{at}", W.STRING, lambda at: f"n{at}"),
}
ROWS = 220


def _day(at: int) -> date:
    return date(2024, 1, 1) + timedelta(days=at)


class ValuesContract(Suite):
    """Part of the contract of sources."""

    # Whether text that is JSON becomes JSON, and no text in quotation marks.
    tells_json: ClassVar[bool] = True

    def test_text_is_proposed_as_what_its_values_are_and_read_as_that(self, source: Source, lines: Any) -> None:
        written = [(at, *(text(at) for text, _, _ in LOOKS.values())) for at in range(ROWS)]
        lines.make("worded", {"id": "integer", **dict.fromkeys(LOOKS, "text")}, written)
        table = lines.named("worded")
        columns = [one for one in source.columns(lines.schema, table) if one.name in ("id", *LOOKS)]
        samples = source.samples(lines.schema, table, [one.name for one in columns], SAMPLED)
        mappings = {one.name: one for one in self.declared().propose(columns, samples, "UTC")}
        wanted = {name: kind.value for name, (_, kind, _) in LOOKS.items()}
        if not self.tells_json:
            wanted["details"] = "STRING"
        assert {name: mappings[name].warehouse_type.value for name in LOOKS} == wanted
        for name in LOOKS:
            if mappings[name].warehouse_type is not W.STRING:
                assert mappings[name].confidence is Confidence.MEDIUM
                assert f"All {ROWS} sampled values are" in mappings[name].reason
        rows, rejected = _read(source, ReadRequest(lines.schema, table, tuple(mappings.values())))
        assert rejected == []
        assert rows == {at: {name: value(at) for name, (_, _, value) in LOOKS.items()} for at in range(ROWS)}
        late = {**{name: text(ROWS) for name, (text, _, _) in LOOKS.items()}, "pieces": "0042"}
        lines.add("worded", [(ROWS, *late.values())])
        source.columns(lines.schema, table)
        rows, rejected = _read(source, ReadRequest(lines.schema, table, tuple(mappings.values())))
        assert len(rows) == ROWS and [one.column for one in rejected] == ["pieces"]
        assert rejected[0].row["pieces"] == "0042" and LOSES_ZEROS in rejected[0].reason


def _read(source: Source, request: ReadRequest) -> tuple[dict[int, dict[str, Any]], list[RejectedRow]]:
    """The rows by their ids, and what was rejected."""
    rows: dict[int, dict[str, Any]] = {}
    rejected: list[RejectedRow] = []
    for batch in source.read(request):
        rejected += batch.rejected
        for row in batch.rows.to_pylist():
            rows[int(row["id"])] = {name: row[name] for name in LOOKS}
    return rows, rejected
