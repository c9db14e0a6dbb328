"""`publisher demo`: the whole loop on a simulated Telegram."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from publisher.commands.context import CONFIG, plain_errors, settings_of, tell
from publisher.demo import DemoPlan, run_demo


@click.command()
@CONFIG
@click.option("--weeks", default=4, show_default=True, type=click.IntRange(1, 26))
@click.option("--seed", default=1, show_default=True, help="The same seed, the same four weeks.")
@click.option(
    "--effect",
    default=0.0,
    show_default=True,
    type=click.FloatRange(-0.5, 0.5),
    help="The true effect: what is added to a generated meme's like share.",
)
@click.option("--fast", is_flag=True, help="A small version: one week.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-out"),
    show_default=True,
    help="Everything is written here.",
)
@plain_errors
def demo(config: Path, weeks: int, seed: int, effect: float, fast: bool, out: Path) -> None:
    """Watch a channel run itself for four simulated weeks.

    A Telegram of our own on 127.0.0.1 with partners and an audience that are simulated; the jobs,
    the triggers, the Telegram client, the model and the pictures are those of `publisher run`.
    """
    plan = DemoPlan(out=out, weeks=1 if fast else weeks, seed=seed, effect=effect, fast=fast)
    tell(asyncio.run(run_demo(settings_of(config), plan, tell)))
