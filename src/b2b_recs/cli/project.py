"""``b2b-recs apply`` and ``b2b-recs export``: configuration as code."""

from __future__ import annotations

from pathlib import Path

import click

from b2b_recs.cli.context import (
    json_option,
    model_named,
    organization_named,
    organization_option,
    set_up_django,
    write_json,
)
from b2b_recs.cli.stack import needed
from b2b_recs.engine.errors import BadInput
from b2b_recs.project_file.reading import read_project


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@json_option
@organization_option
def apply(file: Path, dry_run: bool, json_file: str | None, organization: str | None) -> None:
    """Create or update a model from a project FILE; doing it twice changes nothing."""
    project = read_project(file)
    project.connections()  # a missing variable is told before anything is started
    with needed():
        set_up_django("web")
        from b2b_recs.project_file.apply import apply_project

        owner = organization_named(organization)
        applied = apply_project(owner.id, project, dry_run=dry_run)
    if json_file != "-":
        for line in applied.changes or ["nothing to change"]:
            click.echo(f"{'would change: ' if dry_run and applied.changes else ''}{line}")
        for line in applied.kept:
            click.echo(f"note: {line}")
    write_json(
        json_file,
        {
            "model": {"id": applied.model.id, "name": applied.model.name},
            "dry_run": dry_run,
            "changes": applied.changes,
            "kept": applied.kept,
        },
    )


@click.command()
@click.argument("model")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write; standard output when not given.")
@organization_option
def export(model: str, output: Path | None, organization: str | None) -> None:
    """Write MODEL back as a project file; secrets appear by reference only."""
    with needed():
        set_up_django("web")
        from b2b_recs.project_file.export import export_project
        from b2b_recs.web.tenancy import scope

        with scope(organization_named(organization).id):
            text = export_project(model_named(model))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise BadInput(
            f"{output} cannot be written: {error.strerror}.", field="--output", advice="Name another file."
        ) from error
    click.echo(f"{output} written.")
