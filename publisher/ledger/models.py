"""The ledger's tables, in the words of the design.

Times are aware UTC. A model's `state` changes only through `publisher.ledger.transitions`.
"""

from __future__ import annotations

from typing import Any

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    Proxy,
    TextField,
)

from publisher.ledger.fields import JsonField, UtcField

database: Any = Proxy()


class Table(Model):
    id: Any

    class Meta:
        database = database
        legacy_table_names = False


class SchemaVersion(Table):
    version = IntegerField(unique=True)
    applied_at = UtcField()


class Account(Table):
    """A Telegram identity of ours, and what it must wait for."""

    name = CharField(unique=True)
    state = CharField(default="ok")
    reason = TextField(default="")
    stopped_at = UtcField(null=True)
    wait_until = UtcField(null=True)
    wait_reason = TextField(default="")
    widened_until = UtcField(null=True)


class Pace(Table):
    """When an account may next make a call of a kind."""

    account = CharField()
    kind = CharField()
    next_at = UtcField()

    class Meta:
        indexes = ((("account", "kind"), True),)


class Peer(Table):
    """A username resolved once: resolving is what gets accounts limited."""

    account = CharField()
    handle = CharField()
    kind = CharField()
    tg_id = BigIntegerField()
    access_hash = BigIntegerField()
    title = TextField(default="")
    linked_id = BigIntegerField(null=True)
    resolved_at = UtcField()

    class Meta:
        indexes = ((("account", "handle"), True),)


class Channel(Table):
    handle = CharField(unique=True)
    title = TextField(default="")
    state = CharField(default="ok")
    reason = TextField(default="")
    paused = BooleanField(default=False)
    began_members = IntegerField(null=True)
    audited_message_id = IntegerField(default=0)


class MemberCount(Table):
    channel_id: int
    channel = ForeignKeyField(Channel, backref="member_counts")
    at = UtcField(index=True)
    members = IntegerField()


class Source(Table):
    key = CharField(unique=True, max_length=500)
    kind = CharField()
    language = CharField()
    etag = TextField(default="")
    modified = TextField(default="")
    last_message_id = IntegerField(default=0)
    fetched_at = UtcField(null=True)
    error = TextField(default="")
    errors = IntegerField(default=0)


class Topic(Table):
    title = TextField()
    language = CharField()
    score = FloatField()
    parts = JsonField(default=dict)
    ok = BooleanField()
    reason = TextField(default="")
    terms = JsonField(default=list)
    found_at = UtcField(index=True)
    used_at = UtcField(null=True)
    note = TextField(default="")


class Item(Table):
    source_id: int
    source = ForeignKeyField(Source, backref="items")
    guid = CharField(max_length=500)
    url = TextField(default="")
    title = TextField()
    lead = TextField(default="")
    language = CharField()
    published_at = UtcField(index=True)
    fetched_at = UtcField()
    views = IntegerField(null=True)
    topic_id: int | None
    topic = ForeignKeyField(Topic, null=True, backref="items")
    quarantined = TextField(default="")

    class Meta:
        indexes = ((("source", "guid"), True),)


class Meme(Table):
    origin = CharField()
    topic_id: int | None
    topic = ForeignKeyField(Topic, null=True)
    template = CharField(default="")
    texts = JsonField(default=list)
    language = CharField()
    method = CharField()
    provenance = TextField(default="")
    model = CharField(default="")
    prompt = TextField(default="")
    seed = BigIntegerField(default=0)
    file = TextField()
    sha256 = CharField()
    phash = CharField(default="")
    licence = TextField(default="")
    score = FloatField(default=0.0)
    reasons = JsonField(default=dict)
    state = CharField(default="ready", index=True)
    refusal = TextField(default="")
    wished = CharField(default="", index=True)
    created_at = UtcField(index=True)


class Experiment(Table):
    name = CharField(unique=True)
    registration = JsonField()
    version = IntegerField()
    digest = CharField()
    secret_hash = CharField()
    started_at = UtcField()
    simulated = BooleanField(default=False)


class Block(Table):
    """A pair of slots inside which arms are randomised."""

    pair_id = CharField(unique=True)
    experiment_id: int
    experiment = ForeignKeyField(Experiment, backref="blocks")
    channel_id: int
    channel = ForeignKeyField(Channel, backref="blocks")
    first_at = UtcField()
    second_at = UtcField()
    coin = CharField(null=True)
    assigned_at = UtcField(null=True)


class Slot(Table):
    channel_id: int
    channel = ForeignKeyField(Channel, backref="slots")
    at = UtcField(index=True)
    block_id: int | None
    block = ForeignKeyField(Block, null=True, backref="slots")
    arm = CharField(null=True)
    state = CharField(default="planned", index=True)
    reason = TextField(default="")

    class Meta:
        indexes = ((("channel", "at"), True),)


class Post(Table):
    slot_id: int
    slot = ForeignKeyField(Slot, unique=True, backref="posts")
    channel_id: int
    channel = ForeignKeyField(Channel, backref="posts")
    meme_id: int
    meme = ForeignKeyField(Meme, backref="posts")
    random_id = BigIntegerField(unique=True)
    caption = TextField(default="")
    state = CharField(default="planned", index=True)
    due_at = UtcField(index=True)
    expires_at = UtcField()
    next_try_at = UtcField(null=True)
    attempts = IntegerField(default=0)
    claimed_by = CharField(default="")
    claimed_at = UtcField(null=True)
    sending_at = UtcField(null=True)
    published_at = UtcField(null=True)
    message_id = IntegerField(null=True)
    error_kind = CharField(default="")
    error = TextField(default="")


class Snapshot(Table):
    post_id: int
    post = ForeignKeyField(Post, backref="snapshots")
    age_hours = IntegerField()
    taken_at = UtcField()
    late_minutes = FloatField()
    views = IntegerField()
    forwards = IntegerField()
    reactions = JsonField(default=dict)
    likes = IntegerField()
    dislikes = IntegerField()
    neutral = IntegerField()

    class Meta:
        indexes = ((("post", "age_hours"), True),)


class Partner(Table):
    handle = CharField(unique=True)
    state = CharField(default="ok")
    reason = TextField(default="")
    backoff_until = UtcField(null=True)
    begun_at = UtcField(null=True)
    inbox_message_id = IntegerField(default=0)
    inbox_read_at = UtcField(null=True)
    channel_message_id = IntegerField(default=0)
    watched_at = UtcField(null=True)


class Sighting(Table):
    """A picture in a partner's channel, and which meme of ours it is, if any."""

    partner_id: int
    partner = ForeignKeyField(Partner, backref="sightings")
    message_id = IntegerField()
    at = UtcField(index=True)
    text = TextField(default="")
    hash = CharField()
    meme_id: int | None
    meme = ForeignKeyField(Meme, null=True, backref="sightings")
    score = FloatField(default=0.0)

    class Meta:
        indexes = ((("partner", "message_id"), True),)


class Suggestion(Table):
    partner_id: int
    partner = ForeignKeyField(Partner, backref="suggestions")
    meme_id: int
    meme = ForeignKeyField(Meme, backref="suggestions")
    arm = CharField()
    members = IntegerField()
    route = CharField()
    chosen_by = CharField()
    propensity = FloatField()
    random_id = BigIntegerField(unique=True)
    caption = TextField(default="")
    state = CharField(default="planned", index=True)
    outcome = CharField(default="pending", index=True)
    outcome_reason = TextField(default="")
    outcome_at = UtcField(null=True)
    meaning = CharField(default="")
    created_at = UtcField()
    claimed_by = CharField(default="")
    claimed_at = UtcField(null=True)
    sending_at = UtcField(null=True)
    next_try_at = UtcField(null=True)
    attempts = IntegerField(default=0)
    sent_at = UtcField(null=True)
    horizon_at = UtcField(null=True)
    message_id = IntegerField(null=True)
    published_message_id = IntegerField(null=True)
    error_kind = CharField(default="")
    error = TextField(default="")


class Reply(Table):
    """What a partner said, what we took it to mean, and what we did about it."""

    partner_id: int
    partner = ForeignKeyField(Partner, backref="replies")
    suggestion_id: int | None
    suggestion = ForeignKeyField(Suggestion, null=True, backref="replies")
    message_id = IntegerField()
    edited_at = UtcField(null=True)
    at = UtcField()
    text = TextField()
    meaning = CharField()
    because = TextField()
    action = JsonField(default=dict)
    action_state = CharField(default="", index=True)
    action_at = UtcField(null=True)
    tries = IntegerField(default=0)


class Alert(Table):
    """Something the owner must know; told once while it lasts."""

    key = CharField()
    code = CharField()
    facts = JsonField(default=dict)
    raised_at = UtcField()
    tried_at = UtcField(null=True)
    told_at = UtcField(null=True)
    cured_at = UtcField(null=True, index=True)


class JobRun(Table):
    job = CharField(index=True)
    started_at = UtcField(index=True)
    finished_at = UtcField(null=True)
    ok = BooleanField(null=True)
    note = TextField(default="")


class Wish(Table):
    """A request to the public bot: what limits need and no more; expires within a day.

    `key` names the message or the press that asked, so that an update seen twice is one wish;
    `chat` is the marked id of the chat; `language` is the meme's, `speaks` the person's. The
    topic is blanked when the wish is settled.
    """

    key = CharField(unique=True)
    person = BigIntegerField(index=True)
    chat = BigIntegerField()
    access_hash = BigIntegerField(default=0)
    reply_to = IntegerField(null=True)
    topic = TextField()
    language = CharField()
    speaks = CharField()
    other_than = CharField(default="")
    state = CharField(default="waiting", index=True)
    asked_at = UtcField(index=True)
    notice_random_id = BigIntegerField(unique=True)
    notice_id = IntegerField(null=True)
    random_id = BigIntegerField(unique=True)
    meme_id: int | None
    meme = ForeignKeyField(Meme, null=True, on_delete="SET NULL")
    message_id = IntegerField(null=True)
    answered_at = UtcField(null=True)
    error = TextField(default="")


class Vote(Table):
    """One person's 👍 or 👎 on a meme of the bot; the person only as a keyed hash, for a day."""

    meme_id: int
    meme = ForeignKeyField(Meme, on_delete="CASCADE")
    voter = CharField()
    value = IntegerField()
    at = UtcField(index=True)

    class Meta:
        indexes = ((("meme", "voter"), True),)


class Ban(Table):
    """A person the bot does not answer; without an end until the owner lifts it."""

    person = BigIntegerField(unique=True)
    until = UtcField(null=True)
    at = UtcField()


class Approval(Table):
    """A post shown to the owner before its slot, and what came of it.

    `arm` is the slot's, which no decision changes; `first_meme` is what the draw gave it.
    """

    post_id: int
    post = ForeignKeyField(Post, unique=True, backref="approvals")
    arm = CharField()
    first_meme = IntegerField()
    deadline_at = UtcField(index=True)
    default = CharField()
    state = CharField(default="waiting", index=True)
    replaced = IntegerField(default=0)
    asked_at = UtcField()
    told_at = UtcField(null=True)
    decided_at = UtcField(null=True)


TABLES: tuple[type[Table], ...] = (
    SchemaVersion,
    Account,
    Pace,
    Peer,
    Channel,
    MemberCount,
    Source,
    Topic,
    Item,
    Meme,
    Experiment,
    Block,
    Slot,
    Post,
    Snapshot,
    Partner,
    Sighting,
    Suggestion,
    Reply,
    Alert,
    JobRun,
    Wish,
    Vote,
    Ban,
    Approval,
)
