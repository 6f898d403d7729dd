"""Whether a step was saved by somebody else since its page was opened: what they saved is told, not overwritten."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from b2b_recs.engine.errors import BadInput
from b2b_recs.runtime.schedules import ScheduleSpec
from b2b_recs.web.etl.facts import facts_of
from b2b_recs.web.etl.wizard.state import Wizard

# What each step asks for, by the names of the settings.
_ASKED = {
    1: ("name", "connection_id"),
    3: ("source_schema", "source_table", "load", "columns", "row_limit", "drift", "gone"),
    4: ("destination_table", "types", "names", "partition_by", "cluster_by", "reject_threshold"),
    5: ("schedule",),
}


class Stale(BadInput):
    """The step was saved after its page was opened."""


def mark_of(wizard: Wizard, step: int) -> str:
    """What a page of a step sends along, to tell whether what it shows is still what is saved."""
    saved = _saved(wizard)
    held = {name: saved.get(name) for name in _ASKED.get(step, ())}
    return hashlib.sha256(json.dumps(held, sort_keys=True, default=str).encode()).hexdigest()[:16]


def refuse_stale(typed: QueryDict, wizard: Wizard, step: int, changes: Mapping[str, Any]) -> None:
    """Raise Stale when the step was saved since its page was opened and ``changes`` would overwrite that."""
    mark, saved = typed.get("mark", ""), _saved(wizard)
    if mark in ("", mark_of(wizard, step)) or all(saved.get(name) == value for name, value in changes.items()):
        return
    raise Stale(
        "This step was saved elsewhere after this page was opened, so nothing was saved now.",
        advice=f"Saved is: {_in_words(wizard, step)}. What you typed stands below: "
        "send it again to replace what is saved, or leave the page to keep it.",
    )


def _saved(wizard: Wizard) -> dict[str, Any]:
    name, connection = wizard.called
    return {**wizard.values, "name": name, "connection_id": connection}


def _in_words(wizard: Wizard, step: int) -> str:
    """What is saved of a step, for a person."""
    values = wizard.values
    if step == 1:
        return f"the name “{wizard.called[0]}”, from “{wizard.connected}”"
    if step == 3:
        return ", ".join(f"{one.name.lower()}: {one.value}" for one in facts_of(values) if one.step == step)
    if step == 4:
        types = len(values.get("types") or ())
        return f"the table {values.get('destination_table')}, {types} type{'' if types == 1 else 's'} set"
    return ScheduleSpec.parse(values.get("schedule") or {"kind": "manual"}).words
