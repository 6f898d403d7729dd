"""Step 4: the warehouse table: its name, what each column becomes, how it is arranged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

from django.http import QueryDict

from b2b_recs.engine.errors import BadInput, EngineError
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.several import Collected
from b2b_recs.web.etl.facts import USUAL_REJECTS, differs, percent_of
from b2b_recs.web.etl.misfits import misfit
from b2b_recs.web.etl.proposals import HELD, ProposedColumn, TableProposal
from b2b_recs.web.etl.wizard.hopeless import refuse_hopeless
from b2b_recs.web.etl.wizard.shown import EMPTY, refuse_unseen, shown_list, shown_names
from b2b_recs.web.etl.wizard.type_words import MODES, TYPE_GROUPS
from b2b_recs.web.etl.wizard.written import OFFERED, code_of, example_of, refuse_unknown

MOST_CLUSTERED = 4
MOST_DIGITS = 76
DECIMALS = (WarehouseType.NUMERIC.value, WarehouseType.BIGNUMERIC.value)
TEXTS = ("char", "text", "string", "clob")
TIMES = ("DATE", "DATETIME", "TIMESTAMP")
# What text may become when it is written in a way of its own.
FORMATTED = (*TIMES, "INT64", "FLOAT64", *DECIMALS)


@dataclass(frozen=True)
class TypeRow:
    """A column of the warehouse table as the schema editor shows it; fields are numbered by ``at``."""

    at: int
    name: str
    source_type: str
    key: bool
    time: bool
    samples: str
    called: str  # in the warehouse; empty: as in the source
    name_reason: str
    warehouse_type: str
    mode: str
    precision: str
    scale: str
    format: str
    confidence: str
    reason: str
    warning: str
    edited: bool
    misfit: str = ""  # how many sampled values the type chosen by hand would reject
    fault: EngineError | None = None

    @property
    def name_at_fault(self) -> bool:
        """Whether a fault is about the name that was typed, not about the type."""
        return self.fault is not None and self.fault.field == "names" and bool(self.called)

    @property
    def look(self) -> tuple[str, str]:
        """How sure the type is, as colour and word; that text stays text is no doubt."""
        if self.is_text and self.warehouse_type == WarehouseType.STRING.value and self.confidence == "low":
            return "none", "No doubt"
        return self.confidence, self.confidence.capitalize()

    @property
    def is_text(self) -> bool:
        """Whether the source holds text, which may be dates or numbers written in some way."""
        return bool(self.format) or _holds_text(self.source_type)


@dataclass(frozen=True)
class SchemaForm:
    """Everything step 4 shows."""

    destination: str
    rows: list[TypeRow]
    partition_by: str
    partitions: list[str]
    cluster_by: list[str]
    total: int
    rejects: str

    types = TYPE_GROUPS
    modes = MODES
    formats = OFFERED

    @property
    def shown(self) -> str:
        """The columns of the page, which it sends along."""
        return shown_list([row.name for row in self.rows])

    def with_faults(self, faults: Mapping[str, EngineError]) -> SchemaForm:
        """The form that tells these faults, by column, below their rows."""
        return replace(self, rows=[replace(row, fault=faults.get(row.name)) for row in self.rows])

    @property
    def misfits(self) -> dict[str, str]:
        """What is told of types chosen by hand that sampled values do not fit, by column."""
        return {row.name: row.misfit for row in self.rows if row.misfit}

    @property
    def arranged(self) -> str:
        """How rows are arranged, in words."""
        by = ", ".join(self.cluster_by)
        parts = [f"by day of {self.partition_by}" if self.partition_by else "", f"by {by}" if by else ""]
        return ", then ".join(filter(None, parts)) or "as they come"

    @property
    def clusters(self) -> list[str]:
        """Columns that rows may be arranged by."""
        return [row.name for row in self.rows if row.warehouse_type not in ("JSON", "FLOAT64", "GEOGRAPHY", "BYTES")]

    @property
    def cluster_places(self) -> list[tuple[str, bool]]:
        """The chosen columns, filled up to four places, each with whether it is the one chosen a second time."""
        places = [*self.cluster_by, *[""] * (MOST_CLUSTERED - len(self.cluster_by))]
        return [(name, bool(name) and at == self.cluster_twice) for at, name in enumerate(places)]

    @property
    def cluster_twice(self) -> int | None:
        """The first place whose column is chosen before it already."""
        by = self.cluster_by
        return next((at for at, name in enumerate(by) if name in by[:at]), None)


def schema_form(values: Mapping[str, Any], proposal: TableProposal) -> SchemaForm:
    """The form as the settings have it; what nobody changed shows the proposal."""
    own = {one["name"]: one for one in values.get("types") or ()}
    names = values.get("names") or {}
    columns = _copied(values, proposal)
    rows = [
        _row(at, one, own.get(one.name), one.name in proposal.time_columns, str(names.get(one.name, "")))
        for at, one in enumerate(columns)
    ]
    return SchemaForm(
        destination=str(values.get("destination_table") or proposal.destination_table),
        rows=rows,
        partition_by=str(values.get("partition_by") or ""),
        partitions=[row.name for row in rows if row.warehouse_type in TIMES],
        cluster_by=list(values.get("cluster_by") or ()),
        total=len(proposal.columns),
        rejects=percent_of(values.get("reject_threshold", USUAL_REJECTS)),
    )


def schema_changes(typed: QueryDict, values: Mapping[str, Any], proposal: TableProposal) -> dict[str, Any]:
    """The settings somebody typed in step 4; only types that differ from the proposal. Raises BadInput.

    A page that sends along which columns it had shown is refused when there are others by now.
    """
    found, faults = schema_typed(typed, values, proposal), Collected()
    source = {column.name: column for column in proposal.columns}
    for one in found["types"]:
        with faults.part():
            refuse_hopeless(source[one["name"]], one)
        for name in ("precision", "scale"):
            with faults.part():
                _refuse_no_digits(one[name], one["name"])
        with faults.part():
            refuse_unknown(one["format"], one["name"])
    with faults.part():
        twice = next((name for name, often in Counter(found["cluster_by"]).items() if often > 1), None)
        if twice is not None:
            told = f"The column “{twice[:100]}” is chosen twice to arrange rows by."
            raise BadInput(told, field="cluster_by", advice="Choose it once.")
    with faults.part():
        names = [column.name for column in _copied(values, proposal)]
        refuse_unseen(typed, names, "types", "Look at what it becomes, then send the page again.")
    faults.refuse()
    return found


def schema_typed(typed: QueryDict, values: Mapping[str, Any], proposal: TableProposal) -> dict[str, Any]:
    """What stands in step 4, to be shown again; what is no number of digits stays the text it is."""
    columns = _copied(values, proposal)
    places, types = _places(typed, columns), []
    for column in columns:
        at = places.get(column.name)
        if at is None:
            types += [one for one in values.get("types") or () if one["name"] == column.name]
            continue
        wanted = _typed(typed, at, column)
        if differs(wanted, column.proposed):
            types.append({"name": column.name, **wanted})
    return {
        "destination_table": typed.get("destination_table", "").strip(),
        "types": types,
        "names": {**_kept_names(values, columns), **_typed_names(typed, columns, places)},
        "partition_by": typed.get("partition_by") or None,
        "cluster_by": [name for name in typed.getlist("cluster") if name],
        **({"reject_threshold": _share(typed["rejects"])} if "rejects" in typed else {}),
    }


def _copied(values: Mapping[str, Any], proposal: TableProposal) -> list[ProposedColumn]:
    """The columns of the source that are copied."""
    chosen = set(values.get("columns") or ())
    return [one for one in proposal.columns if not chosen or one.name in chosen]


def _places(typed: QueryDict, columns: list[ProposedColumn]) -> dict[str, int]:
    """The number of each column's fields on the page that was sent, by its name; none for one it had not shown."""
    shown = shown_names(typed)
    names = [column.name for column in columns] if shown is None else shown
    return {name: at for at, name in enumerate(names)}


def _typed(typed: QueryDict, at: int, column: ProposedColumn) -> dict[str, Any]:
    """What the row of a column says; a field that is not there keeps the proposal."""
    proposed = column.proposed
    kind = typed.get(f"type-{at}", proposed.warehouse_type)
    digits = {"precision": None, "scale": None}
    if kind in DECIMALS:
        digits = {name: _digits(typed.get(f"{name}-{at}", "")) for name in digits}
    return {
        "warehouse_type": kind,
        "mode": typed.get(f"mode-{at}", proposed.mode),
        **digits,
        "format": code_of(typed.get(f"format-{at}", ""), kind) if kind in FORMATTED else "",
    }


def _kept_names(values: Mapping[str, Any], columns: list[ProposedColumn]) -> dict[str, str]:
    """The names the settings have for these columns."""
    names = values.get("names") or {}
    return {column.name: str(names[column.name]) for column in columns if column.name in names}


def _typed_names(typed: QueryDict, columns: list[ProposedColumn], places: Mapping[str, int]) -> dict[str, str]:
    """What was typed as names in the warehouse; an empty field is the proposal again."""
    found = {}
    for column in columns:
        at = places.get(column.name)
        if f"name-{at}" in typed:
            found[column.name] = typed[f"name-{at}"].strip() or column.warehouse_name or column.name
    return found


def _digits(text: str) -> int | str | None:
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    return text or None


def _refuse_no_digits(given: int | str | None, column: str) -> None:
    if isinstance(given, str) or (given is not None and given > MOST_DIGITS):
        raise BadInput(
            f"“{str(given)[:20]}” is not a number of digits for “{column[:100]}”.",
            field="types",
            advice=f"Give 0 to {MOST_DIGITS}.",
            column=column,
        )


def _holds_text(source_type: str) -> bool:
    return any(word in source_type.lower() for word in TEXTS)


def _misfit(column: ProposedColumn, held: Mapping[str, Any]) -> str:
    """What sampled values say against a type; nothing of one that cannot be."""
    try:
        wanted = ColumnMapping(
            column.name,
            column.source_type,
            WarehouseType(held["warehouse_type"]),
            Mode(held["mode"]),
            precision=held["precision"],
            scale=held["scale"],
            format=held["format"] or "",
        )
        text = _holds_text(column.source_type)
        return misfit(column.seen, wanted, text=text, empty=column.empty, refused=column.refused)
    except (ValueError, TypeError, EngineError):  # told beside the field
        return ""


def _share(text: str) -> Any:
    """Percent as a share: 5 or 5% as 0.05, empty as usual; what is no number stays text, which the settings refuse."""
    text = text.strip()
    if not text:
        return USUAL_REJECTS
    try:
        share = float(Decimal(text.removesuffix("%").strip().replace(",", ".")) / 100)
    except InvalidOperation:
        return text
    return share if isfinite(share) else text


def _row(at: int, column: ProposedColumn, own: Mapping[str, Any] | None, time: bool, called: str) -> TypeRow:
    held = {name: getattr(column.proposed, name) for name in HELD}
    held |= {name: own[name] for name in HELD if own and name in own}
    edited = own is not None and differs(own, column.proposed)
    return TypeRow(
        at=at,
        name=column.name,
        source_type=column.source_type,
        key=column.key_position is not None,
        time=time,
        samples=", ".join(EMPTY if value is None else value for value in column.samples),
        called=called or column.warehouse_name,
        name_reason=column.name_reason,
        warehouse_type=str(held["warehouse_type"]),
        mode=str(held["mode"]),
        precision="" if held["precision"] is None else str(held["precision"]),
        scale="" if held["scale"] is None else str(held["scale"]),
        format=example_of(str(held["format"] or "")),
        confidence=column.proposed.confidence,
        reason=column.proposed.reason,
        warning=column.proposed.warning,
        edited=edited,
        misfit=_misfit(column, held) if edited else "",
    )
