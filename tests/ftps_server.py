"""A real FTP server with TLS on 127.0.0.1, in a process of its own.

with ftps_server(folder, root) as server:
    server.login
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER, PASSWORD = "webadmin", "rahasia ftp"


@dataclass(frozen=True, slots=True)
class FtpsServer:
    """Where it listens, and the SHA-256 of its certificate (hex)."""

    port: int
    fingerprint: str
    user: str = USER
    password: str = PASSWORD

    @property
    def login(self) -> dict[str, object]:
        """It as the input `ftps` has it."""
        given = {"address": "127.0.0.1", "port": self.port, "user": self.user, "password": self.password}
        return {**given, "certificate": self.fingerprint}


@contextmanager
def ftps_server(folder: Path, root: Path, perm: str = "elr") -> Iterator[FtpsServer]:
    """Given a folder for its key, the folder that it shows and what its account may do, run a server for the block."""
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-keyout", str(key), "-out", str(folder / "cert.pem"), "-days", "30", "-subj", "/CN=ftp.example"]
    subprocess.run(words, check=True, capture_output=True)
    key.write_text(key.read_text() + (folder / "cert.pem").read_text())
    shown = ["openssl", "x509", "-in", str(folder / "cert.pem"), "-noout", "-fingerprint", "-sha256"]
    fingerprint = subprocess.run(shown, check=True, capture_output=True, text=True).stdout.partition("=")[2].strip()
    command = [sys.executable, "-W", "ignore", "-m", "tests.ftps_server", str(key), str(root), perm]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        try:
            line = process.stdout.readline()
            assert line.strip().isdigit(), "the FTP server does not start"
            yield FtpsServer(int(line), fingerprint)
        finally:
            process.stdin.close()
            process.kill()


def _serve(key: str, root: str, perm: str) -> None:
    """Serve until stdin ends."""
    import logging
    import threading

    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import TLS_FTPHandler
    from pyftpdlib.servers import FTPServer

    logging.disable()
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, root, perm=perm)

    class Handler(TLS_FTPHandler):
        certfile = key
        tls_control_required = tls_data_required = True

    Handler.authorizer = authorizer
    Handler.encoding = "utf-8"
    server = FTPServer(("127.0.0.1", 0), Handler)
    print(server.address[1], flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), server.close_all()), daemon=True).start()
    server.serve_forever(handle_exit=False)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
