"""How a meme came to be, for its owner."""

from __future__ import annotations

import re

from publisher.ledger.models import Channel, Item, Meme, Post, Slot, Snapshot, Source

LINK = re.compile(r"(?:(?:https?://)?t\.me/|@)?([A-Za-z]\w{3,31})/(\d+)")
NAMES = {
    "ru": {
        "post": "Пост",
        "arm": "сторона",
        "origin": "происхождение",
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
        "human": "прислан хозяином",
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
        "human": "sent by the owner",
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


def why_text(post: Post, language: str) -> str:
    """Everything the ledger knows about it, most wanted first."""
    t = NAMES[language]
    meme: Meme = post.meme
    slot: Slot = post.slot
    lines = [
        f"{t['post']} {post.id}, @{post.channel.handle}, {post.state}",
        f"{slot.at:%Y-%m-%d %H:%M} UTC",
        f"{t['arm']}: {slot.arm}"
        + (f"; {t['registered']}: {slot.block.coin} ({slot.block.pair_id})" if slot.block else ""),
        f"{t['origin']}: {meme.origin}, {meme.created_at:%Y-%m-%d %H:%M} UTC",
    ]
    lines += _topic(meme, t)
    if meme.texts:
        lines.append(f"{t['texts']}: " + " / ".join(map(str, meme.texts)))
    if meme.template:
        lines.append(f"{t['template']}: {meme.template}")
    lines.append(f"{t['method']}: {meme.method} {meme.provenance}".rstrip())
    if meme.model:
        lines.append(f"{t['model']}: {meme.model}, {t['seed']} {meme.seed}")
    if meme.reasons:
        parts = ", ".join(f"{k} {_number(v)}" for k, v in meme.reasons.items())
        lines.append(f"{t['score']}: {meme.score:.3f} ({parts})")
    lines += _reactions(post, t)
    if meme.prompt:
        lines.append(f"{t['prompt']}:\n{meme.prompt[:1500]}")
    return "\n".join(lines)


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


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
