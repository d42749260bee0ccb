"""What can be seen of a site and its server before anything is set up; each look has an end, and may see nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin

from runner.actions.web.fetch import Answer, Fetcher
from runner.connections import Connections, Verdict, open_connections
from runner.contract import Call, Connection
from runner.durations import Deadline
from runner.errors import RunnerError
from runner.recorders import DryRecorder
from runner.services import Access, keep_nothing

LIMIT = 15.0  # seconds for each look
MOST_REDIRECTS = 4

_SIGNS = {
    "wordpress": r"wordpress|/wp-(content|includes)/",
    "joomla": r"joomla|/media/(jui|system|vendor/bootstrap)/",
    "drupal": r"drupal|/sites/default/files/",
    "moodle": r"moodle",
    "slims": r"slims|senayan",
}


class SiteSeen(NamedTuple):
    """What the site's first page tells: the CMS ("" where it does not), and what to say of page and certificate."""

    cms: str
    told: tuple[str, ...]


class ServerSeen(NamedTuple):
    """What the server tells: its access log and folder ("" where it does not), and what to say."""

    access_log: tuple[str, ...]
    told: tuple[str, ...]


def probe_site(url: str) -> SiteSeen:
    """Given a site's address, look at its first page. Never raises for what the site does."""
    answer = _follow(url)
    if answer.fault or answer.status != 200:
        why = answer.fault.message if answer.fault else f"HTTP {answer.status}"
        return SiteSeen("", (f"site: could not be looked at: {why}", *_certificate(answer)))
    cms, sign = _recognise(answer)
    told = (
        f"site: answers; built with {cms} ({sign})" if cms else "site: answers, but does not tell what it is built with"
    )
    return SiteSeen(cms, (told, *_feeds(answer), *_certificate(answer)))


def _feeds(answer: Answer) -> tuple[str, ...]:
    """The feed that the page names, if any: by it website.updated finds the newest content."""
    links = re.findall(r"<link\b[^<>]{1,500}>", answer.body.decode("utf-8", "replace"), re.IGNORECASE)
    named = any(re.search(r"application/(rss|atom)\+xml", link, re.IGNORECASE) for link in links)
    return ("feed: its page names one" if named else "feed: its page names none",)


def _follow(url: str) -> Answer:
    fetcher, deadline = Fetcher(), Deadline.after(LIMIT)
    answer = fetcher.fetch(url, deadline)
    for _ in range(MOST_REDIRECTS):
        if answer.fault or answer.status not in (301, 302, 303, 307, 308) or not answer.header("Location"):
            break
        answer = fetcher.fetch(urljoin(answer.url, answer.header("Location")), deadline)
    return answer


def _recognise(answer: Answer) -> tuple[str, str]:
    from runner.actions.content.facts import read_facts

    markup = answer.body.decode("utf-8", "replace")
    generator = read_facts(markup, answer.url).generator or answer.header("X-Generator")
    for sign, text in (("its page's generator", generator), ("addresses in its page", _addresses(markup))):
        for cms, pattern in _SIGNS.items():
            if re.search(pattern, text, re.IGNORECASE):
                return cms, sign
    return "", ""


def _addresses(markup: str) -> str:
    return " ".join(re.findall(r"""(?:src|href)\s*=\s*["']([^"'<>]{1,300})""", markup, re.IGNORECASE)[:500])


def _certificate(answer: Answer) -> tuple[str, ...]:
    if answer.certificate is None:
        return ("certificate: none was seen",)
    days = (answer.certificate.expires - datetime.now(UTC)).days
    trusted = "trusted" if answer.certificate.trusted else "not trusted"
    return (f"certificate: {trusted}, ends in {days} days ({answer.certificate.expires:%Y-%m-%d})",)


def probe_server(settings: Mapping[str, Any], url: str) -> ServerSeen:
    """Given a server's settings and the site's address, look at its host key and, where that is known, for the log."""
    connections, access = open_connections(), Access("web1", settings)
    try:
        return _look(connections, access, url)
    except RunnerError as error:
        return ServerSeen((), (f"server: {str(error).splitlines()[0]}",))
    finally:
        connections.close()


def _look(connections: Connections, access: Access, url: str) -> ServerSeen:
    told = []
    if access.settings.get("connection") != "local":
        key, verdict = connections.fetch_host_key(access, Deadline.after(LIMIT))
        told.append(f"server: answers; host key {key.kind} {key.fingerprint} ({verdict})")
        if verdict is not Verdict.KNOWN:
            return ServerSeen((), (*told, "access log: not looked for, because the host key is not trusted yet"))
    connection = connections.get(access)
    path = find_log(connection, url)
    return ServerSeen(path, (*told, f"access log: {', '.join(path)}" if path else "access log: none was found"))


def find_log(connection: Connection, url: str) -> tuple[str, ...]:
    """Given a connection and the site's address, return the paths of its access log, as logs.discover finds them."""
    from runner.actions.logs_discover import run

    inputs: dict[str, Any] = {"configurations": [], "places": [], "path": []}
    now, deadline, recorder = datetime.now(UTC), Deadline.after(LIMIT), DryRecorder(None, "init", None)
    target = {"name": "site", "kind": "website", "url": url}
    call = Call(target, inputs, deadline, now, lambda: connection, keep_nothing, recorder, {}, Path(), _nobody)
    return tuple(run(call).outputs["path"])


def _nobody() -> Any:
    raise AssertionError("a look tells nobody")
