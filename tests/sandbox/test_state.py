"""The server's own survival: state on disk, and the server as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from telethon import TelegramClient, errors
from telethon.crypto import rsa
from telethon.sessions import MemorySession
from telethon.tl import functions as fn

from publisher.sandbox import LoopbackTelegram
from publisher.sandbox.world_file import WorldFileError, load_world

from .conftest import CODE, PHONE, Clock, Connect, furnish, picture
from .test_posting import post


async def test_everything_survives_a_restart(
    tmp_path: Path, clock: Clock, connect: Connect
) -> None:
    server = LoopbackTelegram(clock=clock, state_path=tmp_path, journal_path=tmp_path / "j.jsonl")
    place = furnish(server, clock)
    partner = server.world.add_bot("Предложка", username="predlozhka_test_bot")
    server.partners.add(partner, place.channel, "polite", accept_rate=1.0)
    await server.start()
    session = MemorySession()
    client = await connect(server, user=place.owner, session=session)
    peer = await client.get_input_entity("kotiki_test")
    data = picture(1, (640, 480))
    await post(client, peer, "мем", 41, data)
    box = await client.get_input_entity("predlozhka_test_bot")
    await post(client, box, "предлагаю", 42)
    await client.disconnect()
    pem = server.public_key_pem
    await server.stop()

    again = LoopbackTelegram(clock=clock, state_path=tmp_path, journal_path=tmp_path / "j.jsonl")
    assert again.public_key_pem == pem
    assert [e.text for e in again.journal.created()] == ["мем", "предлагаю"]
    await again.start()
    client = await connect(again, session=session)  # still signed in
    (message,) = await client.get_messages(peer, limit=9)
    assert message.raw_text == "мем"
    assert await client.download_media(message, bytes) == data
    with pytest.raises(ValueError, match="unsuccessful"):
        await post(client, peer, "мем", 41)  # the random_id is remembered
    clock.now += timedelta(days=1)
    await again.advance()  # so is what the partner had to do
    assert [m.text for m in again.world.messages(place.channel)] == ["мем", "предлагаю"]
    await client.disconnect()
    await again.stop()
    lines = (tmp_path / "j.jsonl").read_text().splitlines()
    assert len(lines) == len(again.journal) and json.loads(lines[0])["kind"]


class Control:
    """A client of the control port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def __call__(self, op: str, **fields: Any) -> dict[str, Any]:
        self.writer.write(json.dumps({"op": op, **fields}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(await self._reader.readline())
        return answer


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[tuple[Any, dict[str, Any], Control]]:
    """The server in a process of its own; what it said about itself; its control port."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "publisher.sandbox", *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    try:
        about = json.loads(await asyncio.wait_for(child.stdout.readline(), 30))
        streams = await asyncio.open_connection(about["host"], about["control_port"])
        control = Control(*streams)
        yield child, about, control
        control.writer.close()
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def client_of(about: dict[str, Any], session: MemorySession) -> TelegramClient:
    session.set_dc(about["dc_id"], about["host"], about["port"])
    rsa.add_key(about["public_key"], old=False)
    client = TelegramClient(session, 1, "hash", retry_delay=0.05, request_retries=1)
    await client.connect()
    return client


def world_file(tmp_path: Path) -> Path:
    path = tmp_path / "world.json"
    world = {
        "users": [{"name": "Хозяин", "username": "owner_x", "phone": PHONE, "code": CODE}],
        "bots": [{"name": "Предложка", "username": "predlozhka_test_bot"}],
        "channels": [
            {"title": "Котики", "username": "kotiki_test", "creator": "owner_x", "posts": ["раз"]}
        ],
        "partners": [{"bot": "predlozhka_test_bot", "channel": "kotiki_test", "manner": "silent"}],
    }
    path.write_text(json.dumps(world), encoding="utf-8")
    return path


async def test_a_killed_server_process_comes_back_as_it_was(tmp_path: Path) -> None:
    arguments = ["--state", str(tmp_path / "state"), "--world", str(world_file(tmp_path))]
    arguments += ["--clock", "2026-03-02T09:00:00+00:00"]
    session = MemorySession()
    async with process(*arguments) as (child, about, control):
        client = await client_of(about, session)
        await client.send_code_request(PHONE)
        await client.sign_in(PHONE, CODE)
        peer = await client.get_input_entity("kotiki_test")
        answer = await control("faults", method="messages.sendMedia", kind="drop", after=True)
        assert answer["ok"] and answer["rule"]["after"]
        sending = asyncio.create_task(post(client, peer, "мем", 7))
        while not any(e["random_id"] == 7 for e in (await control("journal"))["entries"]):
            await asyncio.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        await child.wait()
        sending.cancel()
        await client.disconnect()
    async with process(*arguments) as (child, about, control):
        client = await client_of(about, session)
        history = await client.get_messages(peer, limit=9)
        assert [m.raw_text for m in history] == ["мем", "раз"]
        journal = (await control("journal", since=2))["entries"]
        assert [e["text"] for e in journal if e["kind"] == "created"] == ["мем"]
        await client.disconnect()
        await control("stop")
        assert await asyncio.wait_for(child.wait(), 10) == 0


async def test_the_control_port_moves_time_and_refuses_nonsense(tmp_path: Path) -> None:
    arguments = ["--world", str(world_file(tmp_path)), "--clock", "2026-03-02T09:00:00+00:00"]
    async with process(*arguments) as (_, about, control):
        moved = await control("advance", now="2026-03-03T09:00:00+00:00")
        assert moved["ok"] and moved["events"] == 0
        assert (await control("world"))["now"].startswith("2026-03-03T09:00")
        assert (await control("post", channel="kotiki_test", text="два"))["id"] == 2
        for op, fields in (
            ("nonsense", {}),
            ("faults", {"method": "*", "kind": "explode"}),
            ("post", {"channel": "nowhere"}),
            ("advance", {"now": "завтра"}),
        ):
            answer = await control(op, **fields)
            assert not answer["ok"] and answer["error"]
        client = await client_of(about, MemorySession())
        await client.send_code_request(PHONE)
        await client.sign_in(PHONE, CODE)
        await control("sign_out", user="owner_x")
        with pytest.raises(errors.AuthKeyUnregisteredError):
            await client(fn.updates.GetStateRequest())
        await client.disconnect()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "world.json"),
        ('{"people": []}', "expected an object"),
        ('{"users": [{"username": "x"}]}', r"users\[0\]"),
        ('{"channels": [{"title": "x", "creator": "nobody"}]}', "no user 'nobody'"),
    ],
)
def test_bad_world_files_say_where(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "world.json"
    path.write_text(text)
    with pytest.raises(WorldFileError, match=complaint):
        load_world(LoopbackTelegram(), path)


async def test_a_world_of_many_downloads_does_not_keep_them(clock: Clock, connect: Connect) -> None:
    server = LoopbackTelegram(clock=clock)
    place = furnish(server, clock)
    await server.start()
    client = await connect(server, user=place.owner)
    sent = await client.send_file("me", os.urandom(300_000), force_document=True)
    for _ in range(3):
        assert len(await client.download_media(sent, bytes)) == 300_000
    (session,) = server.keys.live_sessions(place.owner)
    kept = [len(q.answer) for q in session.queries.values() if q.answer]
    assert kept and max(kept) <= 64 * 1024
    await client.disconnect()
    await server.stop()
