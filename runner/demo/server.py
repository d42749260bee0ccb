"""The demo's web server: the website's folder on 127.0.0.1, for as long as a `with` lasts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

_URL = re.compile(r"^(\s*url: ).*$", re.MULTILINE)
STOP_WITHIN = 10.0


class _Handler(SimpleHTTPRequestHandler):
    """Serves files and keeps quiet; a silent client is dropped after `timeout` seconds."""

    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: the demo's access log is written beforehand."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Given a demo's folder, serve its website on a free port of 127.0.0.1 and give the address.

    The address is written into the demo's inventory. At the end the server has stopped and the port is free.
    """
    handler = partial(_Handler, directory=str(folder / "website"))
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=partial(server.serve_forever, poll_interval=0.05), name="demo-website", daemon=True)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            write_address(folder / "inventory" / "demo.yml", url)
            yield url
        finally:
            server.shutdown()
            thread.join(STOP_WITHIN)


def write_address(inventory: Path, url: str) -> None:
    """Given the demo's inventory, make `url` the address of its website."""
    text = inventory.read_text("utf-8")
    inventory.write_text(_URL.sub(rf'\g<1>"{url}"', text, count=1), "utf-8")
