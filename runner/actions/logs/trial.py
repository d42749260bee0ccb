"""Tries rules on lines written for them: those that they must meet, and those that they must not.

A line is what stands between a log's first quote and its last: `GET /x HTTP/1.1" 200 512 "referer" "agent`, its end
left out where it does not matter. For a correlation `12 x …` stands for twelve such lines within a minute, in which
{n} counts; several of them make one example.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import NamedTuple

from runner.actions.logs.detector import Detector
from runner.actions.logs.engines import ENGINES
from runner.actions.logs.layouts import COMBINED, read_line
from runner.actions.logs.pack import Pack
from runner.actions.logs.scanning import Scan, Terms
from runner.actions.logs.sigma import Correlation, Rule

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
LEAST_LINES = 2
NOWHERE = (ip_network("192.0.2.0/32"),)  # no line comes from there: each engine is a false one
_MANY = re.compile(r"(\d{1,6}) x (.*)", re.DOTALL)
_REST = ('" 200', " 512", ' "-', '" "Mozilla/5.0 (Windows NT 10.0; Win64; x64)', '"')


class Mistaken(NamedTuple):
    """A rule that does not do what its lines say."""

    rule: str
    line: str
    message: str


def check_rule(rule: Rule | Correlation, pack: Pack, detector: Detector) -> Iterator[Mistaken]:
    """Given a rule, hold it against its own lines; yield what is wrong."""
    if isinstance(rule, Rule) and rule.blind:
        return
    if isinstance(rule, Correlation):  # alone: another might tell its lines first
        pack = replace(pack, correlations={rule.name: rule})
    every = rule.name in detector.every
    for name, examples in (("match", rule.match), ("clean", rule.clean)):
        if len(examples) < LEAST_LINES and not (every and name == "clean"):
            yield Mistaken(rule.name, "", f"it has {len(examples)} lines under {name}. write {LEAST_LINES} or more")
        for example in examples:
            lines = (example,) if isinstance(example, str) else tuple(example)
            met = rule.name in met_by(lines, pack, detector)
            if met != (name == "match"):
                wrong = "does not meet a line that it must" if name == "match" else "meets a line that it must not"
                yield Mistaken(rule.name, " | ".join(lines), f"it {wrong}. mend the rule or the line")


def met_by(lines: Sequence[str], pack: Pack, detector: Detector) -> set[str]:
    """Given lines as written for a rule, return the names of the rules that they meet, also of those that count."""
    scan = Scan(pack, detector, Terms(START + timedelta(days=60), UTC, ranges=dict.fromkeys(ENGINES, NOWHERE)))
    met = set(detector.every)
    raw = b"".join(expand(lines))
    scan.feed(raw)
    scan.end()
    scan.finish()
    for line in raw.splitlines()[:1000]:
        entry = read_line(line, COMBINED)
        if entry:
            met |= {each.rule.name for each in detector.judge(entry)}
    return met | set(scan.findings)


def expand(lines: Sequence[str]) -> Iterator[bytes]:
    """Given lines as written for a rule, return them as they stand in a log, with their ends."""
    at = START
    total = sum(int(found[1]) if (found := _MANY.fullmatch(line)) else 1 for line in lines)
    step = min(timedelta(seconds=3), timedelta(seconds=50) / max(total, 1))
    for line in lines:
        many = _MANY.fullmatch(line)
        number, text = (int(many[1]), many[2]) if many else (1, line)
        for n in range(1, number + 1):
            yield _whole(text.replace("{n}", str(n)), at)
            at += step


def _whole(text: str, at: datetime) -> bytes:
    stamp = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    parts = text.count('" ')
    rest = _REST[0:] if parts == 0 else _rest_of(text)
    return f'203.0.113.9 - - [{stamp}] "{text}{"".join(rest)}\n'.encode("utf-8", "surrogateescape")


def _rest_of(text: str) -> Sequence[str]:
    """What is missing of a line that goes on behind its request."""
    behind = text[text.rindex("HTTP/") :] if "HTTP/" in text else text
    if re.fullmatch(r'[^"]*" \d{3}', behind):
        return _REST[1:]
    if re.fullmatch(r'[^"]*" \d{3} \d+', behind):
        return _REST[2:]
    if re.fullmatch(r'[^"]*" \d{3} \d+ "[^"]*', behind):
        return _REST[3:]
    return _REST[4:]
