"""`publisher`: the commands."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "demo": "show:demo",
    "run": "operate:run",
    "check": "operate:check",
    "login": "operate:login",
    "status": "operate:status",
    "job": "operate:job",
    "report": "operate:report",
    "meme": "make:meme",
    "render": "make:render_command",
    "templates": "make:templates",
    "models": "make:models",
    "train": "train:train",
    "topics": "make:topics",
    "screen": "make:screen",
    "partners": "partners:partners",
    "backup": "keep:backup",
    "restore": "keep:restore",
}


class Commands(click.Group):
    """Loads a command's module when it is asked for, so that `--help` is quick."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name].split(":")
        found = getattr(importlib.import_module(f"publisher.commands.{module}"), attribute)
        assert isinstance(found, click.Command)
        return found


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="memegen")
def main() -> None:
    """Run a Telegram meme channel: watch, write, draw, post, measure, report.

    Begin with `publisher demo`: the whole loop on a simulated Telegram.
    """


if __name__ == "__main__":
    main()
