"""How a meme came to be, for its owner."""

from __future__ import annotations

import re

from publisher.blinding import blinded
from publisher.ledger.models import Channel, Item, Meme, Post, Slot, Snapshot, Source
from publisher.local_time import local_time, moment
from publisher.settings import Settings
from publisher.wording import say, word

LINK = re.compile(r"(?:(?:https?://)?t\.me/|@)?([A-Za-z]\w{3,31})/(\d+)")
NAMES = {
    "ru": {
        "post": "Пост",
        "arm": "сторона",
        "origin": "откуда",
        "topic": "Тема",
        "from": "Откуда",
        "template": "Шаблон",
        "texts": "Подпись",
        "method": "Способ",
        "model": "Модель",
        "seed": "зерно",
        "score": "Оценка",
        "prompt": "Запрос к модели",
        "reactions": "Реакции",
        "file": "Картинка",
        "registered": "жребий пары",
    },
    "en": {
        "post": "Post",
        "arm": "arm",
        "origin": "origin",
        "topic": "Topic",
        "from": "From",
        "template": "Template",
        "texts": "Caption",
        "method": "Method",
        "model": "Model",
        "seed": "seed",
        "score": "Score",
        "prompt": "Prompt",
        "reactions": "Reactions",
        "file": "Picture",
        "registered": "the pair's coin",
    },
}


def find_post(text: str) -> Post | None:
    """By its number, or by channel and message: `12`, `@channel/345`, `https://t.me/channel/345`."""
    text = text.strip()
    if re.fullmatch(r"#?\d{1,12}", text):
        return Post.get_or_none(Post.id == int(text.lstrip("#")))
    match = LINK.fullmatch(text)
    if not match:
        return None
    return (
        Post.select(Post, Channel)
        .join(Channel)
        .where((Channel.handle == match[1].lower()) & (Post.message_id == int(match[2])))
        .first()
    )


def why_text(post: Post, language: str, settings: Settings) -> str:
    """Everything the ledger knows about it, most wanted first; while it waits for approval,
    nothing that tells its arm.
    """
    t = NAMES[language]
    slot: Slot = post.slot
    lines = [
        f"{t['post']} #{post.id}, @{post.channel.handle}, {word('state', post.state, language)}",
        moment(slot.at, settings.zone, language),
    ]
    if blinded(settings, slot):
        lines += [f"{t[name]}: —" for name in ("arm", "registered", "origin")]
        return "\n".join([*lines, say("console_blinded", language)])
    arm = f"{t['arm']}: {word('arm', slot.arm or '—', language)}"
    if slot.block and slot.block.coin:
        coin = word("arm", slot.block.coin, language)
        arm += f"; {t['registered']}: {coin} ({slot.block.pair_id})"
    meme: Meme = post.meme
    origin = word("origin", meme.origin, language)
    lines += [arm, f"{t['origin']}: {origin}, {local_time(meme.created_at, settings.zone)}"]
    return "\n".join([*lines, *_making(meme, t, language), *_reactions(post, t), *_prompt(meme, t)])


def _making(meme: Meme, t: dict[str, str], language: str) -> list[str]:
    lines = _topic(meme, t)
    if meme.texts:
        lines.append(f"{t['texts']}: " + " / ".join(map(str, meme.texts)))
    if meme.template:
        lines.append(f"{t['template']}: {meme.template}")
    method = word("method", meme.method, language)
    lines.append(f"{t['method']}: {method} {meme.provenance}".rstrip())
    if meme.model:
        lines.append(f"{t['model']}: {meme.model}, {t['seed']} {meme.seed}")
    parts = [
        f"{word('reason', name, language)} {value:.3g}"
        for name, value in meme.reasons.items()
        if isinstance(value, int | float)
    ]
    if parts:
        lines.append(f"{t['score']}: {meme.score:.3f} ({', '.join(parts)})")
    return lines


def _topic(meme: Meme, t: dict[str, str]) -> list[str]:
    if not meme.topic_id or meme.topic is None:
        return []
    lines = [f"{t['topic']}: {meme.topic.title} ({meme.topic.score:.2f})"]
    items = (
        Item.select(Item, Source)
        .join(Source)
        .where(Item.topic == meme.topic)
        .order_by(Item.published_at)
        .limit(5)
    )
    lines += [f"{t['from']}: {item.source.key}: {item.title} {item.url}".rstrip() for item in items]
    return lines


def _reactions(post: Post, t: dict[str, str]) -> list[str]:
    taken = Snapshot.select().where(Snapshot.post == post).order_by(Snapshot.age_hours)
    numbers = [f"{s.age_hours} h: 👁 {s.views} 👍 {s.likes} 👎 {s.dislikes}" for s in taken]
    return [f"{t['reactions']}: " + "; ".join(numbers)] if numbers else []


def _prompt(meme: Meme, t: dict[str, str]) -> list[str]:
    return [f"{t['prompt']}:\n{meme.prompt[:1500]}"] if meme.prompt else []
