"""The demo's feeds over local HTTP: what each would show at the clock's now."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from publisher.sandbox.news.feeds import SOURCES, feed_xml

HOST = "feeds.sandbox.invalid"


class FeedServer:
    """Serves `/<source>.xml` on 127.0.0.1 with ETags; a feed's address is `HOST` in config."""

    def __init__(self, clock: Callable[[], datetime], start: datetime) -> None:
        self.clock, self.began = clock, start
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def address_of(self, url: str) -> str:
        """Where a configured feed truly is: ours for HOST, itself for any other."""
        parts = urlsplit(url)
        if parts.hostname != HOST:
            return url
        return f"http://127.0.0.1:{self._server.server_port}{parts.path}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.strip("/").removesuffix(".xml")
                if name not in SOURCES or SOURCES[name].format == "telegram":
                    self.send_error(404)
                    return
                body = feed_xml(name, outer.clock(), outer.began)
                etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
                if self.headers.get("If-None-Match") == etag:
                    self.send_response(304)
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/xml; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", etag)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet: the demo's own progress is what a person reads."""

        return Handler
