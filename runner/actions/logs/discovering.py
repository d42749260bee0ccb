"""Looking for logs on a server: two questions, and what their answers say. Nothing is written there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from runner.actions.logs.asking import GATHER
from runner.actions.logs.moments import first_moment, last_moment
from runner.contract import Command

TOOLS = "tail head gzip zstd xz bzip2 sha256sum shasum openssl stat sort nice ionice perl python3".split()  # noqa: SIM905 - names
LARGEST_CONFIGURATION = 262_144
MOST_CONFIGURATIONS = 400
SAMPLE = 4096

CONFIGURATIONS = (
    "/etc/nginx/nginx.conf",
    "/etc/nginx/conf.d/*.conf",
    "/etc/nginx/sites-enabled/*",
    "/etc/nginx/vhosts.d/*.conf",
    "/etc/nginx/conf/*.conf",
    "/usr/local/nginx/conf/*.conf",
    "/usr/local/nginx/conf/vhost/*.conf",
    "/etc/apache2/envvars",
    "/etc/apache2/apache2.conf",
    "/etc/apache2/httpd.conf",
    "/etc/apache2/conf-enabled/*.conf",
    "/etc/apache2/conf.d/*.conf",
    "/etc/apache2/sites-enabled/*",
    "/etc/apache2/vhosts.d/*.conf",
    "/etc/httpd/conf/httpd.conf",
    "/etc/httpd/conf.d/*.conf",
    "/usr/local/apache/conf/httpd.conf",
    "/usr/local/apache2/conf/httpd.conf",
    "/usr/local/lsws/conf/httpd_config.conf",
    "/usr/local/lsws/conf/httpd_config.xml",
    "/usr/local/lsws/conf/vhosts/*/vhconf.conf",
    "/usr/local/lsws/conf/vhosts/*/vhconf.xml",
)
PLACES = (
    "~/access-logs/*",
    "~/logs/*.gz",
    "~/logs/*access*.log",
    "/var/log/nginx/*access*.log",
    "/var/log/apache2/*access*.log",
    "/var/log/httpd/*access*log",
    "/var/log/caddy/*.log",
    "/usr/local/lsws/logs/*access*.log",
    "/usr/local/apache/domlogs/*",
    "/var/www/vhosts/system/*/logs/*access*log",
    "/home/*/logs/*access*.log",
    "/www/wwwlogs/*.log",
)

# $1 nonce, $2 tools, $3… files
_READ = """
LC_ALL=C; export LC_ALL
nonce=$1 tools=$2; shift 2
for tool in $tools; do if command -v "$tool" >/dev/null 2>&1; then printf '%s tool %s\\n' "$nonce" "$tool"; fi; done
IFS= number=0
for pattern do
  for file in $pattern; do
    [ -f "$file" ] || continue
    number=$((number + 1)); [ "$number" -le MOST ] || break 2
    if [ ! -r "$file" ]; then printf '%s closed %s\\n%s\\n' "$nonce" "${#file}" "$file"; continue; fi
    printf '%s text %s\\n%s\\n' "$nonce" "${#file}" "$file"
    head -c LARGEST <"$file"
    printf '\\n%s end\\n' "$nonce"
  done
done
""".replace("MOST", str(MOST_CONFIGURATIONS)).replace("LARGEST", str(LARGEST_CONFIGURATION))

# $1 nonce, $2… logs
_LOOK = (
    GATHER
    + r"""
nonce=$1; shift
missing() { :; }
gather "$@"
for number in $(printf %s "$list" | sort -k 1,1n -k 2,2nr | cut -d ' ' -f 2); do
  eval "file=\$file$number facts=\$facts$number"
  size=${facts#* }; size=${size%% *}
  [ -f "$file" ] || continue
  state=log; [ -r "$file" ] || state=closed
  printf '%s %s %s %s %s\n%s\n' "$nonce" "$state" "${size:-0}" "${facts%% *}" "${#file}" "$file"
  [ "$state" = log ] || continue
  case $file in
  *.gz) gzip -dc <"$file" 2>/dev/null | head -c SAMPLE;;
  *.xz) xz -dc <"$file" 2>/dev/null | head -c SAMPLE;;
  *.zst) zstd -dcq <"$file" 2>/dev/null | head -c SAMPLE;;
  *.bz2) bzip2 -dc <"$file" 2>/dev/null | head -c SAMPLE;;
  *) head -c SAMPLE <"$file"; printf '\n%s tail\n' "$nonce"; tail -c SAMPLE -- "$file";;
  esac
  printf '\n%s end\n' "$nonce"
done
""".replace("SAMPLE", str(SAMPLE))
)


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log's file: size in bytes, when it changed (epoch seconds), the first and last moment that its ends tell, and
    whole lines of it; `readable`: by the account."""

    path: str
    size: int
    time: int
    readable: bool
    first: datetime | None = None
    last: datetime | None = None
    lines: tuple[bytes, ...] = ()


def build_reading(patterns: Sequence[str], nonce: str, run_as: str = "") -> Command:
    """Given globs of configuration files, return the command that reads them, and says which tools there are."""
    return Command(line=_READ, parameters=(nonce, " ".join(TOOLS), *patterns), run_as=run_as)


def build_look(paths: Sequence[str], nonce: str, run_as: str = "") -> Command:
    """Given paths or globs of logs, return the command that looks at them."""
    return Command(line=_LOOK, parameters=(nonce, *dict.fromkeys(paths)), run_as=run_as)


def parse_reading(answer: bytes, nonce: str) -> tuple[list[str], dict[str, str], list[str]]:
    """Given the answer of `build_reading`, return the tools, the configurations' texts by path, and the paths of those
    that may not be read."""
    tools: list[str] = []
    texts: dict[str, str] = {}
    closed: list[str] = []
    for words, name, body in _frames(answer, nonce):
        if words[0] == "tool":
            tools.append(words[1])
        elif words[0] == "closed":
            closed.append(name)
        elif words[0] == "text":
            texts[name] = body.decode("utf-8", "replace")
    return tools, texts, closed


def parse_look(answer: bytes, nonce: str) -> list[LogFile]:
    """Given the answer of `build_look`, return the files, the oldest first."""
    found = []
    for words, name, body in _frames(answer, nonce):
        if words[0] not in ("log", "closed") or len(words) != 4 or not words[1].isdigit():
            continue
        head, _, tail = body.partition(f"\n{nonce} tail\n".encode())
        size, time = int(words[1]), int(words[2])
        lines = (*head.split(b"\n")[:-1], *tail.split(b"\n")[1:-1])
        last = last_moment(tail) if tail else None
        found.append(LogFile(name, size, time, words[0] == "log", first_moment(head), last, lines[:60]))
    return found


def _frames(answer: bytes, nonce: str) -> Iterator[tuple[list[str], str, bytes]]:
    """Yield the words of each frame, the path it names, and what it holds."""
    start = re.compile(rf"(?m)^{nonce} ((?:tool|text|closed|log) [^\n]{{1,200}})\n".encode())
    at = 0
    while match := start.search(answer, at):
        words = match[1].decode("ascii", "replace").split(" ")
        at = match.end()
        if words[0] == "tool":
            yield words, "", b""
            continue
        size = int(words[-1]) if words[-1].isdigit() else 0
        name = answer[at : at + size].decode("utf-8", "surrogateescape")
        at += size + 1
        body = b""
        if words[0] != "closed":
            stop = answer.find(f"\n{nonce} end\n".encode(), at)
            stop = len(answer) if stop < 0 else stop
            body, at = answer[at:stop], stop + 1
        yield words, name, body
