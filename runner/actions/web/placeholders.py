"""Pages that answer 200 but are not the site: a hoster's or registry's notice, a default, maintenance or error page.

A court writes about suspended accounts and failed databases, too. So a phrase counts in a title only when the title
begins with it, and in the text only on a short page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from runner.actions.web.pages import Page

SHORT_PAGE = 3000
LONGEST_ERROR_START = 400


class PageKind(StrEnum):
    """What a page is. Kept as words."""

    SITE = "site"
    EMPTY = "empty"
    PAYMENT = "payment"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    DEFAULT = "default"
    LISTING = "listing"
    MAINTENANCE = "maintenance"
    ERROR = "error"


WORDS = {
    PageKind.EMPTY: "halaman kosong",
    PageKind.PAYMENT: "halaman pemberitahuan pembayaran nama domain",
    PageKind.SUSPENDED: "halaman penangguhan dari penyedia hosting",
    PageKind.EXPIRED: "halaman nama domain atau layanan yang habis masa berlakunya",
    PageKind.DEFAULT: "halaman bawaan server",
    PageKind.LISTING: "daftar isi folder",
    PageKind.MAINTENANCE: "halaman pemeliharaan",
    PageKind.ERROR: "halaman kesalahan",
}


class _Sign(NamedTuple):
    """A title that begins with `title`, a short page with `text` on it, or `address` in the final address."""

    kind: PageKind
    title: re.Pattern[str] | None
    text: re.Pattern[str] | None
    address: str


def _sign(kind: PageKind, titles: Sequence[str] = (), texts: Sequence[str] = (), address: str = "") -> _Sign:
    return _Sign(kind, _any_of(titles), _any_of(texts), address)


def _any_of(rules: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{rule})" for rule in rules), re.IGNORECASE) if rules else None


_SIGNS = (
    _sign(
        PageKind.PAYMENT,
        texts=(
            r"penyelesaian pembayaran sewa nama domain",
            r"melakukan permohonan invoice",
            r"pembayaran (?:sewa )?nama domain",
        ),
    ),
    _sign(
        PageKind.SUSPENDED,
        titles=(
            r"(?:account (?:has been )?)?suspended",
            r"this (?:site|account|domain) (?:has been|is) suspended",
            r"(?:akun|situs|layanan|website|hosting) (?:ini )?(?:telah )?(?:ditangguhkan|disuspend|dinonaktifkan)",
            r"(?:website|site) (?:is )?(?:suspended|disabled)",
        ),
        texts=(
            r"this (?:account|site|domain) (?:has been|is) suspended",
            r"(?:akun|layanan|situs|website|hosting)(?: \w+)? (?:telah |sedang |ini ){0,3}"
            r"(?:ditangguhkan|disuspend|dinonaktifkan)",
        ),
        address="/cgi-sys/suspendedpage.cgi",
    ),
    _sign(
        PageKind.EXPIRED,
        titles=(
            r"(?:this )?domain (?:name )?(?:has |is )?expired",
            r"domain (?:ini )?(?:telah |sudah )?(?:kedaluwarsa|kadaluarsa)",
            r"(?:this )?domain (?:is )?(?:for sale|parked)",
        ),
        texts=(
            r"this domain (?:name )?(?:has|is) expired",
            r"domain ini (?:telah |sudah )?(?:kedaluwarsa|kadaluarsa|berakhir)",
            r"masa (?:aktif|berlaku) (?:domain|hosting)(?: \w+)? (?:telah |sudah )?(?:habis|berakhir)",
            r"this domain (?:may be|is) for sale",
            r"domain is parked",
        ),
    ),
    _sign(
        PageKind.DEFAULT,
        titles=(
            r"welcome to (?:nginx|openresty|caddy)",
            r"apache2? (?:\w+ ){0,3}default page",
            r"test page for (?:the )?(?:apache|nginx|http server)",
            r"http server test page",
            r"it works",
            r"iis windows",
            r"(?:success!|congratulations!) your (?:new )?(?:web ?site|web server|domain)",
            r"(?:welcome to|selamat datang di) (?:your new|xampp|cpanel|plesk|directadmin|aapanel|litespeed)",
            r"(?:web server'?s |domain )?default (?:web ?site |plesk )?page",
        ),
        texts=(
            r"^it works!$",
            r"the web server software is running but no content has been added",
            r"sorry! if you are the owner of this website",
            r"there is no website configured at this address",
            r"future home of (?:something quite cool|a new (?:web)?site)",
            r"this is the default (?:web page|welcome page|index page)",
            r"apache is functioning normally",
        ),
        address="/cgi-sys/defaultwebpage.cgi",
    ),
    _sign(PageKind.LISTING, titles=(r"index of /",)),
    _sign(
        PageKind.MAINTENANCE,
        titles=(
            r"(?:site |website )?(?:is )?(?:under|down for|undergoing) (?:\w+ )?(?:maintenance|construction)",
            r"maintenance(?: mode)?$",
            r"(?:situs |website )?(?:ini )?sedang dalam (?:perbaikan|pemeliharaan)",
            r"coming soon$",
        ),
        texts=(
            r"briefly unavailable for scheduled maintenance",
            r"(?:site|website) is (?:down for|under|undergoing) (?:\w+ )?maintenance",
            r"(?:situs|website|web|halaman)(?: \w+)? (?:ini )?(?:sedang )?(?:dalam|menjalani|under) "
            r"(?:tahap |masa |proses )?(?:perbaikan|pemeliharaan|maintenance|pengembangan|konstruksi)",
        ),
    ),
    _sign(
        PageKind.ERROR,
        titles=(
            r"(?:wordpress|database) (?:› )?(?:database )?error",
            r"error establishing a database connection",
            r"(?:http )?(?:error )?50[0-9]\b",
            r"(?:internal server error|service unavailable|bad gateway|gateway time-?out|web server is down)",
            r"[\w.-]{3,60} \| 5\d\d: ",
            r"(?:bandwidth limit exceeded|resource limit is reached)",
            r"error: 0\b",
        ),
        texts=(
            r"error establishing a database connection",
            r"error displaying the error page",
            r"there has been a critical error on th(?:is|e) website",
            r"could not connect to (?:the )?(?:mysql|database)",
            r"database connection error",
            r"sqlstate\[",
            r"bandwidth limit exceeded",
            r"kesalahan (?:saat )?(?:koneksi|menyambung(?:kan)?)(?: ke)? (?:database|basis data)",
        ),
    ),
)
# A PHP error stands at the very beginning of what it broke, whatever follows.
_PHP_ERROR = re.compile(
    r"(?:fatal error|parse error) ?: .{0,300}? on line \d+|uncaught [\w\\]{0,60}(?:error|exception)", re.IGNORECASE
)


def page_kind(page: Page, url: str) -> PageKind:
    """Given a page that answered 200 and its final address, return what it is."""
    return kind_of(page.title, " ".join(page.whole.split()), url)


def kind_of(title: str, text: str, url: str) -> PageKind:
    """Given a page's title, its text on one line (of a long page the beginning will do) and its final address,
    return what it is."""
    if not text and not title:
        return PageKind.EMPTY
    if _PHP_ERROR.search(text[:LONGEST_ERROR_START]):
        return PageKind.ERROR
    short = text if len(text) <= SHORT_PAGE else ""
    return next((sign.kind for sign in _SIGNS if _fits(sign, title, short, url)), PageKind.SITE)


def _fits(sign: _Sign, title: str, text: str, url: str) -> bool:
    return bool(
        (sign.title and sign.title.match(title))
        or (sign.text and sign.text.search(text))
        or (sign.address and sign.address in url)
    )
