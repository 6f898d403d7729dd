"""docs/cli.md: every command with its help, written from the commands themselves.

Run: python -m b2b_recs.cli.reference > docs/cli.md
"""

from __future__ import annotations

from collections.abc import Iterator

import click

from b2b_recs.cli.main import COMMANDS, cli

WIDTH = 100
INTRODUCTION = """\
# The command line

This page is written from the commands' own help: `python -m b2b_recs.cli.reference > docs/cli.md`.

`b2b-recs COMMAND --help` shows the same. Everything an installation keeps is in one home folder: `B2B_RECS_HOME`, or
`.b2b-recs` beside the virtual environment. Commands use what `b2b-recs up` runs there; when nothing runs, they start
what they need, say so on standard error, and stop it again.

A command ends with exit code 0 only when everything asked was done, with 2 when it was typed wrongly, with 130 when
Ctrl-C ended a demo or the waiting for a run, and with 1 otherwise; what happened and what to do is then on standard
error. With `--json` the same is in the JSON as `error`: `code`, `message`, `field` and `advice`. `--json -` leaves
nothing but JSON on standard output.
"""


def reference() -> str:
    """The page as Markdown."""
    parts = [INTRODUCTION]
    for path, command in _all():
        top = click.Context(cli, info_name="b2b-recs")
        context = click.Context(command, parent=top, info_name=path, max_content_width=WIDTH, terminal_width=WIDTH)
        parts.append(f"## {path}\n\n```text\n{command.get_help(context).strip()}\n```\n")
    return "\n".join(parts)


def _all() -> Iterator[tuple[str, click.Command]]:
    """Every command and what belongs to a group of commands, by what is typed."""
    top = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(top, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for inner in command.list_commands(click.Context(command)):
                if not command.commands[inner].hidden:  # for the product itself
                    yield f"{name} {inner}", command.commands[inner]


if __name__ == "__main__":
    click.echo(reference(), nl=False)
