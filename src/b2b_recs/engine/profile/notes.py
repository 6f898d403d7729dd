"""What an analyst should know before trusting a table: plain sentences out of its profile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from b2b_recs.engine.profile.columns import Kind
from b2b_recs.engine.profile.document import ColumnProfile, KeyCheck, Sign, TableProfile
from b2b_recs.engine.profile.values import Plain

MOSTLY_EMPTY = 0.9  # share of NULLs
_NOT_BELOW_ZERO = re.compile(r"quantit|qty|price|amount|revenue|total|cost|weight|stock|discount|tax|units?$", re.I)


class Severity(StrEnum):
    """How much a note matters; the first is the worst."""

    PROBLEM = "problem"
    WARNING = "warning"
    HINT = "hint"


class QualityNote(BaseModel):
    """One thing to know: what it is of, in how many rows, what such a value looks like, and what to do."""

    model_config = ConfigDict(frozen=True)
    severity: Severity
    code: str = Field(description="A word for programs, such as key_repeated.")
    column: str = Field(description="The column; several with commas for a key.")
    words: str
    rows: int
    examples: list[Plain]
    advice: str


# sign → severity, sentence, advice
_OF_SIGNS: dict[str, tuple[Severity, str, str]] = {
    "future": (
        Severity.WARNING,
        "{rows} {have} a time that has not come yet.",
        "Right for a due date. For the time of an order, check the clock and the time zone of the source.",
    ),
    "before_1970": (
        Severity.WARNING,
        "{rows} {have} a time before 1970.",
        "Often a stand-in for “unknown”, such as 1900-01-01. Leave such rows out of a dataset by a date filter.",
    ),
    "not_finite": (
        Severity.WARNING,
        "{rows} {have} NaN or an infinity instead of a number.",
        "They count in no sum or mean. Find out in the source what divides by zero.",
    ),
    "spaces": (
        Severity.WARNING,
        "{rows} {have} text that begins or ends with a space.",
        "Joins do not find such values. Trim them in the source, or in a view the job reads.",
    ),
    "spellings": (
        Severity.WARNING,
        "{rows} {have} a value that others spell with other capitals.",
        "They count as different values. Settle on one spelling in the source.",
    ),
    "damaged": (
        Severity.WARNING,
        "{rows} {have} text with characters that could not be read.",
        "The text was damaged before it was copied: check the encoding of the file or the database.",
    ),
    "placeholder": (
        Severity.HINT,
        "{rows} {have} a word for “nothing”, or the date 0000-00-00, instead of NULL.",
        "It counts as a value of its own. Let the source write NULL, or filter it out in the dataset.",
    ),
    "empty": (
        Severity.HINT,
        "{rows} {have} an empty text instead of NULL.",
        "An empty text is a value: counts and joins treat it as one.",
    ),
    "negative": (
        Severity.HINT,
        "{rows} {have} a value below zero.",
        "Returns and corrections look like this. If they should not teach the model, filter them out in the dataset.",
    ),
}


def quality_notes(profile: TableProfile) -> list[QualityNote]:
    """Notes on a table, the worst first, then in the order of its columns; empty when nothing is to be said."""
    notes = list(_of_key(profile.key)) if profile.key else []
    if profile.rows:
        for column in profile.columns:
            notes += _of_column(column)
    order = list(Severity)
    return sorted(notes, key=lambda note: order.index(note.severity))


def _of_key(key: KeyCheck) -> Iterator[QualityNote]:
    named = ", ".join(key.columns)
    if key.repeated:
        yield QualityNote(
            severity=Severity.PROBLEM,
            code="key_repeated",
            column=named,
            words=f"{_rows(key.repeated)} {_share(key.repeated)} their key with another row.",
            rows=key.repeated,
            examples=key.example,
            advice="Rows are counted twice. Add the column that tells them apart to the key, or mend the source.",
        )
    if key.with_null:
        yield QualityNote(
            severity=Severity.PROBLEM,
            code="key_null",
            column=named,
            words=f"{_rows(key.with_null)} {_have(key.with_null)} no complete key.",
            rows=key.with_null,
            examples=[],
            advice="Such rows cannot be told apart from one another. Choose key columns that are always filled.",
        )


def _of_column(column: ColumnProfile) -> Iterator[QualityNote]:
    if column.filled == 0:
        yield _note(
            column,
            Severity.WARNING,
            "all_null",
            "Every value is NULL.",
            column.nulls,
            [],
            "Leave the column out of the job, or find out why the source does not fill it.",
        )
        return
    if column.null_share >= MOSTLY_EMPTY:
        yield _note(
            column,
            Severity.HINT,
            "mostly_null",
            f"{_percent(column.null_share)} of the rows have no value.",
            column.nulls,
            [],
            "Too few values to learn from. Fill it in the source, or do without it.",
        )
    elif column.distinct == 1 and column.filled > 1 and column.distinct_exact:
        yield _note(
            column,
            Severity.HINT,
            "constant",
            f"Every row has the same value, or none ({_percent(column.null_share)})."
            if column.nulls
            else "Every row has the same value.",
            column.filled,
            [column.top[0].value] if column.top else [],
            "It tells rows apart no more than no column would; it can be left out of the job.",
        )
    for sign in column.signs:
        if _tells(column, sign):
            yield _of_sign(column, sign)


def _tells(column: ColumnProfile, sign: Sign) -> bool:
    """Whether a sign is worth a note: below zero only where a quantity or an amount of money is meant."""
    return sign.what != "negative" or bool(_NOT_BELOW_ZERO.search(column.name))


def _of_sign(column: ColumnProfile, sign: Sign) -> QualityNote:
    severity, words, advice = _OF_SIGNS[sign.what]
    told = words.format(rows=_rows(sign.count), have=_have(sign.count))
    if column.sampled and column.kind is Kind.TEXT and sign.what == "spellings":
        told += f" Counted in {column.counted_rows:,} rows."
    return _note(column, severity, sign.what, told, sign.count, sign.examples, advice)


def _note(
    column: ColumnProfile,
    severity: Severity,
    code: str,
    words: str,
    rows: int,
    examples: list[Plain],
    advice: str,
) -> QualityNote:
    return QualityNote(
        severity=severity, code=code, column=column.name, words=words, rows=rows, examples=examples, advice=advice
    )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _share(count: int) -> str:
    return "shares" if count == 1 else "share"


def _percent(share: float) -> str:
    if share >= 0.9995:
        return "More than 99.9 %"
    return f"{100 * share:.3g} %"
