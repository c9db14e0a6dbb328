"""One documented answer for each way in which time misbehaves; docs/reliability.md lists them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from telethon import errors

from jobs.plan import sync_channels
from jobs.runner import run_job
from jobs.services import Services
from publisher.daemon import CATCH_UP
from publisher.ledger.models import Account, Block, Channel, Meme, Post, Slot
from publisher.sandbox import LoopbackTelegram
from publisher.settings.model import ChannelSettings, PaceSettings
from publisher.telegram.governor import Governor, NotNow
from tests.conftest import NOON, Clock, make_post
from tests.jobs.test_experiment_jobs import stock, with_channel
from tests.telegram.test_publishing import created

MORNING = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)  # 09:00 in Moscow
DAY = timedelta(days=1)


async def live(services: Services, clock: Clock, until: datetime, minutes: float = 30) -> None:
    """The daemon's own round of jobs, again and again, until `until`."""
    while clock() < until:
        await one_round(services, clock)
        clock.forward(minutes=minutes)


async def one_round(services: Services, clock: Clock) -> None:
    for name in CATCH_UP:
        assert (await run_job(services, name, clock())).ok


def stocked(services: Services, clock: Clock, each: int = 30) -> None:
    for arm in ("human", "generated"):
        stock(services, arm, each, clock())


def arrived(server: LoopbackTelegram, handle: str = "our_channel") -> list[datetime]:
    """When each photo came to the channel, by the server's clock."""
    chat = f"channel:{server.world.by_username(handle).id}"
    return [
        datetime.fromisoformat(e.date).astimezone(UTC)
        for e in server.journal.entries
        if e.kind == "created" and e.chat == chat and e.media_sha256
    ]


@pytest.mark.parametrize(
    ("start", "end", "nights"),
    [
        (datetime(2026, 3, 27, 22, 0, tzinfo=UTC), datetime(2026, 3, 30, 21, 0, tzinfo=UTC), 1),
        (datetime(2026, 10, 23, 22, 0, tzinfo=UTC), datetime(2026, 10, 26, 21, 0, tzinfo=UTC), 2),
    ],
    ids=["spring", "autumn"],
)
async def test_a_change_of_clocks_posts_each_slot_once(
    services: Services,
    telegram: LoopbackTelegram,
    clock: Clock,
    start: datetime,
    end: datetime,
    nights: int,
) -> None:
    """02:30 in Berlin does not exist on one night and comes twice on another."""
    clock.now = start
    with_channel(services, zone="Europe/Berlin", times=("02:30", "12:00"))
    stocked(services, clock)
    await live(services, clock, end)
    zone = services.settings.zone_of("our_channel")
    local = [at.astimezone(zone) for at in arrived(telegram)]
    assert len(local) == 6
    assert [t.strftime("%d %H:%M") for t in local[1::2]] == [
        f"{28 + i if nights == 1 else 24 + i} 12:00" for i in range(3)
    ]
    changed = local[2]
    assert changed.strftime("%H:%M") == ("03:30" if nights == 1 else "02:30")
    assert changed.fold == 0
    assert {s.state for s in Slot.select().where(Slot.at < end)} == {"published"}


async def test_a_machine_asleep_for_a_day_posts_nothing_late_and_goes_on(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    clock.now = MORNING
    stocked(services, clock)
    await one_round(services, clock)  # the first pair has its coin and its memes
    asleep = clock.forward(days=1)
    await one_round(services, clock)
    past = {s.at: (s.state, s.reason) for s in Slot.select().where(Slot.at <= asleep)}
    assert len(past) == 2
    assert {state for state, _ in past.values()} <= {"expired", "missed"}
    assert all(reason for _, reason in past.values())
    assert created(telegram) == []
    await live(services, clock, asleep + timedelta(hours=13))
    assert [at.hour for at in arrived(telegram)] == [7, 15]
    ended = {s.state for s in Slot.select().where(Slot.at < clock())}
    assert ended <= {"published", "expired", "missed"}


@pytest.mark.parametrize("hours", [-26, -3, 3, 26])
async def test_a_clock_that_jumps_and_comes_back_doubles_nothing(
    services: Services, telegram: LoopbackTelegram, clock: Clock, hours: int
) -> None:
    """What is due by the wrong clock is sent or expires; then the right times hold again."""
    clock.now = MORNING
    telegram.world.clock = lambda: datetime.now(UTC)
    stocked(services, clock)
    await live(services, clock, MORNING + timedelta(hours=2))
    first = len(arrived(telegram))
    assert first == 1
    clock.forward(hours=hours)
    await live(services, clock, clock() + timedelta(minutes=40))
    clock.forward(hours=-hours)
    await live(services, clock, MORNING + 3 * DAY)
    assert len(created(telegram)) == len(set(created(telegram)))
    pictures = [e.media_sha256 for e in telegram.journal.entries if e.media_sha256]
    assert len(pictures) == len(set(pictures))
    ended = [s for s in Slot.select().where(Slot.at < clock() - timedelta(hours=2))]
    assert {s.state for s in ended} <= {"published", "expired", "missed"}
    assert sum(s.state == "published" for s in ended) >= 4
    assert Post.select().where(Post.state == "published").count() == len(created(telegram))


async def test_a_back_off_counted_by_a_wrong_clock_does_not_outlive_it(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    post = make_post(services, NOON, minutes=600)
    clock.forward(days=1)
    Post.update(expires_at=clock() + timedelta(hours=1)).execute()
    telegram.faults.error("upload.saveFilePart", "INTERNAL", times=1)
    await run_job(services, "publish", clock())
    Post.update(expires_at=post.expires_at).execute()
    assert Post.get_by_id(post.id).next_try_at > NOON + DAY
    clock.forward(days=-1)
    await run_job(services, "publish", clock.forward(minutes=1))
    assert Post.get_by_id(post.id).state == "published"


async def test_a_post_held_up_by_a_long_flood_goes_when_it_ends_and_is_not_asked_about_all_the_time(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    make_post(services, NOON, minutes=600)
    telegram.faults.flood_wait("messages.sendMedia", 4 * 3600 + 300, times=1)
    runs = [await run_job(services, "publish", clock())]
    while clock() < NOON + timedelta(hours=4, minutes=5):
        assert created(telegram) == []
        runs.append(await run_job(services, "publish", clock.forward(minutes=1)))
    assert len(created(telegram)) == 1
    assert sum(bool(run.note) for run in runs) <= 12


@pytest.mark.usefixtures("ledger")
async def test_a_flood_wait_told_to_a_wrong_clock_lasts_as_long_as_was_told(clock: Clock) -> None:
    async def flooded() -> None:
        raise errors.FloodWaitError(request=None, capture=300)

    async def fine() -> str:
        return "ok"

    pace = PaceSettings(send_seconds=0, resolve_seconds=0, history_seconds=0, other_seconds=0)
    governor = Governor("user", pace, clock, clock.sleep)
    clock.forward(days=1)
    with pytest.raises(NotNow):
        await governor.call("send", flooded)
    now = clock.forward(days=-1)
    with pytest.raises(NotNow) as told:
        await governor.call("send", fine)
    assert told.value.until == now + timedelta(seconds=300)
    clock.forward(seconds=299)
    with pytest.raises(NotNow):
        await governor.call("send", fine)
    clock.forward(seconds=1)
    assert await governor.call("send", fine) == "ok"
    assert Account.get(Account.name == "user").wait_until == now + timedelta(seconds=300)


async def test_two_channels_in_two_zones_post_by_their_own_clocks(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    clock.now = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
    owner = telegram.world.user_by_phone("79990001122")
    telegram.world.add_channel("Второй", creator=owner, username="far_channel", members=10)
    here = services.settings.channels[0].model_copy(
        update={"times": ("10:00",), "zone": "Europe/Moscow"}
    )
    far = here.model_copy(update={"handle": "far_channel", "zone": "America/New_York"})
    services.settings = services.settings.model_copy(update={"channels": (here, far)})
    stocked(services, clock)
    await live(services, clock, clock() + 2 * DAY)
    assert [at.hour for at in arrived(telegram)] == [7, 7]
    assert [at.hour for at in arrived(telegram, "far_channel")] == [15, 15]


async def test_a_moved_slot_moves_until_its_coin_is_drawn(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    """A pair with a coin is posted at the times it was drawn for; the others move."""
    clock.now = MORNING
    stocked(services, clock)
    await one_round(services, clock)
    with_channel(services, times=("11:00", "18:00"))
    await live(services, clock, MORNING + 3 * DAY)
    moscow = services.settings.zone_of("our_channel")
    local = [at.astimezone(moscow).strftime("%d %H:%M") for at in arrived(telegram)]
    assert local[0] == "02 10:00" and "03 10:00" in local
    assert "02 11:00" not in local or len(set(local)) == len(local)
    assert not Slot.select().where((Slot.state == "planned") & (Slot.at < clock())).exists()
    zone_changed = [at for at in local if at.endswith("11:00")]
    assert zone_changed


@pytest.mark.parametrize("how", ["paused", "left out"])
async def test_a_channel_paused_or_left_out_posts_nothing_and_takes_no_memes(
    services: Services, telegram: LoopbackTelegram, clock: Clock, how: str
) -> None:
    clock.now = MORNING
    stocked(services, clock)
    await one_round(services, clock)
    drawn = {s.id for s in Slot.select().where(Slot.arm.is_null(False))}
    assert len(drawn) == 2
    owner = telegram.world.user_by_phone("79990001122")
    telegram.world.add_channel("Второй", creator=owner, username="far_channel", members=10)
    other = ChannelSettings(handle="far_channel", times=("03:00",))
    ours = services.settings.channels[0].model_copy(update={"paused": True})
    kept = (ours, other) if how == "paused" else (other,)
    services.settings = services.settings.model_copy(update={"channels": kept})
    await live(services, clock, MORNING + 2 * DAY)
    assert arrived(telegram) == []
    channel = Channel.get(Channel.handle == "our_channel")
    left = list(Slot.select().where(Slot.channel == channel))
    assert {s.id for s in left} == drawn
    assert {(s.state, bool(s.reason)) for s in left} == {("expired", True)}
    assert Block.select().where((Block.channel == channel) & Block.coin.is_null()).count() == 0
    assert Meme.select().where(Meme.state == "queued").count() <= 2
    services.settings = services.settings.model_copy(
        update={"channels": (ours.model_copy(update={"paused": False}),)}
    )
    sync_channels(services)
    await live(services, clock, clock() + DAY)
    assert len(arrived(telegram)) == 2
