"""The world of the demo: an owner, two own channels, partners of every manner, two sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .audience import Crowd
from .records import Channel, User

if TYPE_CHECKING:
    from .server import LoopbackTelegram

SourceItem = tuple[timedelta, str, int]  # offset from the start, text, views in the end

CATS = (
    "Котики и код",
    "kotiki_i_kod",
    4000,
    Crowd(like_share=0.62, channel_effect=0.03, reach=0.38),
)
DEADLINE = (
    "Дедлайн сегодня",
    "dedlain_segodnya",
    1500,
    Crowd(like_share=0.62, channel_effect=-0.03, reach=0.42, react_rate=0.1),
)
# handle of the bot, its channel's title and handle, members, manner, language
BOTS = (
    ("predlozhka_memov_bot", "Мемы для своих", "memy_dlya_svoih", 12_000, "polite", "ru"),
    ("tihaya_predlozhka_bot", "Тихий юмор", "tihiy_yumor", 6_000, "silent", "ru"),
    ("ofis_predlozhka_bot", "Офисный планктон", "ofisnyi_plankton", 9_000, "confirm", "ru"),
    ("dva_v_den_bot", "Два мема в день", "dva_mema_v_den", 3_000, "limited", "ru"),
    ("strogaya_predlozhka_bot", "Строгий модератор", "strogiy_moderator", 2_500, "banning", "ru"),
    ("dev_humor_suggest_bot", "Dev Humor Daily", "dev_humor_sandbox", 15_000, "promising", "en"),
    ("memes_mark_bot", "Marked Memes", "marked_memes_sandbox", 8_000, "watermark", "en"),
)


@dataclass(frozen=True)
class Partner:
    """A partner as the owner's config would name it."""

    name: str
    route: str  # bot | chat | suggested_post
    handle: str  # whom to write to: the bot, the chat, or the channel with the native box
    channel: Channel
    members: int
    language: str
    manner: str


@dataclass
class DemoWorld:
    """Handles, ids and secrets of everybody in the demo's world."""

    owner: User
    phone: str
    code: str
    app_bot: User
    bot_token: str
    channels: list[Channel]
    partners: list[Partner]
    sources: list[Channel]
    start: datetime
    users: dict[str, User] = field(default_factory=dict)

    @property
    def first_partners(self) -> list[Partner]:
        """The three the demo begins with: one for each route."""
        routes = ("bot", "chat", "suggested_post")
        return [next(p for p in self.partners if p.route == route) for route in routes]


def build_demo_world(
    server: LoopbackTelegram,
    *,
    seed: int,
    start: datetime,
    source_items: Mapping[str, Iterable[SourceItem]] | None = None,
) -> DemoWorld:
    """Fills an empty server. `source_items` lists, by source handle, what it will publish.

    The own channels' true like shares differ by channel and hour; the effect of an arm is not
    here but in `server.audience.quality`, which the caller sets.
    """
    world = server.world
    phone, code = "+79990000001", f"{10_000 + seed * 7919 % 90_000}"
    owner = world.add_user("Хозяин канала", username="vladelets", phone=phone, code=code)
    app_bot = world.add_bot("Мемоген", username="memogen_sandbox_bot", inline=True)
    someone = world.add_user("Админ", username="chuzhoy_admin")
    channels = []
    for title, handle, members, crowd in (CATS, DEADLINE):
        channel = world.add_channel(
            title,
            creator=someone,
            username=handle,
            members=members,
            reactions=("👍", "👎", "❤", "🔥", "😁"),
            date=start - timedelta(days=1),
        )
        world.add_admin(channel, owner)
        server.audience.set_crowd(channel, crowd)
        channels.append(channel)
    partners = [_bot_partner(server, someone, start, *row) for row in BOTS]
    partners.append(_chat_partner(server, owner, someone, start))
    partners.append(_native_partner(server, someone, start))
    sources = [
        world.add_channel(
            title, creator=someone, username=handle, members=members, date=start - timedelta(days=1)
        )
        for title, handle, members in (
            ("Новости песочницы", "novosti_sandbox", 50_000),
            ("Tech Sandbox", "tech_sandbox", 30_000),
        )
    ]
    demo = DemoWorld(
        owner, phone, code, app_bot, app_bot.token or "", channels, partners, sources, start
    )
    demo.users = {"owner": owner, "admin": someone, "app_bot": app_bot}
    for handle, items in (source_items or {}).items():
        schedule_source(server, demo, handle, items)
    server.commit()
    return demo


def schedule_source(
    server: LoopbackTelegram, demo: DemoWorld, handle: str, items: Iterable[SourceItem]
) -> None:
    """Lets a source channel publish items at their offsets from the demo's start."""
    channel = next((c for c in demo.sources if c.username == handle.lstrip("@")), None)
    if channel is None:
        known = ", ".join(f"@{c.username}" for c in demo.sources)
        raise ValueError(f"no source channel {handle!r}; there are {known}")
    for offset, text, views in items:
        server.schedule(demo.start + offset, "source_post", channel.id, text, views)


def _channel(
    server: LoopbackTelegram, creator: User, start: datetime, title: str, handle: str, members: int
) -> Channel:
    return server.world.add_channel(
        title,
        creator=creator,
        username=handle,
        members=members,
        date=start - timedelta(days=1),
    )


def _bot_partner(
    server: LoopbackTelegram,
    creator: User,
    start: datetime,
    bot_handle: str,
    title: str,
    handle: str,
    members: int,
    manner: str,
    language: str,
) -> Partner:
    channel = _channel(server, creator, start, title, handle, members)
    bot = server.world.add_bot(f"Предложка «{title}»", username=bot_handle)
    server.partners.add(bot, channel, manner, language=language)
    return Partner(title, "bot", bot_handle, channel, members, language, manner)


def _chat_partner(server: LoopbackTelegram, owner: User, creator: User, start: datetime) -> Partner:
    channel = _channel(server, creator, start, "Чатик с мемами", "chatik_memy_kanal", 5_000)
    admin = server.world.add_user("Марина", username="marina_memy")
    group = server.world.add_group(
        "Чатик с мемами: обсуждение", creator=admin, username="chatik_memy", members=700
    )
    server.world.join(group, owner)
    server.partners.add(admin, channel, "chat", group=group)
    return Partner(channel.title, "chat", "chatik_memy", channel, 5_000, "ru", "chat")


def _native_partner(server: LoopbackTelegram, creator: User, start: datetime) -> Partner:
    title, handle = "Смешное рядом", "smeshnoe_ryadom"
    channel = server.world.add_channel(
        title,
        creator=creator,
        username=handle,
        members=7_000,
        monoforum=True,
        date=start - timedelta(days=1),
    )
    editor = server.world.add_user("Редактор", username="redaktor_ryadom")
    server.partners.add(editor, channel, "polite", box="by_taste")
    return Partner(title, "suggested_post", handle, channel, 7_000, "ru", "by_taste")
