"""A visit: a request and its redirects, as long as they stay at home."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from urllib.parse import urljoin

from runner.actions.web.faults import Cause, Fault, VisitError
from runner.actions.web.fetch import Answer, Fetcher, parse_place
from runner.durations import Deadline

REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Visit:
    """The answers of one visit in order; the last one counts."""

    answers: tuple[Answer, ...]

    @property
    def last(self) -> Answer:
        """The answer at the end of the redirects."""
        return self.answers[-1]

    @property
    def seconds(self) -> float:
        """What all phases of all answers took together."""
        return round(sum(sum(answer.timings.values()) for answer in self.answers), 6)

    def without_bodies(self) -> Visit:
        """The same with nothing of the pages."""
        return Visit(tuple(replace(answer, body=b"") for answer in self.answers))


def visit(url: str, deadline: Deadline, fetcher: Fetcher, *, hosts: Collection[str], most: int) -> Visit:
    """Given a URL, follow at most `most` redirects inside `hosts` and return the visit; a fault ends it."""
    answers: list[Answer] = []
    for _ in range(most + 1):
        answer = fetcher.fetch(url, deadline)
        answers.append(answer)
        if answer.fault or answer.status not in REDIRECTS or not answer.header("Location"):
            return Visit(tuple(answers))
        url, fault = _next(answer, hosts, [known.url for known in answers])
        if fault:
            answers[-1] = replace(answer, fault=fault)
            return Visit(tuple(answers))
    answers[-1] = replace(answers[-1], fault=Fault(Cause.REDIRECT, f"lebih dari {most} pengalihan berturut-turut"))
    return Visit(tuple(answers))


def _next(answer: Answer, hosts: Collection[str], seen: list[str]) -> tuple[str, Fault | None]:
    try:
        url = urljoin(answer.url, answer.header("Location").strip())
        host = parse_place(url).host
    except ValueError:
        return "", Fault(Cause.REDIRECT, "dialihkan ke alamat yang tidak sah")
    except VisitError as error:
        return "", error.fault
    if answer.url.startswith("https:") and url.startswith("http:"):
        return url, Fault(Cause.REDIRECT, f"dialihkan dari https ke http yang tidak aman, di {host}")
    if not is_own(host, hosts):
        return url, Fault(Cause.ELSEWHERE, f"dialihkan ke luar situs pengadilan, ke {host}")
    if url in seen:
        return url, Fault(Cause.REDIRECT, "pengalihan berputar-putar")
    return url, None


def is_own(host: str, hosts: Collection[str]) -> bool:
    """Given a host, return whether it is one of `hosts`, with or without www, or stands below one of them."""
    bare = host.removeprefix("www.")
    return any(bare == own or bare.endswith("." + own) for own in (known.removeprefix("www.") for known in hosts))
