"""The answer to a request as HTTP/1 frames it: its head, then its body until that is whole.

It is read as http.client reads it, and what is wrong has the names that it has there; but that gives every head to the
parser of e-mails, which takes a tenth of a whole check, and a fifth of the time until the first one can begin.
"""

from __future__ import annotations

import io
import re

LONGEST_LINE = 65536
MOST_HEADERS = 100
_NAME = re.compile(r"[!-9;-~]*")  # as e-mails have it: anything to be seen
_WITHOUT_BODY = frozenset({204, 304})

CONTINUE = 100

Headers = tuple[tuple[str, str], ...]


class Malformed(Exception):
    """What came is no answer, or not all of one; `strerror` names what is wrong."""

    def __init__(self, strerror: str) -> None:
        super().__init__(strerror)
        self.strerror = strerror


class Response:
    """An answer that is read from a file; `status` is None until its head was read whole.

    `length` is the body's as declared, None where nothing believable is. Reading raises Malformed.
    """

    def __init__(self, file: io.BufferedReader) -> None:
        self.status: int | None = None
        self.reason = ""
        self.headers: Headers = ()
        self.length: int | None = None
        self._file = file
        self._chunked = False
        self._left: int | None = None  # of the chunk that is being read, None before the first

    def begin(self) -> None:
        """Read the head."""
        version, status, reason = self._read_status()
        while status == CONTINUE:
            self._read_headers()
            version, status, reason = self._read_status()
        if version != "HTTP/0.9" and not version.startswith("HTTP/1."):
            raise Malformed("UnknownProtocol")
        self.headers = self._read_headers()
        self._chunked = self.header("Transfer-Encoding").lower() == "chunked"
        self.length = self._declared_length(status)
        self.status, self.reason = status, reason.strip()

    def header(self, name: str) -> str:
        """All headers of that name, in any case, joined by commas; "" without one."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    def read(self, most: int) -> bytes:
        """The next of the body, at most so many bytes; b"" at its end."""
        if not self._chunked:
            return self._file.read1(most)
        if not self._left:
            self._left = self._begin_chunk()
        if not self._left:
            return b""
        piece = self._file.read1(min(most, self._left))
        if not piece:
            raise Malformed("IncompleteRead")
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Read no further."""
        self._file.close()

    def _declared_length(self, status: int) -> int | None:
        if status in _WITHOUT_BODY or status < 200:
            return 0
        try:
            declared = int("" if self._chunked else self.header("Content-Length").partition(",")[0])
        except ValueError:
            return None
        return declared if declared >= 0 else None

    def _read_line(self) -> bytes:
        line = self._file.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise Malformed("LineTooLong")
        return line

    def _read_status(self) -> tuple[str, int, str]:
        """Read the first line: version, status and what is said of it."""
        line = self._read_line().decode("latin-1")
        if not line:
            raise Malformed("RemoteDisconnected")
        version, status, reason = [*line.split(None, 2), "", "", ""][:3]
        try:
            if version.startswith("HTTP/") and 100 <= int(status) <= 999:
                return version, int(status), reason
        except ValueError:
            pass
        raise Malformed("BadStatusLine")

    def _read_headers(self) -> Headers:
        """Read to the empty line that ends the headers. From one that is none on, what comes is left out."""
        found: list[tuple[str, str]] = []
        whole = True
        for _ in range(MOST_HEADERS):
            line = self._read_line()
            if line in (b"\r\n", b"\n", b""):
                return tuple(header for header in found if header[0])
            text = line.decode("latin-1").rstrip("\r\n")
            if text[:1] in (" ", "\t"):
                if found and whole:
                    found[-1] = (found[-1][0], f"{found[-1][1]} {text.lstrip()}")
                continue
            name, colon, value = text.partition(":")
            whole = whole and bool(colon) and _NAME.fullmatch(name) is not None
            if whole:
                found.append((name, value.lstrip(" \t")))
        raise Malformed("HTTPException")

    def _begin_chunk(self) -> int:
        """Read what stands before the next chunk; return its size, 0 where there is none."""
        if self._left is not None:
            self._file.read(2)  # the end of the line after the chunk before
        try:
            size = int(self._read_line().partition(b";")[0], 16)
        except ValueError:
            raise Malformed("IncompleteRead") from None
        if size < 0:
            raise Malformed("IncompleteRead")
        while not size and self._read_line() not in (b"\r\n", b"\n", b""):
            pass
        return size
