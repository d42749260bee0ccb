"""An HTTP server on 127.0.0.1 that takes JSON and answers as the test says: a webhook's, a Telegram-like API's."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int = 200
    body: Any = "ok"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Post:
    """What was asked."""

    path: str
    headers: Mapping[str, str]
    document: Any


@dataclass
class PostServer:
    """A server that runs; `posts` is what it was asked so far."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)


@contextmanager
def post_server(answer: Callable[[int], Reply], context: ssl.SSLContext | None = None) -> Iterator[PostServer]:
    """Answer the n-th POST (from 1) with `answer(n)`; a body that is no text is sent as JSON."""
    known = PostServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            known.posts.append(Post(self.path, dict(self.headers), json.loads(self.rfile.read(length))))
            reply = answer(len(known.posts))
            body = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(body.encode())), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def do_GET(self) -> None:
            """Whoever follows a redirect would ask so."""
            known.posts.append(Post(self.path, dict(self.headers), None))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that leaves is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    known.url = f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
