"""An HTTP server on 127.0.0.1 that takes JSON and answers as the test says: a webhook's, a Telegram-like API's."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.web_servers import Handler, serve
from tests.web_servers import Reply as Page


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

    class Posts(Handler):
        def post(self) -> None:
            length = int(self.headers["Content-Length"])
            known.posts.append(Post(self.path, dict(self.headers), json.loads(self.rfile.read(length))))
            reply = answer(len(known.posts))
            body = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
            self.send(Page(body, reply.status, reply.headers))

        def get(self) -> None:
            """Whoever follows a redirect would ask so."""
            known.posts.append(Post(self.path, dict(self.headers), None))
            self.send("")

    with serve(Posts, context) as known.url:
        yield known
