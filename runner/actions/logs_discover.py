"""logs.discover: which access logs does a website have, in what form, since when, and what can be done with them?"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from runner.contract import Action, Call, Effect, Outcome, Problem, Reach, Repeat, Severity, Status
from runner.messages import readable, render_size

if TYPE_CHECKING:  # the craft is loaded when logs are looked for, not at every start
    from runner.actions.logs.configurations import Named
    from runner.actions.logs.discovering import LogFile

MOST_FILES = 60
_OTHER = re.compile(r"(bytes_log|ftpxferlog|error[._-]?log|\.offset\w*)$|(^|/)ftp[._]")  # beside access logs, and none
_ROTATED = re.compile(r"[-._]?\d.*|\.(gz|xz|zst|bz2|old)")
_DATED = re.compile(r"(?:\d+|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?:[-._T]?(?:\d+))*")


def run(call: Call) -> Outcome:
    """Look for the logs. None at all, or none that may be read, is a problem found."""
    from runner.actions.logs import discovering
    from runner.actions.logs.configurations import find_logs

    nonce, connection = token_hex(16), call.connect()
    configurations = call.inputs["configurations"] or discovering.CONFIGURATIONS
    asked = discovering.build_reading(configurations, nonce, call.run_as)
    tools, texts, closed = discovering.parse_reading(connection.run(asked, call.deadline).stdout, nonce)
    named = find_logs(texts)
    given = _given(call)
    wanted = [*given, *(each.path for each in named), *(call.inputs["places"] or discovering.PLACES)]
    look = discovering.build_look(wanted, nonce, call.run_as)
    files = discovering.parse_look(connection.run(look, call.deadline).stdout, nonce)
    logs = build_logs(files, named, given, _host(call))
    path = suggest_path(logs)
    outputs: dict[str, Any] = {
        "logs": logs,
        "path": path,
        "format": next((each["format"] for each in logs if each["path"] in path), ""),
        "tools": tools,
        "configurations": sorted(texts),
        "closed": [*closed, *(readable(each.path) for each in files if not each.readable)],
        "summary": render_summary(logs, path),
    }
    return Outcome(Status.OK, outputs, problems=find_problems(outputs), message=outputs["summary"])


def _given(call: Call) -> tuple[str, ...]:
    known = call.inputs.get("path") or (call.target or {}).get("access_log") or ()
    return (known,) if isinstance(known, str) else tuple(known)


def _host(call: Call) -> str:
    host = urlsplit(str((call.target or {}).get("url") or "")).hostname or ""
    return host.removeprefix("www.")


def build_logs(
    files: Sequence[LogFile], named: Sequence[Named], given: Sequence[str], host: str
) -> list[dict[str, Any]]:
    """Given the files that are there, what configurations name, the paths that the inventory gives and the site's host,
    return the logs with their rotated files, those of the site first."""
    from runner.actions.logs.increment import log_of

    sets: dict[str, list[LogFile]] = defaultdict(list)
    for file in files:
        if not _OTHER.search(log_of(file.path)):
            sets[log_of(file.path)].append(file)
    logs = [_describe(base, each, named, given, host) for base, each in sets.items()]
    return sorted(logs, key=lambda log: (not log["own"], log["path"]))


def _describe(
    base: str, files: Sequence[LogFile], named: Sequence[Named], given: Sequence[str], host: str
) -> dict[str, Any]:
    from fnmatch import fnmatchcase

    from runner.actions.logs.layouts import guess_layout

    newest = max(files, key=lambda file: (file.path == base, file.time))
    said = next((each for each in named if any(fnmatchcase(file.path, each.path) for file in files)), None)
    layout = guess_layout([line for file in reversed(files) for line in file.lines])
    sites = list(said.sites) if said else []
    moments = [at for file in files for at in (file.first, file.last) if at]
    own = any(fnmatchcase(newest.path, each) for each in given) or _is_of(host, sites, newest.path)
    return {
        "path": readable(name_log(newest.path, base)),
        "format": (said.form if said else "") or (layout.name if layout else ""),
        "source": said.source if said else "place",
        "sites": sites,
        "own": own,
        "readable": any(file.readable for file in files),
        "size": sum(file.size for file in files),
        "first": _iso(min(moments, default=None)),
        "last": _iso(max(moments, default=None)),
        "files": [
            {"path": readable(file.path), "size": file.size, "changed": _iso(datetime.fromtimestamp(file.time, UTC))}
            for file in files[-MOST_FILES:]
        ],
    }


def name_log(path: str, base: str) -> str:
    """Given the newest file of a log and the log's bare name, return how to name the log tomorrow, too: by that name
    where only rotation has added to it, else by a glob for its date."""
    if path == base or (path.startswith(base) and _ROTATED.fullmatch(path[len(base) :])):
        return base
    folder, _, name = path.rpartition("/")
    return f"{folder}/{_DATED.sub('*', name)}"


def _is_of(host: str, sites: Sequence[str], path: str) -> bool:
    names = {site.removeprefix("www.").lower() for site in sites}
    return bool(host) and (host in names or host in path.rpartition("/")[2])


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def suggest_path(logs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Given the logs, return those that logs.fetch should read for this site: its own; else the only one there is."""
    readable = [log for log in logs if log["readable"]]
    own = [log["path"] for log in readable if log["own"]]
    return own or [log["path"] for log in readable if len(readable) == 1]


def render_summary(logs: Sequence[Mapping[str, Any]], path: Sequence[str]) -> str:
    """Given the logs and those of the site, return one sentence for the report."""
    if not logs:
        return "Tidak ada log akses yang ditemukan pada server."
    size = render_size(sum(log["size"] for log in logs), "id")
    own = f"milik situs ini: {', '.join(path)}" if path else "yang mana milik situs ini tidak diketahui"
    return f"{len(logs)} log akses ({size}) ditemukan pada server; {own}."


def find_problems(outputs: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Given what was found, return what is wrong with it."""
    if outputs["path"]:
        return ()
    away = ", ".join(outputs["closed"][:5])
    why = f"log tidak dapat dibaca ({away})" if away else "log akses situs tidak ditemukan"
    return (Problem("visitors.log_unknown", Severity.MAJOR, f"Aktivitas pengunjung tidak dapat dipastikan: {why}."),)


def _texts(description: str, example: list[str], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string"}, "description": description, "examples": [example], **more}


ACTION = Action(
    name="logs.discover",
    description="Finds the access logs of a website, from the web server's configuration and in the usual places: "
    "form, rotated files, sizes, times.",
    inputs={
        "path": {
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
            "description": "Logs that are known to be the site's; without it the target's access_log",
            "examples": ["/var/log/nginx/access.log"],
            "optional": True,
        },
        "configurations": _texts(
            "Configuration files to read, globs too, instead of nginx's, Apache's and LiteSpeed's usual ones",
            ["/etc/nginx/nginx.conf", "/etc/nginx/sites-enabled/*"],
            default=[],
        ),
        "places": _texts("Where to look for logs, instead of the usual places", ["~/access-logs/*"], default=[]),
    },
    outputs={
        "logs": {
            "type": "array",
            "items": {"type": "object"},
            "description": "The logs, the site's own first: path, format (a name or the server's own format line), "
            "source (who says so), sites, own, readable, size in bytes, first and last moment, files",
            "examples": [[{"path": "/var/log/nginx/access.log", "format": "combined", "own": True, "size": 301344}]],
        },
        "path": _texts("The site's own logs that may be read, for logs.fetch", ["/var/log/nginx/access.log"]),
        "format": {"type": "string", "description": "The form of the first of them", "examples": ["combined"]},
        "tools": _texts("What the account has of what helps with logs", ["tail", "gzip", "zstd", "sha256sum", "stat"]),
        "configurations": _texts("The configuration files that were read", ["/etc/nginx/nginx.conf"]),
        "closed": _texts("What is there and may not be read", ["/var/log/apache2/access.log"]),
        "summary": {
            "type": "string",
            "description": "The result in one sentence",
            "examples": ["2 log akses (1,2 MB) ditemukan pada server; milik situs ini: /var/log/nginx/access.log."],
        },
    },
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.SERVER,
    limit="2m",
    run=run,
    targets=("website", "server", ""),
    example="""\
- id: logs
  action: logs.discover
""",
)
