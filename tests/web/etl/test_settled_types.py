"""A job that is saved keeps the types it was shown, and of what each was chosen."""

from __future__ import annotations

from pathlib import Path

from b2b_recs.engine.etl.spec import CopySpec, Files
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.web.etl.sourcing import settled_by


class AnyFolder:
    """A guard that lets every folder be read."""

    def __call__(self, host: str, port: int) -> str:
        return host

    def folder(self, path: str) -> Path:
        return Path(path)


def settled(folder: Path, *types: ColumnMapping, held: frozenset[str] = frozenset()) -> dict[str, tuple[str, str, str]]:
    lines = "".join(f"{at:05};{at % 28 + 1:02}.{at % 12 + 1:02}.2024;{at};x{at}\n" for at in range(300))
    (folder / "a.csv").write_text("nr;day;amount;word\n" + lines)
    csv = SOURCE_TYPES["csv"]
    spec = CopySpec(source_schema="", source_table="*.csv", destination_table="bq_a", load=Files(), types=types)
    with csv.open(csv.Parameters(location=str(folder)), AnyFolder()) as source:
        found = settled_by(csv, spec, held)(source)
    return {mapping.name: (mapping.warehouse_type, mapping.format, mapping.source_type) for mapping in found.types}


def test_columns_the_table_does_not_hold_get_the_types_their_values_proposed(tmp_path: Path) -> None:
    assert settled(tmp_path) == {
        "day": ("DATE", "%d.%m.%Y", "text"),
        "amount": ("INT64", "", "text"),
    }


def test_what_was_chosen_by_hand_stays_and_is_noted_with_what_it_was_chosen_for(tmp_path: Path) -> None:
    chosen = ColumnMapping("amount", "", WarehouseType.NUMERIC, precision=10, scale=2)
    assert settled(tmp_path, chosen)["amount"] == ("NUMERIC", "", "text")
    held = frozenset({"nr", "day", "amount", "word", "_file"})
    assert settled(tmp_path, chosen, held=held) == {"amount": ("NUMERIC", "", "text")}
    assert set(settled(tmp_path, held=held - {"day"})) == {"day"}
