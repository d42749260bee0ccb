"""Marks by which search engines know a site's owners: who plants one sees, and steers, what they show of the site.

A mark is a tag in a page's head, or a file at the root whose name nobody can guess: it is asked for where the site
itself, or an earlier look, names it. Bing's file always has the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from runner.actions.integrity.outside import Outside
from runner.actions.integrity.sights import BROWSER
from runner.actions.web.text import decode_body

TAGS = (
    *("google-site-verification", "msvalidate.01", "yandex-verification", "p:domain_verify", "norton-safeweb"),
    *("baidu-site-verification", "naver-site-verification", "sogou_site_verification", "360-site-verification"),
    *("facebook-domain-verification", "wot-verification"),
)
BING = "BingSiteAuth.xml"
MOST_FILES = 12

_FILE = re.compile(rf"(?:google|naver|yandex_|baidu_verify_)[\w-]{{4,60}}\.html|{re.escape(BING)}")
_NAMED = re.compile(rf"/({_FILE.pattern})(?![\w.-])")
_OWNER = re.compile(r"<user>\s{0,20}([0-9A-Za-z]{1,64})\s{0,20}</user>")
_LONGEST_MARK = 400


def file_names(texts: Iterable[str]) -> list[str]:
    """Given addresses and other texts, return the names of marks' files in them, each once."""
    return list(dict.fromkeys(match[1] for text in texts for match in _NAMED.finditer(text)))


def mark_of(name: str, text: str) -> str:
    """Given a file's name and text, return the mark it is; "" where it is none: many sites answer whatever is asked."""
    if not _FILE.fullmatch(name):
        return ""
    if name == BING:
        owners = sorted(set(_OWNER.findall(text[:100_000])))
        return f"{BING}: {', '.join(owners)[:200]}" if owners else ""
    code = name.removesuffix(".html").rpartition("_")[2]
    told = code in text or (name.startswith("baidu") and "<" not in text)  # Baidu's holds another code than its name
    return name if text and told and len(text) <= _LONGEST_MARK else ""


def see_marks(outside: Outside, named: Iterable[str], known: Iterable[str]) -> list[str]:
    """Given who visits, texts of the site that may name marks' files, and the marks known before, return the marks
    whose files are there. One that cannot be asked for is told as unseen."""
    earlier = [mark.partition(":")[0] for mark in known]
    names = [BING, *(name for name in earlier if _FILE.fullmatch(name)), *file_names(named)]
    found: list[str] = []
    for name in list(dict.fromkeys(names))[:MOST_FILES]:
        url = urljoin(outside.url, f"/{name}")
        if outside.deadline.passed:
            outside.add_unseen("tanda verifikasi mesin pencari: waktu habis")
            break
        answer = outside.get(url, BROWSER)
        if answer.fault:
            outside.add_unseen(f"{url}: {answer.fault.message}")
        elif answer.status == 200 and urlsplit(answer.url).path == f"/{name}":
            found.append(mark_of(name, decode_body(answer).strip()))
    return [mark for mark in found if mark]
