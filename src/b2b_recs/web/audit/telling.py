"""How an entry of the audit is told: what was done, and the changes worth showing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from b2b_recs.engine.errors import BadInput
from b2b_recs.runtime.schedules import ScheduleSpec
from b2b_recs.web.audit.changes import Change, differences, word
from b2b_recs.web.runs.faults import fault_of

CREATED, CHANGED, REMOVED = "created", "changed", "removed"
VERBS = {CREATED: "created", CHANGED: "changed", REMOVED: "deleted"}
# what a run that came to a status did
_TURNS = {
    "pending": "put back",
    "running": "began",
    "completed": "finished",
    "partial": "finished",
    "failed": "could not finish",
    "cancelled": "cancelled",
}
TRIGGERS = {
    "schedule": "by its schedule",
    "api": "by the API",
    "command": "from the command line",
    "pipeline": "for a training",
}


@dataclass(frozen=True)
class Facts:
    """One event: what happened to a row of which kind, before and after; ``actor`` is the id of a person."""

    noun: str
    label: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    labels: Mapping[str, str]
    actor: int | None

    @property
    def changes(self) -> list[Change]:
        """The changes of labelled columns; none for what was created or removed."""
        return differences(self.labels, self.before, self.after) if self.label == CHANGED else []

    def became(self, column: str) -> bool:
        """Whether the column was given another value."""
        return self.label == CHANGED and self.before.get(column) != self.after.get(column)


@dataclass(frozen=True)
class Told:
    """The words between who did it and what it was done to, and what changed. ``alone``: nothing follows."""

    phrase: str
    changes: list[Change]
    alone: bool = False


Teller = Callable[[Facts], Told]


def usual(facts: Facts) -> Told:
    """Created, changed or deleted."""
    return Told(f"{VERBS.get(facts.label, facts.label)} the {facts.noun}", facts.changes)


def member(facts: Facts) -> Told:
    """Joining, leaving, and what others do to a membership."""
    own = facts.actor == facts.after.get("user_id")
    role = word("role", facts.after.get("role"))
    if facts.label == CREATED:
        return Told("joined" if own else "added the member", [Change("", "", role)], alone=own)
    if facts.label == REMOVED:
        return Told("left the organization" if own else "removed the member", [], alone=own)
    return Told("changed the role of", [Change("", one.before, one.after) for one in facts.changes])


def invitation(facts: Facts) -> Told:
    """An invitation's life."""
    if facts.label == CREATED:
        return Told("invited", [Change("", "", f"as {word('role', facts.after.get('role'))}")])
    if facts.became("accepted_at"):
        return Told("accepted the invitation sent to", [])
    if facts.label == CHANGED:
        return Told("made a new link for the invitation of", facts.changes)
    used = facts.after.get("accepted_at")
    return Told("deleted the used invitation of" if used else "withdrew the invitation of", [])


def api_key(facts: Facts) -> Told:
    """Making and revoking a key."""
    if facts.label == CREATED:
        return Told("made the API key", [Change("", "", f"may {word('scopes', facts.after.get('scopes'))}")])
    if facts.became("revoked_at") and facts.after.get("revoked_at"):
        return Told("revoked the API key", [])
    return usual(facts)


def organization(facts: Facts) -> Told:
    """An organization; whether it is suspended is the operator's doing."""
    if facts.became("suspended") and len(facts.changes) == 1:
        return Told(
            "suspended the organization"
            if facts.after.get("suspended")
            else "lifted the suspension of the organization",
            [],
        )
    return usual(facts)


def model(facts: Facts) -> Told:
    """A recommendation model; its times of training and deployment are notes, not changes."""
    if facts.label == CHANGED and not facts.changes:
        if facts.became("last_deployed_at"):
            return Told("noted when a version went into service for", [])
        if facts.became("last_trained_at"):
            return Told("noted when a version was trained for", [])
    if facts.became("status") and len(facts.changes) == 1:
        return Told("changed the status of the model", [Change("", one.before, one.after) for one in facts.changes])
    return usual(facts)


def connection(facts: Facts) -> Told:
    """A connection; a test is told as a test."""
    if facts.became("last_test_at") or facts.became("test_trouble_at"):
        others = {name: label for name, label in facts.labels.items() if name != "last_test_status"}
        if not differences(others, facts.before, facts.after):
            trouble = facts.became("test_trouble_at") and facts.after.get("test_trouble_at")
            ended = "could not be carried out" if trouble else word("status", facts.after.get("last_test_status"))
            return Told("tested the connection", [Change("", "", ended)])
    return usual(facts)


def secret(facts: Facts) -> Told:
    """A sealed secret: that it was stored or replaced, never what it is."""
    verb = {CREATED: "stored", CHANGED: "replaced", REMOVED: "deleted"}.get(facts.label, facts.label)
    place, _, part = str(facts.after.get("name", "")).rpartition("/")
    if place.endswith("-credentials"):
        return Told(f"{verb} the {part.replace('_', ' ')} of the connection", [])
    return Told(f"{verb} the secret", [])


def settings(facts: Facts) -> Told:
    """What belongs to something with a name of its own."""
    verb = {CREATED: "set up", CHANGED: "changed", REMOVED: "deleted"}.get(facts.label, facts.label)
    return Told(f"{verb} the {facts.noun} of", facts.changes)


def job(facts: Facts) -> Told:
    """A job, from its draft on."""
    if facts.label == CREATED and facts.after.get("draft"):
        return Told("began the job", [])
    if facts.became("draft") and not facts.after.get("draft"):
        return Told("finished setting up the job", facts.changes)
    if facts.became("enabled") and len(facts.changes) == 1:
        return Told("switched on the job" if facts.after.get("enabled") else "switched off the job", [])
    return usual(facts)


def schedule(facts: Facts) -> Told:
    """A schedule, as people say it: "daily at 02:00 → hourly at :15"."""
    now = _rhythm(facts.after)
    if facts.label == CREATED:
        return Told("scheduled", [Change("", "", now if facts.after.get("enabled") else f"{now} (paused)")])
    if facts.label == REMOVED:
        return Told("removed the schedule of", [])
    before = _rhythm(facts.before)
    if before == now and facts.became("enabled"):
        return Told("resumed the schedule of" if facts.after.get("enabled") else "paused the schedule of", [])
    return Told("changed the schedule of", [Change("", before, now)] if before != now else [])


def run(facts: Facts) -> Told:
    """A run: that it began, was asked to stop, how it ended."""
    if facts.label == CREATED:
        why = TRIGGERS.get(str(facts.after.get("triggered_by")), "")
        return Told(f"asked for a {facts.noun} of", [Change("", "", why)] if why else [])
    if facts.became("cancel_requested") and facts.after.get("cancel_requested"):
        return Told(f"stopped the {facts.noun} of", [])
    if facts.label != CHANGED:
        return Told(f"deleted the {facts.noun} of", [])
    status = str(facts.after.get("status"))
    if not facts.became("status"):
        verb = "tried again" if facts.became("attempt") else "went on with"
        return Told(f"{verb} the {facts.noun} of", [])
    fault = fault_of(str(facts.after.get("error_code") or ""))
    changes = [Change("", "", f"{fault.title[:1].lower()}{fault.title[1:]}")] if fault is not None else []
    if status == "partial":
        changes = [Change("", "", "some rows were rejected")]
    return Told(f"{_TURNS.get(status, 'went on with')} the {facts.noun} of", changes)


def numbered(facts: Facts) -> Told:
    """One version of something with a name."""
    verb = VERBS.get(facts.label, facts.label)
    return Told(f"{verb} the {facts.noun} {facts.after.get('number')} of", facts.changes)


def experiment(facts: Facts) -> Told:
    """One algorithm, tried and measured in a training."""
    verb = "measured the algorithm" if facts.label == CREATED else None
    return Told(verb or f"{VERBS.get(facts.label, facts.label)} what was measured of the algorithm", facts.changes)


def log_line(facts: Facts) -> Told:
    """A line of a log, which is only ever changed or removed by hand or when its time is over."""
    return Told(f"{VERBS.get(facts.label, facts.label)} a line in the log of run", facts.changes)


def kept_answer(facts: Facts) -> Told:
    """What a program would be told again, were it to ask the same again."""
    return Told(f"{VERBS.get(facts.label, facts.label)} the answer kept for the request", [])


def traffic(facts: Facts) -> Told:
    """One hour of answered requests."""
    return Told(f"{VERBS.get(facts.label, facts.label)} the count of requests of", facts.changes)


def deployment(facts: Facts) -> Told:
    """What answers, and what no longer does."""
    number = facts.after.get("trained_model")
    version = "a version" if number is None else f"v{number}"
    if facts.label == CREATED:
        return Told(f"{'rolled back to' if facts.after.get('restores') else 'put into service'} {version} of", [])
    if facts.became("traffic_share"):
        return Told(f"{'started' if facts.after.get('traffic_share') else 'stopped'} the serving of {version} of", [])
    return Told(f"{VERBS.get(facts.label, facts.label)} the deployment of", facts.changes)


def removal(facts: Facts) -> Told:
    """Files that go together with what they belonged to."""
    what = "the warehouse table" if facts.after.get("kind") == "table" else "the files of the model"
    if facts.label == CREATED:
        return Told(f"deleted {what}", [])
    return Told(f"{VERBS.get(facts.label, facts.label)} the removal of {what}", facts.changes)


def _rhythm(row: Mapping[str, Any]) -> str:
    rule = {"cron": row.get("cron")} if row.get("kind") == "cron" else row.get("rule") or {}
    try:
        words = ScheduleSpec.parse({"kind": row.get("kind"), "time_zone": row.get("time_zone"), **rule}).words
    except (BadInput, TypeError):
        words = str(row.get("cron") or row.get("kind"))
    return words[:1].lower() + words[1:]
