"""What differs between two states of a row, in words; never a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from b2b_recs.web.accounts.models import ApiKey, Role
from b2b_recs.web.audit.wording import condition_words, is_noise, path_words, value_words
from b2b_recs.web.operations.redaction import redacted
from b2b_recs.web.ui import formats

MOST = 8  # changes told of one entry; the rest is counted
LONGEST = 100
HIDDEN = "•••"
_SECRET = re.compile(
    r"pass(word|wd|phrase)?|secret|token|credential|private|(api|access|account)[_ ]?key", re.IGNORECASE
)


@dataclass(frozen=True)
class Change:
    """One thing that became another; ``before`` is empty for a fact that was not there before."""

    label: str
    before: str
    after: str

    def __str__(self) -> str:
        start = f"{self.label}: " if self.label else ""
        return f"{start}{self.before} → {self.after}" if self.before else f"{start}{self.after}"


def differences(labels: Mapping[str, str], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The changed fields among those with a label, documents inside them value by value."""
    found: list[Change] = []
    for field, label in labels.items():
        one, other = before.get(field), after.get(field)
        if one == other:
            continue
        if isinstance(one, dict | list) and isinstance(other, dict | list) and field != "scopes":
            found += _inside(label, _flat(one), _flat(other))
        else:
            change = Change(label, word(field, one), word(field, other))
            found += [] if change.before == change.after == "none" else [change]
    if len(found) > MOST:
        found = [*found[: MOST - 1], Change("", "", f"and {len(found) - MOST + 1} more")]
    return found


def word(field: str, value: Any) -> str:
    """A value as people say it."""
    if _SECRET.search(field):
        return HIDDEN
    if value in (None, "", [], {}):
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if field == "role" and value in Role.values:
        return str(Role(value).label).lower()
    if field == "scopes" and isinstance(value, list):
        return ", ".join(str(ApiKey.Scope(one).label).lower() for one in value if one in ApiKey.Scope.values)
    if field.endswith("status"):
        return formats.state_of(str(value))[1].lower()
    if isinstance(value, int | float):
        return f"{value:,}"
    text = redacted(" ".join(str(value).split()))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _inside(label: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Change]:
    paths = [*one, *(path for path in other if path not in one)]
    changes = [
        Change(
            f"{label}, {path_words(path)}" if label else path_words(path),
            word(path, value_words(path, one.get(path))),
            word(path, value_words(path, other.get(path))),
        )
        for path in paths
        if one.get(path) != other.get(path) and not is_noise(path, one.get(path), other.get(path))
    ]
    return [change for change in changes if not change.before == change.after == "none"]


def _flat(document: Any, path: str = "") -> dict[str, Any]:
    """The single values of a document by their path; elements of a list by their name where they have one."""
    if isinstance(document, dict):
        if (condition := condition_words(document)) is not None:
            return {path: condition}
        parts = [(str(name).replace("_", " "), value) for name, value in document.items()]
    elif isinstance(document, list) and any(isinstance(value, dict | list) for value in document):
        parts = [
            (str(value["name"]) if isinstance(value, dict) and "name" in value else str(number), value)
            for number, value in enumerate(document, 1)
        ]
    else:
        return {path: ", ".join(map(str, document)) if isinstance(document, list) else document}
    found: dict[str, Any] = {}
    for name, value in parts:
        found |= _flat(value, f"{path} {name}".strip())
    return found
