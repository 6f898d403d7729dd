"""The ``b2b-recs`` command: each subcommand lives in a module of its own and is imported when it is called."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from b2b_recs import __version__
from b2b_recs.engine.errors import EngineError

# command → (module, attribute, help shown in the list); the help is repeated here so that listing stays instant
COMMANDS = {
    "up": ("b2b_recs.cli.up", "up", "Start everything on this machine and keep it running."),
    "demo": ("b2b_recs.cli.demo", "demo", "Show the whole path on a real wholesaler's orders."),
    "doctor": ("b2b_recs.cli.doctor", "doctor", "Check everything and say what to mend."),
    "sources": ("b2b_recs.cli.sources", "sources", "List the types of sources and what each asks for."),
    "apply": ("b2b_recs.cli.project", "apply", "Create or update a model from a project file."),
    "export": ("b2b_recs.cli.project", "export", "Write a model back as a project file."),
    "run": ("b2b_recs.cli.run", "run", "Run jobs, dataset, training, evaluation and deployment."),
    "recommend": ("b2b_recs.cli.recommend", "recommend", "Ask the deployed model for one customer."),
    "prove": ("b2b_recs.cli.prove", "prove", "Show that answers over HTTP equal the offline evaluation."),
    "api-key": ("b2b_recs.cli.access", "api_key", "Create a key for programs; shown once."),
    "secret": ("b2b_recs.cli.secret", "secret", "Keep a secret for project files; it never comes out."),
    "sign-in-link": ("b2b_recs.cli.access", "sign_in_link", "Print a one-time link to sign in."),
    "runs-at-once": ("b2b_recs.cli.limits", "runs_at_once", "Say or set how many runs of an organization may run."),
    "migrate": ("b2b_recs.cli.database", "migrate", "Bring the control database up to date."),
    "web": ("b2b_recs.cli.web", "web", "Answer with the pages (started by up)."),
    "worker": ("b2b_recs.cli.worker", "worker", "Run queued work (started by up)."),
    "serve": ("b2b_recs.cli.serve", "serve", "Answer recommendation requests (started by up)."),
    "job": ("b2b_recs.cli.job", "job", "Carry out one run (started by the worker)."),
}


class Commands(click.Group):
    """A group that imports a subcommand only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The subcommand of that name, imported now."""
        if name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of subcommands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="b2b-recs")
def cli() -> None:
    """From a seller's own databases to live, trustworthy recommendations."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command; a refusal ends in its message and advice, never in a stack trace."""
    try:
        return cli.main(args=arguments, prog_name="b2b-recs", standalone_mode=True)
    except Exception as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
        _tell(refusal)
        sys.exit(1)


def _tell(refusal: EngineError) -> None:
    from b2b_recs.cli.context import write_refusal

    for line in filter(None, (refusal.message, refusal.advice)):
        click.echo(line, err=True)
    try:
        write_refusal(refusal)
    except EngineError as unwritable:  # the file asked for with --json
        click.echo(unwritable.message, err=True)


def _refusal(error: Exception) -> EngineError | None:
    """The error in words; None for what is a fault of the program. The control database's count as its state."""
    if isinstance(error, EngineError):
        return error
    if "django.db" not in sys.modules:
        return None
    from django.db import OperationalError, ProgrammingError

    from b2b_recs.runtime.errors import DatabaseUnreachable

    first = str(error).strip().partition("\n")[0]
    if isinstance(error, OperationalError):
        return DatabaseUnreachable(
            f"The control database does not answer: {first}.", advice="`b2b-recs doctor` checks this machine."
        )
    if isinstance(error, ProgrammingError) and "does not exist" in first:
        return DatabaseUnreachable(
            "The control database is not up to date.", advice="Bring it up to date with: b2b-recs migrate"
        )
    return None


if __name__ == "__main__":
    main()
