"""`publisher train ranker`: learn from the channel's own posts what its readers like."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from publisher.commands.context import CONFIG, JSON, plain_errors, print_json, tell
from publisher.embedding import embed
from publisher.ledger.models import Channel, Meme, Post, Snapshot
from publisher.memes.preference import (
    FILE,
    PreferenceError,
    Row,
    Training,
    load_preference,
    train_preference,
)
from publisher.sentences import words
from publisher.settings import Settings

PRIOR = 5.0
"""Reactions of the average kind that are added to each post: three likes of three say little."""


@click.group()
def train() -> None:
    """Learn from what was posted."""


@train.command()
@CONFIG
@JSON
@click.option("--dry-run", is_flag=True, help="Only say how good it would be; write nothing.")
@click.option("--seed", default=0, show_default=True)
@plain_errors
def ranker(config: Path, as_json: bool, dry_run: bool, seed: int) -> None:
    """Learn which captions the channel's readers like, and use it if it is better than chance.

    From every published meme with texts: its share of likes at the experiment's age, against the
    others of its channel and template. Judged by cross-validation (AUC within templates, 95 %
    interval). The model is written only if the interval's lower end is above one half and it
    judges better than the one in use.
    """
    # Telegram's client takes a second to import and the other commands do without it.
    from publisher.commands.connected import services_of

    settings = services_of(config).settings
    file = settings.state / FILE
    given = settings.topics.embedding
    path = str(settings.path(given)) if given else None
    try:
        current = load_preference(file) if file.exists() else None
    except PreferenceError as error:
        tell(words("{why}: a new one is learned", why=error), err=True)
        current = None
    training = train_preference(
        rows(settings), lambda texts: embed(texts, path), current=current, seed=seed
    )
    written = training.promoted and not dry_run and training.model is not None
    if written and training.model is not None:
        training.model.save(file)
    _tell(training, file, written, as_json)


def rows(settings: Settings) -> list[Row]:
    """One for each published meme with texts and reactions at the experiment's age, in the order of
    the posts. Its value is the share of likes, drawn towards the channel's mean, less that mean."""
    found = (
        Post.select(Post, Meme, Channel, Snapshot)
        .join(Meme)
        .switch(Post)
        .join(Channel)
        .switch(Post)
        .join(Snapshot, on=(Snapshot.post == Post.id), attr="snapshot")
        .where(
            (Post.state == "published")
            & (Snapshot.age_hours == settings.experiment.age_hours)
            & (Snapshot.likes + Snapshot.dislikes > 0)
        )
        .order_by(Post.id)
    )
    posts = [post for post in found if post.meme.template and post.meme.texts]
    taken = [getattr(post, "snapshot") for post in posts]  # noqa: B009 (joined above)
    likes = np.array([snapshot.likes for snapshot in taken], np.float64)
    reactions = likes + np.array([snapshot.dislikes for snapshot in taken], np.float64)
    channels = np.array([post.channel_id for post in posts])
    means = np.zeros(len(posts))
    for channel in np.unique(channels):
        there = channels == channel
        means[there] = likes[there].sum() / reactions[there].sum()
    values = (likes + PRIOR * means) / (reactions + PRIOR) - means
    return [
        Row(post.meme.template, tuple(post.meme.texts), float(value))
        for post, value in zip(posts, values, strict=True)
    ]


def _tell(training: Training, file: Path, written: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "rows": training.rows,
                "auc": training.auc if training.model else None,
                "interval": list(training.interval),
                "promoted": training.promoted,
                "written": str(file) if written else "",
                "reason": training.reason,
            }
        )
        return
    tell(training.reason)
    if written:
        tell(words("wrote {file}: the next memes are ranked by it", file=file))
    elif training.promoted:
        tell(words("{file} would be written", file=file))
    else:
        tell(words("nothing is written"))
