"""docs/cli.md says what the commands say."""

from __future__ import annotations

from pathlib import Path

import click

from b2b_recs.cli.main import COMMANDS, cli
from b2b_recs.cli.reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_page_is_the_commands_help() -> None:
    assert PAGE.read_text("utf-8") == reference(), "python -m b2b_recs.cli.reference > docs/cli.md"


def test_every_command_and_every_option_appears_with_words() -> None:
    page = PAGE.read_text("utf-8")
    top = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(top, name)
        assert command is not None and command.help, name
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        group = command.commands.values() if isinstance(command, click.Group) else ()
        inner = [each for each in group if not each.hidden]
        for each in [command, *inner]:
            text = section if each is command else page.split(f"\n## {name} {each.name}\n")[1].split("\n## ")[0]
            for parameter in each.params:
                if isinstance(parameter, click.Option):
                    assert parameter.help, f"{name}: {parameter.name} has no words"
                    assert all(flag in text for flag in (*parameter.opts, *parameter.secondary_opts)), parameter.name
