"""Fetching and reading RSS and Atom feeds that may be slow, huge, broken or hostile."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import httpx

from publisher.sentences import joined, sentence_of, words
from publisher.trends.address import AddressError, public_address
from publisher.trends.items import FeedItem, Rejected
from publisher.trends.parsing import FeedError, parse_feed

MAX_REDIRECTS = 5
_HEADERS = {
    "User-Agent": "MemeGen/0.1 (feed reader)",
    "Accept": "application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
}


@dataclass(frozen=True)
class FetchedFeed:
    """The result of one fetch. `status` is "ok", "not_modified" or "error"."""

    status: str
    items: tuple[FeedItem, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    etag: str | None = None
    modified: str | None = None
    error: str | None = None
    title: str = ""


async def fetch_feed(
    url: str,
    *,
    etag: str | None = None,
    modified: str | None = None,
    timeout_s: float = 20.0,
    max_bytes: int = 5_000_000,
    allow_private: bool = False,
    now: datetime,
) -> FetchedFeed:
    """Fetch the feed at `url` (http, https, or a path or file:// of this machine).

    `etag` and `modified` are those of the last fetch; the answer carries the ones to keep.
    `timeout_s` bounds the whole fetch, `max_bytes` the body both as sent and unpacked. Unless
    `allow_private`, no address inside a private network is connected to, at any redirect. Never
    raises for what the network or the feed did: the error is in the answer.
    """
    try:
        async with asyncio.timeout(timeout_s):
            if urlsplit(url).scheme in ("http", "https"):
                response = await _get(url, etag, modified, max_bytes, allow_private)
            else:
                response = _Response(200, {}, _read_file(url, max_bytes))
    except TimeoutError:
        return _failed(
            words("{url}: no answer within {seconds:g} s", url=url, seconds=timeout_s),
            etag,
            modified,
        )
    except (AddressError, FeedError, OSError) as error:
        return _failed(sentence_of(error), etag, modified)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _failed(f"{url}: {type(error).__name__}: {error}", etag, modified)
    if response.status == 304:
        return FetchedFeed("not_modified", etag=etag, modified=modified)
    if response.status != 200:
        return _failed(
            words("{url}: the server answered {status}", url=url, status=response.status),
            etag,
            modified,
        )
    try:
        # a feed of megabytes takes feedparser seconds: not in the event loop
        title, items, rejected = await asyncio.to_thread(
            parse_feed, response.body, response.headers, now
        )
    except FeedError as error:
        return _failed(joined(": ", [url, error]), etag, modified)
    return FetchedFeed(
        "ok",
        items,
        rejected,
        response.headers.get("etag"),
        response.headers.get("last-modified"),
        title=title,
    )


@dataclass(frozen=True)
class _Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


def _failed(error: str, etag: str | None, modified: str | None) -> FetchedFeed:
    return FetchedFeed("error", etag=etag, modified=modified, error=error)


async def _get(
    url: str, etag: str | None, modified: str | None, max_bytes: int, allow_private: bool
) -> _Response:
    conditions = {
        name: value
        for name, value in (("If-None-Match", etag), ("If-Modified-Since", modified))
        if value
    }
    for _ in range(MAX_REDIRECTS + 1):
        host, address = await public_address(url, allow_private=allow_private)
        response = await _one_request(url, host, address, conditions, max_bytes)
        if response.status not in (301, 302, 303, 307, 308):
            return response
        location = response.headers.get("location")
        if not location:
            raise FeedError(words("{url}: a redirect that names no address", url=url))
        url = urljoin(url, location)
    raise FeedError(words("{url}: more than {most} redirects", url=url, most=MAX_REDIRECTS))


@cache
def _tls() -> ssl.SSLContext:
    """One context for the process: loading the certificates takes tens of milliseconds."""
    return ssl.create_default_context()


async def _one_request(
    url: str, host: str, address: str, conditions: dict[str, str], max_bytes: int
) -> _Response:
    parsed = httpx.URL(url)
    pinned = parsed.copy_with(host=address)
    async with (
        httpx.AsyncClient(
            follow_redirects=False, trust_env=False, timeout=httpx.Timeout(None), verify=_tls()
        ) as client,
        client.stream(
            "GET",
            pinned,
            headers={**_HEADERS, **conditions, "Host": parsed.netloc.decode("ascii")},
            extensions={"sni_hostname": host},
        ) as response,
    ):
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = b""
        if response.status_code == 200:
            body = await _body(response.aiter_raw(), headers.get("content-encoding", ""), max_bytes)
        return _Response(response.status_code, headers, body)


async def _body(chunks: AsyncIterator[bytes], encoding: str, max_bytes: int) -> bytes:
    """The unpacked body; both forms are held to `max_bytes` while they arrive."""
    encoding = encoding.strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise FeedError(
            words(
                "the server answered in an encoding not asked for: {encoding!r}",
                encoding=encoding[:40],
            )
        )
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32) if encoding not in ("", "identity") else None
    received, body = 0, bytearray()
    async for chunk in chunks:
        received += len(chunk)
        if unpack is None:
            body += chunk
        else:
            try:
                body += unpack.decompress(chunk, max(1, max_bytes + 1 - len(body)))
            except zlib.error as error:
                raise FeedError(words("the packed answer is broken ({why})", why=error)) from error
        if max(received, len(body)) > max_bytes:
            raise FeedError(words("the feed is larger than {most} bytes; not read", most=max_bytes))
    return bytes(body)


def _read_file(url: str, max_bytes: int) -> bytes:
    parts = urlsplit(url)
    if parts.scheme == "file":
        path = Path(unquote(parts.path))
    elif len(parts.scheme) > 1 and "://" in url:
        raise FeedError(words("{url!r}: only http, https and file addresses are read", url=url))
    else:
        path = Path(url).expanduser()
    if not path.is_file():
        raise FeedError(words("no such file: {file}", file=path))
    with path.open("rb") as stream:
        body = stream.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise FeedError(words("the feed is larger than {most} bytes; not read", most=max_bytes))
    return body
