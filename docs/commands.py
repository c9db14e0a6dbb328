"""docs/commands.md from the commands' own help; `--check` says whether it is in step."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from publisher.cli import main

PAGE = Path(__file__).with_name("commands.md")


def pages(command: click.Command, path: tuple[str, ...]) -> Iterator[str]:
    context = click.Context(command, info_name=" ".join(path))
    # A fixed width, so that the page does not depend on the terminal.
    context.max_content_width = context.terminal_width = 96
    yield f"## `{' '.join(path)}`\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from pages(inner, (*path, name))


def text() -> str:
    head = "# Commands\n\nMade by `make docs` from the commands' own `--help`.\n\n"
    return head + "\n".join(pages(main, ("publisher",)))


if __name__ == "__main__":
    if "--check" in sys.argv:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text():
            sys.exit(f"{PAGE} is out of step with the commands: run make docs")
    else:
        PAGE.write_text(text(), encoding="utf-8")
