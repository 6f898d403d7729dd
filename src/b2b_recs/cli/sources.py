"""``b2b-recs sources``: every type of source, what it asks for and what it can do; nothing needs to run."""

from __future__ import annotations

import sys

import click
from rich.console import Console
from rich.table import Table

from b2b_recs.cli.context import json_switch, write_json
from b2b_recs.engine.sources.contract import SourceType
from b2b_recs.engine.sources.describing import described
from b2b_recs.engine.sources.registry import SOURCE_TYPES

WIDE = 120  # for a file or another program: one line for each type
CATEGORIES = ("relational", "warehouses", "nosql", "files")


@click.command()
@json_switch
def sources(json_file: str | None) -> None:
    """List every type of source that can be connected to, and whether what reads it is installed here.

    With --json also what each asks for, what it can do and what it was verified against.
    """
    types = [described(one) for one in sorted(SOURCE_TYPES.values(), key=_order)]
    if json_file is not None:
        write_json(json_file, types)
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("type", "name", "category", "installed"):
        table.add_column(heading, overflow="fold")
    for one in types:
        table.add_row(one["type"], one["name"], one["category"], "yes" if one["installed"] else "no")
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)
    for one in types:
        if not one["installed"]:
            click.echo(f"To read {one['name']}: {one['install']}")


def _order(declared: SourceType) -> tuple[int, str]:
    known = declared.category in CATEGORIES
    return (CATEGORIES.index(declared.category) if known else len(CATEGORIES), declared.name.casefold())
