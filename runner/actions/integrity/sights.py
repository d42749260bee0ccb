"""What was seen of a page, and as whom: the five views."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from runner.actions.integrity.findings import Finding, Weight
from runner.actions.integrity.hosts import defang, host_of, is_foreign
from runner.actions.integrity.parts import Markup, Piece


class View(NamedTuple):
    """As whom a page is visited: user agent, and where from ("" for nowhere)."""

    name: str
    agent: str
    referer: str = ""


_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0"
_PHONE = "Mozilla/5.0 (Linux; Android 10; K)"
SEARCH = "https://www.google.co.id/"

BROWSER = View("browser", f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36")
FROM_SEARCH = View("from_search", BROWSER.agent, SEARCH)
GOOGLEBOT = View(
    "search_engine",
    f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {_CHROME} Mobile Safari/537.36"
    " (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
)
INSPECTION = View(
    "search_inspection",
    f"{_PHONE} {_CHROME} Mobile Safari/537.36 (compatible; Google-InspectionTool/1.0; bingbot/2.0)",
)
MOBILE = View("mobile", f"{_PHONE} {_CHROME} Mobile Safari/537.36", SEARCH)
VIEWS = (BROWSER, FROM_SEARCH, GOOGLEBOT, INSPECTION, MOBILE)

NAMES = {
    "browser": "peramban biasa",
    "from_search": "peramban dari hasil pencarian",
    "search_engine": "mesin pencari",
    "search_inspection": "alat periksa mesin pencari",
    "mobile": "ponsel dari hasil pencarian",
}


@dataclass(frozen=True, slots=True)
class Sight:
    """A page as one view saw it: `url` as asked for, `final` where it ended, `status` there; `elsewhere` is the foreign
    address it was sent to ("" for none), `fault` why there is nothing to read."""

    view: str
    url: str
    final: str = ""
    status: int | None = None
    elsewhere: str = ""
    markup: Markup | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """One sight to be judged, and whose hosts are the court's own; without `own` (a file without an address) nothing
    is said about what is foreign in its head."""

    markup: Markup
    url: str
    own: Collection[str]
    view: str = ""
    _hosts: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """Against what relative addresses are read."""
        return self.url

    def foreign(self, address: str) -> str:
        """Given an address on the page, return its host when that is somebody else's, else ""."""
        if address not in self._hosts:
            host = host_of(address, self.base)
            self._hosts[address] = host if is_foreign(host, self.own) else ""
        return self._hosts[address]

    def find(self, rule: str, weight: Weight, at: int, excerpt: str) -> Finding:
        """A finding on this page at that offset."""
        return Finding(rule, weight, self.url, self.markup.line(at), defang(excerpt), self.view)

    def pieces(self, *kinds: str) -> list[Piece]:
        """The page's pieces of these kinds."""
        return self.markup.all(*kinds)
