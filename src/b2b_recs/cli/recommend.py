"""``b2b-recs recommend``: asks the deployed endpoint for one customer."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from b2b_recs.cli.context import (
    json_switch,
    model_named,
    organization_named,
    organization_option,
    set_up_django,
    write_json,
)
from b2b_recs.cli.stack import SERVING, needed


@click.command()
@click.argument("model")
@click.argument("customer")
@click.option("-k", "count", type=int, default=10, show_default=True, help="How many products.")
@json_switch
@organization_option
def recommend(model: str, customer: str, count: int, json_file: str | None, organization: str | None) -> None:
    """Ask the deployed MODEL what to offer CUSTOMER."""
    with needed(SERVING):
        set_up_django("web")
        from b2b_recs.web.deployments.services import ask
        from b2b_recs.web.tenancy import scope

        owner = organization_named(organization)
        with scope(owner.id):
            answer = ask(model_named(model), customer, count)
    if json_file:
        write_json(json_file, answer)
        return
    console = Console()
    if not answer["known"]:
        console.print(f"Customer {customer} is not in the data: these are products that sell to everyone.")
    table = Table("product", "name", "score", "reason", box=None, header_style="bold")
    for row in answer["recommendations"]:
        table.add_row(row["product_id"], row.get("name") or "", f"{row['score']:.3f}", row["reason"])
    console.print(table)
