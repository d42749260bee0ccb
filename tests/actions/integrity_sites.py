"""Self-made court websites for the tests of website.integrity: pages by path, and what each visitor is shown.

with visitor_server(lambda visit: Reply(...)) as url: …
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.web_servers import NOT_THERE, Handler, Reply, serve

CASES = Path(__file__).parents[1] / "cases" / "website.integrity"
HOME = (CASES / "clean" / "criminal-reports.html").read_text("utf-8").replace("https://pn-contoh.example/", "/")
PAGE = '<html lang="id"><title>{0} - Pengadilan Negeri Contoh</title><h1>{0}</h1><p>Sidang perkara dibuka.</p></html>'
PAGES = {
    "/": HOME,
    "/berita": PAGE.format("Berita"),
    "/robots.txt": "User-agent: *\nDisallow: /administrator/\nSitemap: /sitemap.xml\n",
    "/sitemap.xml": "",
    "/media/site.css": ".kop{color:#000}",
}
SELLING = '<html lang="id"><title>Situs Slot Gacor Hari Ini</title><h1>Slot Gacor</h1><p>Daftar sekarang.</p></html>'
FARM = (
    '<div class="kop"><a href="https://a.kebun.example/">Slot Gacor</a><a href="https://b.kebun.example/">RTP</a></div>'
)


class Visit(NamedTuple):
    """A request: what is asked for, and as whom."""

    target: str
    agent: str
    referer: str

    @property
    def path(self) -> str:
        """What is asked for, without a query."""
        return self.target.partition("?")[0]

    @property
    def is_robot(self) -> bool:
        """Whether a search engine asks."""
        return "Googlebot" in self.agent or "Google-InspectionTool" in self.agent


@contextmanager
def visitor_server(answer: Callable[[Visit], Reply | str | None]) -> Iterator[str]:
    """Serve what `answer` gives for a visit (None: 404) and yield the base URL, http://127.0.0.1:port."""

    class Visits(Handler):
        def get(self) -> None:
            given = answer(Visit(self.path, self.headers.get("User-Agent", ""), self.headers.get("Referer", "")))
            self.send(NOT_THERE if given is None else given)

    with serve(Visits) as url:
        yield f"{url}/"


def site(changed: Mapping[str, Reply | str | None] | None = None) -> Callable[[Visit], Reply | str | None]:
    """The clean court site, with some paths (or targets with their query) answered otherwise."""
    pages: dict[str, Reply | str | None] = {**PAGES, **(changed or {})}
    return lambda visit: pages.get(visit.target, pages.get(visit.path))


def sitemap(*addresses: str) -> str:
    """A sitemap of these addresses."""
    urls = "".join(f"<url><loc>{address}</loc></url>" for address in addresses)
    return f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
