"""Step 2: the tables a connection can read, and what follows from choosing one. Call outside the scope."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.html import format_html

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.sources.contract import TableInfo
from b2b_recs.web.accounts.acting import acting
from b2b_recs.web.api.limits import LOOKS, spend
from b2b_recs.web.connections.services import opener
from b2b_recs.web.connections.testing import ask
from b2b_recs.web.etl.destination import free_destination
from b2b_recs.web.etl.models import DataSourceTable
from b2b_recs.web.etl.proposals import TableProposal
from b2b_recs.web.etl.wizard.state import Wizard
from b2b_recs.web.ui import formats
from b2b_recs.web.ui.templatetags.ui import ago

SHOWN = 200
# Stands between schema and table in what the form sends; no source allows it in a name.
BETWEEN = "\x1f"


@dataclass(frozen=True)
class TableRow:
    """A table to choose: ``value`` is what the form sends, ``jobs`` already copy it."""

    value: str
    info: TableInfo
    chosen: bool
    jobs: list[str]

    @property
    def name(self) -> str:
        """Schema and table in one word."""
        return f"{self.info.schema}.{self.info.name}" if self.info.schema else self.info.name

    @property
    def facts(self) -> list[str]:
        """What is known of it besides its name, leaving out what the source does not tell."""
        info = self.info
        facts = [] if info.kind == "table" else [info.kind]
        if info.row_estimate is not None:
            facts.append(f"about {info.row_estimate:,} rows")
        if info.size_bytes:
            facts.append(formats.data_size(info.size_bytes))
        if info.last_change:
            facts.append(format_html("changed {}", ago(info.last_change)))
        return facts


@dataclass(frozen=True)
class TableList:
    """The tables that match, at most SHOWN of them."""

    rows: list[TableRow]
    matching: int
    total: int


def table_list(request: HttpRequest, wizard: Wizard, query: str) -> TableList:
    """The tables of the wizard's connection whose name holds ``query``. Raises what the source raises."""
    spend(request, LOOKS)
    with acting(request):
        open_source = opener(wizard.job.connection)
        others = _copied(wizard)
    found = ask(open_source, lambda source: source.tables())
    wanted = [one for one in found if query.casefold() in f"{one.schema}.{one.name}".casefold()]
    chosen = (wizard.values.get("source_schema", ""), wizard.values.get("source_table", ""))
    rows = [
        TableRow(
            value=f"{one.schema}{BETWEEN}{one.name}",
            info=one,
            chosen=(one.schema, one.name) == chosen,
            jobs=others.get((one.schema, one.name), []),
        )
        for one in wanted[:SHOWN]
    ]
    return TableList(rows, len(wanted), len(found))


def choose_table(request: HttpRequest, wizard: Wizard) -> None:
    """Take the table that was chosen, look at it, and let the draft begin with what is proposed for it."""
    schema, between, table = request.POST.get("table", "").partition(BETWEEN)
    if not between or not table:
        raise BadInput("No table is chosen.", field="table", advice="Choose one in the list.")
    spend(request, LOOKS)
    with acting(request):
        open_source, question = wizard.question(schema, table)
    proposal = ask(open_source, question)
    with acting(request):
        same = (wizard.values.get("source_schema"), wizard.values.get("source_table")) == (schema, table)
        values = {} if same else first_values(proposal)
        if not same:
            wizard.forget_table()
        wanted = str(values.get("destination_table") or wizard.values.get("destination_table") or "")
        values["destination_table"] = free_destination(wizard.job.configuration, wanted, wizard.job.id)
        wizard.keep(2, values)
        wizard.remember(proposal)


def first_values(proposal: TableProposal) -> dict[str, object]:
    """What a draft begins with for a table."""
    return {
        "source_schema": proposal.source_schema,
        "source_table": proposal.source_table,
        "destination_table": proposal.destination_table,
        "load": dict(proposal.proposed.load),
        "columns": [],
        "types": [],
        "partition_by": proposal.partition_by,
        "cluster_by": [],
    }


def _copied(wizard: Wizard) -> dict[tuple[str, str], list[str]]:
    """Which tables of this connection other jobs copy already."""
    rows = DataSourceTable.objects.filter(
        data_source__connection=wizard.job.connection, data_source__draft=False
    ).exclude(data_source=wizard.job)
    found: dict[tuple[str, str], list[str]] = {}
    for spec, name in rows.values_list("spec", "data_source__name"):
        found.setdefault((spec.get("source_schema", ""), spec.get("source_table", "")), []).append(name)
    return found
