"""The demo court's website: static pages, feed, files, and the database its content comes from."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from runner.messages import render_date

DATA = Path(__file__).parent / "data"
OPENED = 400  # days since the site was opened: the age of what never changes
_TABLES = """
CREATE TABLE articles (slug TEXT PRIMARY KEY, section TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
                       published TEXT NOT NULL);
CREATE TABLE files (name TEXT PRIMARY KEY, size INTEGER NOT NULL);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Article:
    """A page of the site: its section ("news", "announcements", "pages"), texts and day."""

    slug: str
    section: str
    title: str
    text: str
    published: datetime


def load_articles(now: datetime) -> list[Article]:
    """Given the time that the demo plays at, return all articles with their days counted back from it."""
    content = _content()
    return [
        Article(
            slug=entry["slug"],
            section=section,
            title=entry["title"],
            text=entry["text"],
            published=(now - timedelta(days=entry.get("age_days", OPENED))).replace(hour=2, minute=30, second=0),
        )
        for section in ("news", "announcements", "pages")
        for entry in content[section]
    ]


def write_site(root: Path, articles: Iterable[Article]) -> None:
    """Given articles, write the whole website below `root`."""
    articles = list(articles)
    news = [a for a in articles if a.section == "news"]
    announcements = [a for a in articles if a.section == "announcements"]
    for article in articles:
        _write(
            root / _address(article), _page(article.title, _paragraph(article), article.published), article.published
        )
    listing = _listing("Berita terbaru", news) + _listing("Pengumuman", announcements)
    _write(root / "index.html", _page("Beranda", listing, news[0].published), news[0].published)
    newest = announcements[0].published
    _write(root / "pengumuman.html", _page("Pengumuman", _listing("Daftar", announcements), newest), newest)
    _write(root / "feed.xml", _feed(news), news[0].published)
    _write(root / "style.css", (DATA / "style.css").read_text("utf-8"), newest)
    for upload in _content()["uploads"]:
        _write(root / "uploads" / upload["name"], upload["text"], newest)


def write_database(path: Path, articles: Iterable[Article]) -> None:
    """Given articles, write the site's SQLite database."""
    path.parent.mkdir(parents=True, exist_ok=True)
    uploads = [(upload["name"], len(upload["text"].encode())) for upload in _content()["uploads"]]
    rows = [(a.slug, a.section, a.title, a.text, a.published.isoformat()) for a in articles]
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(_TABLES)
        database.executemany("INSERT INTO articles VALUES (?, ?, ?, ?, ?)", rows)
        database.executemany("INSERT INTO files VALUES (?, ?)", uploads)
        database.execute("INSERT INTO settings VALUES ('title', 'Pengadilan Negeri Contoh')")


def _content() -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads((DATA / "content.json").read_text("utf-8"))
    return content


def _address(article: Article) -> str:
    folder = {"news": "berita/", "announcements": "pengumuman/"}.get(article.section, "")
    return f"{folder}{article.slug}.html"


def _page(title: str, body: str, day: datetime) -> str:
    page = Template((DATA / "page.html").read_text("utf-8"))
    return page.substitute(
        title=escape(title), body=body, iso=day.date().isoformat(), day=escape(render_date(day, "id"))
    )


def _paragraph(article: Article) -> str:
    return f"<p>{escape(article.text)}</p>"


def _listing(heading: str, articles: Iterable[Article]) -> str:
    items = "\n".join(
        f'<li><a href="/{_address(a)}">{escape(a.title)}</a>, '
        f'<time datetime="{a.published.date()}">{escape(render_date(a.published, "id"))}</time></li>'
        for a in articles
    )
    return f"<h2>{escape(heading)}</h2>\n<ul>\n{items}\n</ul>\n"


def _feed(news: Iterable[Article]) -> str:
    items = "\n".join(
        f"<item><title>{escape(a.title)}</title><link>/{_address(a)}</link>"
        f"<pubDate>{format_datetime(a.published)}</pubDate></item>"
        for a in news
    )
    channel = "<title>Pengadilan Negeri Contoh</title><link>/</link><description>Berita</description>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>{channel}\n{items}\n</channel></rss>\n'


def _write(path: Path, text: str, day: datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    os.utime(path, (day.timestamp(), day.timestamp()))
