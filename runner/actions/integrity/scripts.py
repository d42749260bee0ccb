"""Rules about where a page leads by itself: canonical addresses, redirects, scripts, frames, a shop's marks."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import unquote

from runner.actions.integrity.findings import Finding, Weight
from runner.actions.integrity.hosts import host_of, is_known
from runner.actions.integrity.markup import LONGEST_SCRIPT, read_markup
from runner.actions.integrity.parts import Piece
from runner.actions.integrity.sights import Scene
from runner.actions.integrity.wording import read_link
from runner.actions.integrity.words import Meaning, read_address

STRONG, WEAK = Weight.STRONG, Weight.WEAK
MOST_DECODED = 50
SHORT_SCRIPT = 4000  # of a longer one, an address and a condition need not belong together
ALMOST_EMPTY = 30  # words of a page that only sends on

_REFRESH = re.compile(r"[\s\d.]{0,20}[;,]\s{0,5}(?:url\s{0,5}=)?\s{0,5}['\"]?([^'\"\s>]{1,2000})", re.IGNORECASE)
_GO = re.compile(
    r"\blocation(?:\.href)?\s{0,5}=\s{0,5}[\"'`]([^\"'`\s]{4,500})[\"'`]"
    r"|\blocation\.(?:replace|assign)\(\s{0,5}[\"'`]([^\"'`\s]{4,500})[\"'`]"
)
_URL = re.compile(r"[\"'`]((?:https?:)?//[^\"'`\s<>]{4,500})[\"'`]")
_SORTS = re.compile(r"document\s?\.\s?referrer|navigator\s?\.\s?userAgent", re.IGNORECASE)
_ENGINES = re.compile(r"google|bing\b|yahoo|yandex|duckduck|baidu|googlebot|android|iphone|mobile", re.IGNORECASE)
_SENDS = re.compile(r"\blocation(?:\.href)?\s{0,5}=(?!=)|\blocation\.(?:replace|assign)\(|\bwindow\.open\(")
_BASE64 = re.compile(r"atob\s{0,3}\(\s{0,3}[\"'`]([A-Za-z0-9+/=_-]{12,100000})[\"'`]")
_PERCENT = re.compile(r"(?:unescape|decodeURIComponent)\s{0,3}\(\s{0,3}[\"'`]([^\"'`]{6,100000})[\"'`]")
_CODES = re.compile(r"fromCharCode\s{0,3}\(\s{0,3}((?:(?:0x)?[0-9a-fA-F]{1,4}\s?,\s?){8,20000}(?:0x)?[0-9a-fA-F]{1,4})")
_HEX = re.compile(r"(?:\\x[0-9a-fA-F]{2}){12,20000}")
_RUNS = re.compile(
    r"\beval\s{0,3}\(|document\s?\.\s?write(?:ln)?\s{0,3}\(|\bFunction\s{0,3}\(|innerHTML|insertAdjacentHTML"
)
_SHOP_TYPE = re.compile(r"\"@type\"\s{0,5}:\s{0,5}\"(?:Product|AggregateOffer|AggregateRating)\"")
_SHOP_HOSTS = re.compile(
    r"(?:^|\.)(?:lazcdn|lazada|slatic|alicdn|tokopedia|shopee|susercontent|bukalapak|etsystatic|envato|creativemarket)\b"
)


def check_canonical(scene: Scene) -> Iterator[Finding]:
    """Given a page, find canonical, AMP and social addresses that lead to somebody else's site."""
    if not scene.own:
        return
    for piece in scene.pieces("link canonical", "link amphtml", "meta og:url"):
        host = scene.foreign(piece.text)
        if host:
            social = piece.kind == "meta og:url"
            weight = WEAK if social or (is_known(host) and not read_address(piece.text).meaning) else STRONG
            yield scene.find("offsite_canonical", weight, piece.at, f"{piece.kind.split()[-1]}: {piece.text}")


def check_redirect(scene: Scene) -> Iterator[Finding]:
    """Given a page, find a refresh that leads to somebody else's site."""
    for piece in scene.pieces("meta refresh"):
        match = _REFRESH.match(piece.text)
        host = scene.foreign(match[1]) if match else ""
        if host:
            yield scene.find("page_redirect", WEAK if is_known(host) else STRONG, piece.at, piece.text)


def check_shop(scene: Scene) -> Iterator[Finding]:
    """Given a page, find the marks of a copied shop: a product with stars, parts from a shop's hosts."""
    for piece in scene.pieces("json"):
        if match := _SHOP_TYPE.search(piece.text):
            yield scene.find("shop_page", WEAK, piece.at, match[0])
            return
    for piece in scene.pieces(
        "script source", "link stylesheet", "link preload", "link preconnect", "link dns-prefetch"
    ):
        if _SHOP_HOSTS.search(host_of(piece.text, scene.url)):
            yield scene.find("shop_page", WEAK, piece.at, piece.text)
            return


def check_frames(scene: Scene) -> Iterator[Finding]:
    """Given a page, find frames from elsewhere that nobody sees, that lie over the page, or that sell."""
    for piece in scene.pieces("frame"):
        host = scene.foreign(piece.text)
        sells = read_address(piece.text).meaning
        if host and sells:
            yield scene.find("hidden_frame", STRONG, piece.at, piece.text)
        elif host and piece.hidden not in ("", "noscript") and not is_known(host):
            weight = STRONG if piece.hidden == "over" else WEAK
            yield scene.find("hidden_frame", weight, piece.at, f"[{piece.hidden}] {piece.text}")


def check_scripts(scene: Scene) -> Iterator[Finding]:
    """Given a page, find scripts that lead elsewhere, write links that sell, or hide what they do."""
    for piece in scene.pieces("script"):
        hidden = decode_script(piece.text)
        yield from _check_going(scene, piece, piece.text + "\n" + hidden)
        yield from _check_writing(scene, piece, hidden)


def _check_going(scene: Scene, piece: Piece, code: str) -> Iterator[Finding]:
    if not _SENDS.search(code):
        return
    going = [match[1] or match[2] for match in _GO.finditer(code)]
    there = [url for url in going if "${" not in url and (host := scene.foreign(url)) and not is_known(host)]
    if _SORTS.search(code) and _ENGINES.search(code):
        short = code if len(code) <= SHORT_SCRIPT else ""
        named = [m[1] for m in _URL.finditer(short) if (host := scene.foreign(m[1])) and not is_known(host)]
        if there or (named and not going):
            yield scene.find("script_redirect", STRONG, piece.at, (there or named)[0])
            return
    if there:
        sells = any(read_address(url).meaning for url in there)
        alone = len(scene.markup.text.split()) < ALMOST_EMPTY
        yield scene.find("script_redirect", STRONG if sells or alone else WEAK, piece.at, there[0])


def _check_writing(scene: Scene, piece: Piece, hidden: str) -> Iterator[Finding]:
    if "<" in piece.text:
        yield from _selling_links(scene, piece, piece.text.replace("\\/", "/").replace('\\"', '"'), "script_links")
    if not hidden:
        return
    found = list(_selling_links(scene, piece, hidden, "hidden_script"))
    yield from found
    hosts = [
        m for m in re.findall(r"(?:https?:)?//([\w.-]{4,200})", hidden) if scene.foreign(f"//{m}") and not is_known(m)
    ]
    if hosts and not found and _RUNS.search(piece.text):
        yield scene.find("hidden_script", STRONG, piece.at, hidden)
    elif not found and "<" in hidden and re.search(r"\beval\s{0,3}\(", piece.text):
        yield scene.find("hidden_script", WEAK, piece.at, hidden)


def _selling_links(scene: Scene, piece: Piece, text: str, rule: str) -> Iterator[Finding]:
    if "<a" not in text.lower():
        return
    for link in read_markup(text[:LONGEST_SCRIPT]).links:
        if read_link(link).meaning in (Meaning.PROMO, Meaning.OTHER):
            yield scene.find(rule, STRONG, piece.at, f"{link.text} → {link.href}")
            return


def decode_script(code: str) -> str:
    """Given a script, return what it holds in base64, percent signs, character codes and hexadecimal."""
    found: list[str] = []
    for pattern, decode in ((_BASE64, _from_base64), (_PERCENT, unquote), (_CODES, _from_codes), (_HEX, _from_hex)):
        for match in pattern.finditer(code):
            if len(found) < MOST_DECODED:
                found.append(decode(match[match.lastindex or 0]))
    return "\n".join(filter(None, found))[:LONGEST_SCRIPT]


def _from_base64(text: str) -> str:
    try:
        plain = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return ""
    return plain.decode("utf-8", "replace")


def _from_codes(text: str) -> str:
    codes = (int(part.strip(), 16 if "x" in part else 10) for part in text.split(",") if _is_number(part.strip()))
    return "".join(chr(code) for code in codes if code < 0xD800)


def _is_number(text: str) -> bool:
    return text.isdigit() or text.lower().startswith("0x")


def _from_hex(text: str) -> str:
    return bytes.fromhex(text.replace("\\x", "")).decode("utf-8", "replace")
