"""Names of connections and jobs: anything people write, nothing that cannot be seen at their ends."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from b2b_recs.engine.errors import BadInput
from b2b_recs.project_file.values import Name
from b2b_recs.web.names import LONGEST_NAME, refuse_bad_name


@pytest.mark.parametrize(
    "name",
    [
        "orders",
        'd\'Orléans "north"',
        "\U0001f469\u200d\U0001f4bb team",
        "\u0645\u062a\u200f",
        "x" * LONGEST_NAME,
        "select; --",
        "<b>",
    ],
)
def test_what_people_write_is_a_name(name: str) -> None:
    refuse_bad_name(name, "a job")
    assert TypeAdapter(Name).validate_python(name) == name  # what a page takes, a project file takes


@pytest.mark.parametrize(
    "name", ["", "x" * (LONGEST_NAME + 1), " a", "a\n", "a\x00b", "a\u2028b", "\ud800", "\u200b", "a\u202eb", "\u2067a"]
)
def test_what_cannot_be_seen_or_is_too_long_is_none(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)
    with pytest.raises(BadInput) as refused:
        refuse_bad_name(name, "a job")
    assert refused.value.field == "name"
    assert refused.value.advice
