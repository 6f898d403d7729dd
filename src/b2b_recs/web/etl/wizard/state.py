"""What a wizard holds: a draft that becomes a job, or a job that is edited. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.registry import source_type
from b2b_recs.web.connections.services import opener
from b2b_recs.web.etl.drafts import save_draft
from b2b_recs.web.etl.models import DataSource, DataSourceTable
from b2b_recs.web.etl.proposals import TableProposal, propose
from b2b_recs.web.etl.showing import job_out
from b2b_recs.web.etl.sourcing import known_types
from b2b_recs.web.projects.models import ModelEndpoint

STEPS = ("Connection", "Table", "Rows and columns", "Warehouse table", "Schedule")
LAST = len(STEPS)


@dataclass
class Wizard:
    """A job on its way: ``values`` are its settings as the API takes them, ``proposal`` what the source said."""

    job: DataSource
    model: ModelEndpoint
    values: dict[str, Any]
    proposal: TableProposal | None
    seen_at: datetime | None
    done: set[int] = field(default_factory=set)
    offered: list[str] = field(default_factory=list)  # the columns there were when some of them were chosen
    called: tuple[str, int] = ("", 0)  # name and connection as they are saved
    connected: str = ""  # the name of that connection

    @property
    def is_draft(self) -> bool:
        """Whether nothing runs yet."""
        return bool(self.job.draft)

    @property
    def reachable(self) -> int:
        """The furthest step that can be shown."""
        return LAST if not self.is_draft else min(LAST, max(self.done, default=0) + 1)

    @property
    def table(self) -> str:
        """The source table in one word."""
        return ".".join(filter(None, (self.values.get("source_schema"), self.values.get("source_table"))))

    def keep(self, step: int, changes: Mapping[str, Any]) -> None:
        """Put what a step holds into the draft; the steps after it keep what they have."""
        self.values = {**self.values, **changes}
        self.done.add(step)
        following = min(step + 1, LAST)
        configuration = self.job.configuration
        save_draft(
            configuration, self.job, self.job.name, self.job.connection, following, sorted(self.done), self.values
        )

    def forget_table(self) -> None:
        """Another connection or table was chosen: what followed from the old one does not hold."""
        kept = {name: value for name, value in self.values.items() if name in ("schedule", "paused", "enabled")}
        self.values, self.proposal, self.offered = kept, None, []
        self.done = {1}

    def remember(self, proposal: TableProposal) -> None:
        """Keep what the source said of the table."""
        self.proposal, self.seen_at = proposal, datetime.now(UTC)
        self._keep_seen(proposal, self.seen_at)

    def offer(self) -> None:
        """Keep which columns there were to choose from; what the source gets later nobody has decided on."""
        if self.proposal is not None and self.seen_at is not None:
            self.offered = [one.name for one in self.proposal.columns]
            self._keep_seen(self.proposal, self.seen_at)

    def _keep_seen(self, proposal: TableProposal, at: datetime) -> None:
        seen = {"at": at.isoformat(), "proposal": proposal.model_dump(mode="json"), "offered": self.offered}
        DataSourceTable.objects.filter(data_source=self.job).update(seen=seen)

    def question(self, schema: str, table: str) -> tuple[Callable[[], Source], Callable[[Source], TableProposal]]:
        """How to open the source, and what to ask it about a table; to be asked outside the scope."""
        declared = source_type(self.job.connection.source_type)
        zone, known = self.model.time_zone, self.known(schema, table)
        return opener(self.job.connection), lambda source: propose(declared, source, schema, table, zone, known)

    def known(self, schema: str, table: str) -> dict[str, str]:
        """The columns a job that is edited names, and those its warehouse table holds, with their source types."""
        values = self.values
        if self.is_draft or (values.get("source_schema", ""), values.get("source_table", "")) != (schema, table):
            return {}
        named = [*(values.get("columns") or ()), *(one["name"] for one in values.get("types") or ())]
        renamed = values.get("names") or {}
        place = (str(values.get("destination_dataset") or "raw_data"), str(values.get("destination_table") or "none"))
        held = known_types(self.model.id, *place)
        before = {new: old for old, new in renamed.items()}
        return {**dict.fromkeys(named, ""), **{before.get(name, name): kind for name, kind in held.items()}}


def wizard_of(job: DataSource) -> Wizard:
    """The wizard of a draft or a job, loaded with its connection, table and configuration."""
    shown = job_out(job)
    table = getattr(job, "table", None)
    seen = table.seen if table is not None else {}
    proposal = _proposal(seen)
    if proposal is not None and not _same_table(proposal, shown.settings):
        proposal = None
    return Wizard(
        job=job,
        model=job.configuration.model,
        values=dict(shown.settings),
        proposal=proposal,
        seen_at=datetime.fromisoformat(seen["at"]) if proposal else None,
        done=set(shown.completed_steps) if job.draft else set(range(1, LAST + 1)),
        offered=list(seen.get("offered", ())) if proposal else [],
        called=(job.name, job.connection_id),
        connected=job.connection.name,
    )


def _proposal(seen: Mapping[str, Any]) -> TableProposal | None:
    try:
        return TableProposal.model_validate(seen["proposal"])
    except (KeyError, ValueError):  # never looked, or looked with an earlier release
        return None


def _same_table(proposal: TableProposal, values: Mapping[str, Any]) -> bool:
    table = (values.get("source_schema", ""), values.get("source_table", ""))
    return (proposal.source_schema, proposal.source_table) == table
