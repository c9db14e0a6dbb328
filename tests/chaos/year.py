"""``python -m tests.chaos.year``: a simulated year of posting; what of the daemon grows.

The jobs of the send path, snapshots and housekeeping run hour by hour in this process, as the
daemon runs them, against a loopback Telegram in another; memory and files are told each month.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
from pydantic import SecretStr

from jobs.runner import run_job
from jobs.services import Services
from publisher.ledger.database import open_ledger
from publisher.ledger.migrations import migrate
from publisher.ledger.models import JobRun, Meme, Post, Snapshot
from publisher.settings import Secrets
from publisher.settings.model import PaceSettings, ServerSettings, TelegramSettings
from publisher.telegram.account import connect
from publisher.telegram.client import make_client
from publisher.workers import Workers
from tests.conftest import NOON, Clock, make_post, settings_for

PHONE, CODE = "79990001122", "12345"
HOURLY = ("reconcile", "publish", "snapshot", "cure", "alert")
WORLD = {
    "users": [{"name": "Владелец", "username": "owner_of_all", "phone": PHONE, "code": CODE}],
    "channels": [{"title": "Наш", "username": "our_channel", "creator": "owner_of_all"}],
}


def begin_server(folder: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    (folder / "world.json").write_text(json.dumps(WORLD))
    command = [sys.executable, "-m", "publisher.sandbox", "--clock", NOON.isoformat()]
    command += ["--world", str(folder / "world.json")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, json.loads(process.stdout.readline())


async def begin(folder: Path, about: dict[str, Any], clock: Clock) -> Services:
    there = ServerSettings(
        address=about["host"],
        port=about["port"],
        dc_id=about["dc_id"],
        public_key=about["public_key"],
    )
    pace = PaceSettings(send_seconds=0, resolve_seconds=0, history_seconds=0, other_seconds=0)
    settings = settings_for(folder).model_copy(
        update={"telegram": TelegramSettings(server=there, pace=pace)}
    )
    migrate(open_ledger(settings.database.url, folder), settings.state / "backups", clock())
    client = make_client(settings, "x", "user", bot=False)
    await client.connect()
    await client.send_code_request(PHONE)
    await client.sign_in(PHONE, CODE)
    await client.disconnect()
    services = Services(settings, Secrets(api_hash=SecretStr("x")), clock, Workers(), clock.sleep)
    services.user = await connect("user", settings, "x", clock, clock.sleep)
    return services


async def live(folder: Path, days: int, posts_a_day: int) -> None:
    process, about = begin_server(folder)
    clock = Clock()
    services = await begin(folder, about, clock)
    reader, writer = await asyncio.open_connection(about["host"], about["control_port"])
    began = time.monotonic()
    print("day  posts  snapshots  RSS MB  ledger MB  WAL MB  media files  job runs", flush=True)
    try:
        for day in range(days + 1):
            if day % 30 == 0 or day == days:
                print(row(services, day), flush=True)
            for number in range(posts_a_day):
                make_post(
                    services,
                    clock() + timedelta(hours=3 + number),
                    seed=day * posts_a_day + number,
                )
            for _ in range(24):
                now = clock.forward(hours=1)
                writer.write(json.dumps({"op": "advance", "now": now.isoformat()}).encode() + b"\n")
                await reader.readline()
                for name in HOURLY:
                    await run_job(services, name, now)
            for name in ("members", "housekeeping"):
                await run_job(services, name, clock())
    finally:
        await services.account.client.disconnect()
        process.terminate()
        process.wait(10)
    print(f"{time.monotonic() - began:.0f} s")


def row(services: Services, day: int) -> str:
    gc.collect()
    state = services.settings.state
    ledger = state / "memegen.db"
    wal = ledger.with_name("memegen.db-wal")
    sizes = [p.stat().st_size / 2**20 if p.exists() else 0.0 for p in (ledger, wal)]
    media = sum(1 for p in services.media.rglob("*.jpg"))
    rss = psutil.Process().memory_info().rss / 2**20
    posts = Post.select().where(Post.state == "published").count()
    assert Meme.select().count() >= posts
    return (
        f"{day:3d}  {posts:5d}  {Snapshot.select().count():9d}  {rss:6.1f}  {sizes[0]:9.2f}  "
        f"{sizes[1]:6.2f}  {media:11d}  {JobRun.select().count():8d}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.year", description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--posts", type=int, default=4, help="a day")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="year-") as folder:
        asyncio.run(live(Path(folder), options.days, options.posts))


if __name__ == "__main__":
    main()
