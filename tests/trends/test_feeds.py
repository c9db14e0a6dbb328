from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.trends import FetchedFeed, fetch_feed
from publisher.trends import address as address_room
from publisher.trends.address import AddressError, is_public, public_address
from publisher.trends.clean import plain_text
from publisher.trends.parsing import FeedError, parse_feed

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def rss(*items: str, head: str = '<?xml version="1.0" encoding="utf-8"?>') -> bytes:
    body = "".join(f"<item>{item}</item>" for item in items)
    return f'{head}<rss version="2.0"><channel><title>Лента</title>{body}</channel></rss>'.encode()


ENTRY = (
    "<title>Кофе подорожал</title><link>https://a.example/1</link><guid>g1</guid>"
    "<description>&lt;p&gt;Чашка &lt;b&gt;300&lt;/b&gt; рублей&lt;script&gt;x()&lt;/script&gt;"
    "</description><pubDate>Mon, 23 Nov 2026 10:00:00 +0300</pubDate>"
)

Answer = Callable[[dict[str, str], str], tuple[str, dict[str, str], bytes]]


@asynccontextmanager
async def server(answer: Answer, pause: float = 0) -> AsyncIterator[str]:
    """A one-answer-a-connection HTTP server on 127.0.0.1; yields its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode("latin1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in request[1:] if ": " in line)
        status, fields, body = answer(headers, request[0].split()[1])
        fields = {"content-length": str(len(body)), "connection": "close", **fields}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        await asyncio.sleep(pause)
        writer.write(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def get(url: str, **options: object) -> FetchedFeed:
    return await fetch_feed(url, now=NOW, **{"allow_private": True, **options})  # type: ignore[arg-type]


async def test_a_feed_is_read_and_cleaned() -> None:
    async with server(lambda h, p: ("200 OK", {"etag": '"v1"'}, rss(ENTRY))) as url:
        feed = await get(f"{url}/feed")
    assert (feed.status, feed.etag, feed.title) == ("ok", '"v1"', "Лента")
    item = feed.items[0]
    assert (item.guid, item.title, item.language) == ("g1", "Кофе подорожал", "ru")
    assert item.lead == "Чашка 300 рублей"
    assert item.published_at == datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


async def test_conditional_get() -> None:
    def answer(headers: dict[str, str], path: str) -> tuple[str, dict[str, str], bytes]:
        known = headers.get("if-none-match") == '"v1"' and headers.get("if-modified-since") == "m"
        return ("304 Not Modified" if known else "200 OK", {}, b"" if known else rss(ENTRY))

    async with server(answer) as url:
        feed = await get(url, etag='"v1"', modified="m")
    assert (feed.status, feed.etag, feed.modified) == ("not_modified", '"v1"', "m")


async def test_redirects_are_followed_and_counted() -> None:
    def answer(headers: dict[str, str], path: str) -> tuple[str, dict[str, str], bytes]:
        if path == "/feed":
            return "200 OK", {}, rss(ENTRY)
        return "302 Found", {"location": "/feed" if path == "/once" else path}, b""

    async with server(answer) as url:
        assert (await get(f"{url}/once")).status == "ok"
        endless = await get(f"{url}/again")
    assert endless.status == "error" and "redirects" in (endless.error or "")


async def test_a_redirect_into_a_private_network_is_not_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(address_room, "is_public", lambda a: a == "127.0.0.1")
    target = {"location": "http://127.0.0.2:1/secret"}
    async with server(lambda h, p: ("302 Found", target, b"")) as url:
        feed = await get(url, allow_private=False)
    assert feed.status == "error" and "private network" in (feed.error or "")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://[::1]/",
        "http://169.254.169.254/latest",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://0.0.0.0/",
        "http://[::ffff:10.0.0.1]/",
        "http://2130706433/",
        "http://[64:ff9b::a00:1]/",
    ],
)
async def test_private_addresses_are_refused(url: str) -> None:
    feed = await get(url, allow_private=False)
    assert feed.status == "error" and "private network" in (feed.error or "")


async def test_the_checked_address_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    async def once(url: str, *, allow_private: bool) -> tuple[str, str]:
        asked.append(url)
        return "news.example", "127.0.0.1"

    monkeypatch.setattr("publisher.trends.feeds.public_address", once)
    seen: dict[str, str] = {}

    def answer(headers: dict[str, str], path: str) -> tuple[str, dict[str, str], bytes]:
        seen.update(headers)
        return "200 OK", {}, rss(ENTRY)

    async with server(answer) as url:
        port = url.rsplit(":", 1)[1]
        feed = await get(f"http://news.example:{port}/feed", allow_private=False)
    assert feed.status == "ok"
    assert seen["host"] == f"news.example:{port}"
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("body", "fields", "reason"),
    [
        (b"", {}, "empty"),
        (b"<html><body>not a feed</body></html>", {}, "no RSS or Atom"),
        (b"\x00" * 4000, {}, "binary"),
        (b"<!ENTITY a 'b'>" * 100, {}, "entity"),
        (b"x" * 3000, {}, "larger"),
        (gzip.compress(b"a" * 5_000_000), {"content-encoding": "gzip"}, "larger"),
        (b"not gzip at all", {"content-encoding": "gzip"}, "broken"),
        (b"x", {"content-encoding": "br"}, "encoding"),
    ],
)
async def test_broken_answers_are_errors_with_a_reason(
    body: bytes, fields: dict[str, str], reason: str
) -> None:
    limit = 2000 if b"x" * 100 in body else 1_000_000
    async with server(lambda h, p: ("200 OK", fields, body)) as url:
        feed = await get(url, max_bytes=limit)
    assert feed.status == "error" and reason in (feed.error or ""), feed.error


async def test_server_errors_silence_and_nobody_there() -> None:
    async with server(lambda h, p: ("500 Oops", {}, b"")) as url:
        assert "500" in ((await get(url)).error or "")
    async with server(lambda h, p: ("200 OK", {}, rss(ENTRY)), pause=2) as url:
        assert "0.2 s" in ((await get(url, timeout_s=0.2)).error or "")
    assert (await get(url)).status == "error"
    assert (await get("ftp://example.org/feed")).status == "error"
    with pytest.raises(AddressError):
        await public_address("http://no-such-name.invalid/", allow_private=False)


async def test_gzip_is_unpacked() -> None:
    packed = gzip.compress(rss(ENTRY))
    async with server(lambda h, p: ("200 OK", {"content-encoding": "gzip"}, packed)) as url:
        assert (await get(url)).items[0].title == "Кофе подорожал"


async def test_files(tmp_path: Path) -> None:
    path = tmp_path / "лента.xml"
    path.write_bytes(rss(ENTRY))
    for url in (str(path), path.as_uri()):
        assert (await get(url)).items[0].guid == "g1"
    assert "no such file" in ((await get(str(tmp_path / "none.xml"))).error or "")
    assert "larger" in ((await get(str(path), max_bytes=10)).error or "")


def test_windows_1251_and_atom() -> None:
    head = '<?xml version="1.0" encoding="windows-1251"?>'
    body = rss(ENTRY, head=head).decode().encode("cp1251")
    assert parse_feed(body, {}, NOW)[1][0].title == "Кофе подорожал"
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><entry><id>x</id>'
        "<title>Coffee prices rise</title><link href='http://a.example/x'/>"
        "<updated>2026-11-23T09:00:00Z</updated><summary>Up again</summary></entry></feed>"
    )
    item = parse_feed(atom.encode(), {}, NOW)[1][0]
    assert (item.title, item.lead, item.language) == ("Coffee prices rise", "Up again", "en")


@pytest.mark.parametrize(
    "date", ["", "nonsense", "Mon, 23 Nov 2099 10:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"]
)
def test_missing_and_impossible_dates_become_now(date: str) -> None:
    body = rss(f"<title>Кофе подорожал</title><pubDate>{date}</pubDate>")
    item = parse_feed(body, {}, NOW)[1][0]
    assert (item.published_at, item.dated) == (NOW, False)


def test_unusable_entries_are_named() -> None:
    body = rss(
        ENTRY,
        ENTRY,
        "<guid>2</guid><description>no title</description>",
        "<title>!!! 123</title><guid>3</guid>",
        f"<title>{'слово ' * 50_000}</title><guid>4</guid>",
    )
    _, items, rejected = parse_feed(body, {}, NOW)
    assert [item.guid for item in items] == ["g1", "4"]
    assert len(items[1].title) <= 300
    assert [r.reason for r in rejected] == ["duplicate guid", "no title", "unreadable title"]


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_are_a_feed_or_an_error(body: bytes) -> None:
    try:
        _, items, _ = parse_feed(body, {}, NOW)
    except FeedError as error:
        assert str(error)
    else:
        assert all(item.title and item.published_at <= NOW + timedelta(0) for item in items)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Раз</p><p>два</p>", "Раз два"),
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("<img src='x' onerror='y'>кот", "кот"),
        ("<style>p{}</style>кот", "кот"),
        ("1 < 2 и 3 > 2", "1 < 2 и 3 > 2"),
        ("x\u200b\x00y", "xy"),
        ("<" * 100_000, ""),
    ],
)
def test_markup_becomes_text(markup: str, text: str) -> None:
    assert plain_text(markup, 100).strip("<…") == text


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("100.64.0.1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("224.0.0.1", False),
        ("::ffff:127.0.0.1", False),
    ],
)
def test_public_addresses(text: str, public: bool) -> None:
    assert is_public(text) is public
