"""Numbers of things are said in one place, so that nobody reads "1 rows"."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import b2b_recs
from b2b_recs.engine.counting import counted, listed
from b2b_recs.engine.value_words import words_for

ROOT = Path(b2b_recs.__file__).parent
# Where numbers of things are said to people, and what is counted there. Sources tell of limits, which are many.
TOLD = ("engine/etl", "engine/datasets", "web/training", "web/runs", "web/projects", "cli")
COUNTED = re.compile(
    r" (rows|files|jobs|tables|customers|products|days|keys|lists|connections|attempts|versions)\b(?![/'])"
)
# Numbers that are never one: a bound, a part of several, a number of days that was asked whether it is one.
NEVER_ONE = {"the last "}


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1234, "1,234 rows"), (-1, "-1 rows")]
)
def test_one_is_singular_and_everything_else_plural(number: int, words: str) -> None:
    assert counted(number, "row") == words


def test_another_plural_and_a_verb_are_given() -> None:
    assert [counted(number, "person was", "people were") for number in (1, 2)] == ["1 person was", "2 people were"]


def test_names_that_are_left_out_are_counted() -> None:
    assert listed(["a", "b"]) == listed(["a", "b"], 2) == "a, b"
    assert listed(["a", "b"], 1003) == "a, b and 1,001 more"


@pytest.mark.parametrize(("least", "words"), [(1, "Give at least 1 character."), (8, "Give at least 8 characters.")])
def test_bounds_of_texts_are_counted(least: int, words: str) -> None:
    assert words_for({"type": "string_too_short", "ctx": {"min_length": least}})[1] == words


def plurals_of(source: str) -> Iterator[str]:
    """Texts with a number put before a plural by hand."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            yield from _plurals_in(node)


def _plurals_in(text: ast.JoinedStr) -> Iterator[str]:
    for before, value, after in zip([None, *text.values], text.values, text.values[1:], strict=False):
        if not isinstance(value, ast.FormattedValue) or not isinstance(after, ast.Constant):
            continue
        said = str(before.value) if isinstance(before, ast.Constant) else ""
        if COUNTED.match(str(after.value)) and not said.endswith(tuple(NEVER_ONE)):
            yield ast.unparse(value) + str(after.value)


def test_a_plural_by_hand_would_be_found() -> None:
    assert list(plurals_of('f"{n:,} rows read"')) and list(plurals_of('f"{len(x)} jobs"'))
    assert not list(plurals_of("f'{counted(n, \"row\")} read'")) and not list(plurals_of('f"the last {n} days"'))


@pytest.mark.parametrize("folder", TOLD)
def test_no_text_puts_a_number_before_a_plural_by_hand(folder: str) -> None:
    found = {
        str(path.relative_to(ROOT)): texts
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (texts := list(plurals_of(path.read_text("utf-8"))))
    }
    assert found == {}
