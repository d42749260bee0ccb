"""A website whose visitors the test holds up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_PAGE = b"<html><title>PN Contoh</title><body>Selamat datang di situs pengadilan</body></html>"


@contextmanager
def website(hold: Callable[[str], object], show: Callable[[str], bytes] = lambda path: _PAGE) -> Iterator[str]:
    """Give the address of a website that has its visitors wait in `hold`, which is told the path they ask for, and
    then shows them a page."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hold(self.path)
            page = show(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
