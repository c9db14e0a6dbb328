"""Every key of config.toml, its type and its default. The comments for people are in config.toml.

Durations say their unit in the key's name. Times of day are local to `zone`.
"""

from __future__ import annotations

import difflib
import math
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from publisher.sentences import Sentence, joined, words
from publisher.settings.triggers import parse_trigger

Language = Literal["ru", "en"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TIME_TO_LOOK = timedelta(minutes=15)  # an owner who approves posts has at least so long for each
LONGEST_ASSIGN_HOURS = 24


def known_zone(name: str) -> str:
    zones = available_timezones()
    if name not in zones:
        close = difflib.get_close_matches(name, zones, n=1)
        if close:
            hint = words("did you mean «{close}»?", close=close[0])
        else:
            hint = words("write one like Europe/Moscow")
        raise ValueError(words("unknown zone «{name}»; {hint}", name=name, hint=hint))
    return name


def clean_handle(handle: str) -> str:
    if not re.fullmatch(r"@?[A-Za-z][A-Za-z0-9_]{3,31}", handle):
        raise ValueError(
            words(
                "«{handle}» is not a Telegram username; write one like @my_channel", handle=handle
            )
        )
    return handle.removeprefix("@")


def time_of_day(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(words("«{text}» is not a time of day; write HH:MM, e.g. 09:30", text=text))
    return text


def trigger(text: str) -> str:
    parse_trigger(text, "UTC")
    return text


Zone = Annotated[str, AfterValidator(known_zone)]
Handle = Annotated[str, AfterValidator(clean_handle)]
TimeOfDay = Annotated[str, AfterValidator(time_of_day)]
Trigger = Annotated[str, AfterValidator(trigger)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ServerSettings(Section):
    address: str
    port: int = Field(443, ge=1, le=65535)
    dc_id: int = Field(2, ge=1, le=1000)
    public_key: str


class PaceSettings(Section):
    """Least seconds between two calls of a kind, for each account."""

    send_seconds: float = Field(3.0, ge=0)
    resolve_seconds: float = Field(30.0, ge=0)
    history_seconds: float = Field(1.0, ge=0)
    other_seconds: float = Field(0.2, ge=0)
    widen_factor: float = Field(2.0, ge=1)
    widen_hours: float = Field(24.0, ge=0)


class TelegramSettings(Section):
    api_id: int = Field(0, ge=0)
    phone: str = ""
    request_timeout_seconds: float = Field(60.0, gt=0, le=100)
    server: ServerSettings | None = None
    pace: PaceSettings = PaceSettings()


class OwnerSettings(Section):
    ids: tuple[int, ...] = ()


class ChannelSettings(Section):
    handle: Handle
    language: Language = "ru"
    zone: Zone = "Europe/Moscow"
    times: tuple[TimeOfDay, ...] = Field(min_length=1)
    weekdays: tuple[Weekday, ...] = WEEKDAYS
    holidays: tuple[str, ...] = ()
    expire_minutes: int = Field(90, ge=1)
    paused: bool = False
    caption: str = Field("", max_length=900)
    approve: bool = False
    approve_minutes: int = Field(15, ge=0, le=1440)
    approve_default: Literal["publish", "drop"] = "publish"

    @model_validator(mode="after")
    def distinct_times(self) -> ChannelSettings:
        if len(set(self.times)) != len(self.times):
            raise ValueError(words("times: the same time stands twice; leave it once"))
        return self


class SourceSettings(Section):
    feed: str = ""
    channel: str = ""
    language: Language = "ru"

    @model_validator(mode="after")
    def one_of_two(self) -> SourceSettings:
        if bool(self.feed) == bool(self.channel):
            raise ValueError(words('a source is either feed = "https://…" or channel = "@name"'))
        if self.feed and not re.match(r"https?://|file:/", self.feed):
            raise ValueError(
                words("«{feed}» is not an address; write https://… or file:/…", feed=self.feed)
            )
        if self.channel:
            clean_handle(self.channel)
        return self

    @property
    def key(self) -> str:
        return self.feed or self.channel.removeprefix("@")


MeaningName = Literal[
    "receipt", "accepted", "published", "rejected", "rate_limited", "blocked",
    "confirm", "greeting", "precondition", "unsupported", "unknown",
]  # fmt: skip


def regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(
            words("«{text}» is not a regular expression: {why}", text=text, why=error)
        ) from None
    return text


class ReplySettings(Section):
    """What one partner's words mean, where the rules that ship do not know them."""

    pattern: Annotated[str, AfterValidator(regular_expression)] = Field(min_length=1)
    meaning: MeaningName


class PartnerSettings(Section):
    handle: Handle
    route: Literal["bot", "chat", "suggested_post"]
    inbox: Handle | None = None
    members: int = Field(ge=1)
    language: Language = "ru"
    themes: tuple[str, ...] = ()
    daily_limit: int = Field(2, ge=1, le=20)
    gap_minutes: int = Field(120, ge=0)
    quiet_hours: tuple[TimeOfDay, TimeOfDay] = ("23:00", "09:00")
    zone: Zone = "Europe/Moscow"
    consent: str = Field(min_length=1)
    max_stars: int = Field(0, ge=0)
    caption: str = Field("", max_length=900)
    signed: bool = False
    join: bool = True
    replies: tuple[ReplySettings, ...] = ()
    note: str = ""

    @model_validator(mode="after")
    def inbox_for_bots(self) -> PartnerSettings:
        if self.route != "suggested_post" and self.inbox is None:
            taker = words("the bot") if self.route == "bot" else words("the chat")
            raise ValueError(
                words(
                    "inbox is missing: the username of {taker} that takes suggestions", taker=taker
                )
            )
        return self


class ReactionSettings(Section):
    positive: tuple[str, ...] = ("👍", "❤", "🔥", "😁", "🤣", "👏", "🎉", "💯", "🏆", "⚡")
    negative: tuple[str, ...] = ("👎", "💩", "🤮", "😡", "🥱", "🤡")


class ExperimentSettings(Section):
    name: str = Field("generated-vs-human", pattern=r"^[a-z0-9-]{3,60}$")
    hypothesis: str = ""
    planned_weeks: int = Field(8, ge=1, le=104)
    age_hours: int = Field(48, ge=1, le=168)
    margin: float = Field(0.02, gt=0, lt=1)
    assign_hours: float = Field(2.0, gt=0, le=LONGEST_ASSIGN_HOURS)
    seed: int = 20260101


class ModelSettings(Section):
    path: str = ""
    mode: Literal["auto", "free", "frames"] = "auto"
    threads: int = Field(0, ge=0, le=256)
    budget_seconds: float = Field(120.0, gt=0, le=1200)
    idle_minutes: float = Field(10.0, gt=0)


class MemeSettings(Section):
    stock: int = Field(12, ge=1, le=500)
    per_topic: int = Field(4, ge=1, le=20)
    topics_per_run: int = Field(6, ge=1, le=50)
    stale_days: float = Field(4.0, gt=0)
    templates: tuple[str, ...] = ()
    evergreen: tuple[str, ...] = ()


class TopicSettings(Section):
    embedding: str = ""
    window_hours: float = Field(48.0, gt=0)
    repeat_days: float = Field(7.0, ge=0)
    blocklist: tuple[str, ...] = ()


class InboxSettings(Section):
    folder: str = "inbox"
    chat: int = 0
    warn_days: float = Field(2.0, gt=0)


class SuggestionSettings(Section):
    horizon_days: float = Field(7.0, gt=0)
    random_share: float = Field(0.5, ge=0, le=1)


class JobSettings(Section):
    collect: Trigger = "every 1h"
    topics: Trigger = "10 * * * *"
    ingest: Trigger = "every 15m"
    generate: Trigger = "20 */6 * * *"
    plan: Trigger = "5 0 * * *"
    assign: Trigger = "every 10m"
    publish: Trigger = "every 1m"
    reconcile: Trigger = "every 5m"
    snapshot: Trigger = "every 10m"
    suggest: Trigger = "every 30m"
    replies: Trigger = "every 10m"
    watch: Trigger = "40 * * * *"
    members: Trigger = "50 23 * * *"
    report: Trigger = "30 9 * * wed"
    cure: Trigger = "every 15m"
    alert: Trigger = "every 5m"
    housekeeping: Trigger = "15 4 * * *"


class RetentionSettings(Section):
    media_days: int = Field(180, ge=14)
    items_days: int = Field(30, ge=7)
    job_runs_days: int = Field(30, ge=1)
    backups: int = Field(14, ge=1)


class DatabaseSettings(Section):
    url: str = "sqlite:///var/memegen.db"


class BotSettings(Section):
    enabled: bool = True
    queue: int = Field(200, ge=1, le=5000)
    per_person: int = Field(3, ge=1, le=50)
    per_person_minute: float = Field(2.0, gt=0)
    per_person_day: int = Field(60, ge=1)
    per_chat_minute: float = Field(10.0, gt=0)
    sends_per_second: float = Field(25.0, gt=0)
    deadline_minutes: float = Field(20.0, gt=0, le=120)
    topic_chars: int = Field(120, ge=10, le=300)
    variants: int = Field(4, ge=1, le=10)
    model: bool = True
    hurry_after: int = Field(20, ge=1)
    budget_seconds: float = Field(30.0, gt=0, le=300)


def _either(remedies: list[Sentence]) -> Sentence:
    if len(remedies) == 1:
        return remedies[0]
    return words("{one} or {other}", one=remedies[0], other=remedies[1])


class Settings(Section):
    """The whole of config.toml. `root` is the folder relative paths start from."""

    language: Language = "ru"
    zone: Zone = "Europe/Moscow"
    state_dir: str = "var"
    reports_dir: str = "reports"
    database: DatabaseSettings = DatabaseSettings()
    telegram: TelegramSettings = TelegramSettings()
    owner: OwnerSettings = OwnerSettings()
    channels: tuple[ChannelSettings, ...] = Field(min_length=1)
    sources: tuple[SourceSettings, ...] = ()
    partners: tuple[PartnerSettings, ...] = ()
    reactions: ReactionSettings = ReactionSettings()
    experiment: ExperimentSettings = ExperimentSettings()
    model: ModelSettings = ModelSettings()
    memes: MemeSettings = MemeSettings()
    topics: TopicSettings = TopicSettings()
    inbox: InboxSettings = InboxSettings()
    suggestions: SuggestionSettings = SuggestionSettings()
    jobs: JobSettings = JobSettings()
    retention: RetentionSettings = RetentionSettings()
    bot: BotSettings = BotSettings()
    root: Path = Field(Path("."), exclude=True)

    @model_validator(mode="after")
    def no_twins(self) -> Settings:
        for name, keys in (
            ("channels", [c.handle.lower() for c in self.channels]),
            ("partners", [p.handle.lower() for p in self.partners]),
            ("sources", [s.key for s in self.sources]),
        ):
            twins = sorted({key for key in keys if keys.count(key) > 1})
            if twins:
                raise ValueError(
                    words(
                        "{name}: {twins} stands twice; leave it once",
                        name=name,
                        twins=", ".join(twins),
                    )
                )
        both = set(self.reactions.positive) & set(self.reactions.negative)
        if both:
            raise ValueError(
                words(
                    "reactions: {both} is both positive and negative", both=" ".join(sorted(both))
                )
            )
        return self

    @model_validator(mode="after")
    def approvals_can_be_given(self) -> Settings:
        """Raises ValueError where posts would be decided by default before anybody saw them."""
        faults = [
            joined("", [f"channels[{number}].", fault])
            for number, channel in enumerate(self.channels)
            if channel.approve and (fault := self._unseen(channel))
        ]
        if faults:
            raise ValueError(joined("; ", faults))
        return self

    def _unseen(self, channel: ChannelSettings) -> str:
        if not self.owner.ids:
            return words(
                "approve: nobody is shown the posts; write your Telegram id into owner.ids"
            )
        if not self.bot.enabled:
            return words("approve: it is the bot that shows the posts; write bot.enabled = true")
        hours, look = self.experiment.assign_hours, TIME_TO_LOOK / timedelta(minutes=1)
        at_most = math.floor(hours * 60 - look)
        if channel.approve_minutes <= at_most:
            return ""
        enough = math.ceil((channel.approve_minutes + look) / 60 * 100) / 100
        remedies = [words("at most {most} here", most=at_most)] if at_most >= 0 else []
        if enough <= LONGEST_ASSIGN_HOURS:
            remedies.append(joined("", ["experiment.assign_hours = ", enough]))
        if not remedies:
            remedies = [words("15 here and experiment.assign_hours = 2.0, as in the shipped file")]
        return words(
            "approve_minutes: {minutes} min before the slot is too early: posts are drawn {hours} "
            "h before it (experiment.assign_hours) and need {look:.0f} min to be looked at; write "
            "{remedies}",
            minutes=channel.approve_minutes,
            hours=hours,
            look=look,
            remedies=_either(remedies),
        )

    def path(self, text: str) -> Path:
        """An absolute path for a config value, relative ones counted from config.toml's folder."""
        path = Path(text).expanduser()
        return path if path.is_absolute() else (self.root / path).resolve()

    @property
    def state(self) -> Path:
        return self.path(self.state_dir)

    @property
    def reports(self) -> Path:
        return self.path(self.reports_dir)

    def channel(self, handle: str) -> ChannelSettings | None:
        return next((c for c in self.channels if c.handle.lower() == handle.lower()), None)

    def partner(self, handle: str) -> PartnerSettings | None:
        return next((p for p in self.partners if p.handle.lower() == handle.lower()), None)

    def zone_of(self, handle: str) -> ZoneInfo:
        channel = self.channel(handle)
        return ZoneInfo(channel.zone if channel else self.zone)
