"""Rules about words: in titles, links, heads, hidden places; and letters of an alphabet that has no business there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from runner.actions.integrity.disguise import decodings, fold, touches
from runner.actions.integrity.findings import Finding, Weight
from runner.actions.integrity.hosts import is_known
from runner.actions.integrity.markup import read_markup
from runner.actions.integrity.parts import Link, Markup
from runner.actions.integrity.sights import Scene
from runner.actions.integrity.styles import HARD
from runner.actions.integrity.words import (
    BRAND,
    COURT,
    NOTHING,
    PROMO,
    SELLER,
    Meaning,
    Reading,
    is_legal,
    path_of,
    read_address,
    read_words,
    words_of_address,
)

STRONG, WEAK = Weight.STRONG, Weight.WEAK
SHORT = 7  # words of a link that is a label, not the headline of a report
FARM = 5  # foreign hosts in one hidden block that make it a farm of links
LARGE_FARM = 12
FEW, FEW_NAMES, ALONE = 3, 2, 2
MOST_COMMENTS = 200
ENOUGH = 3
AROUND = 400
MOST_ODD = 200

_SORTING = re.compile(
    r"/(?:tags?|label|kategori|category|topik|topic|search|cari|arsip|archive)/|[?&](?:s|q|tag|search|searchword)="
)
_CHUNK = re.compile(r"[^\n.]{1,400}")
_ODD = re.compile(r"[^\x00-\x7f]|[A-Za-z][0134578@$!|][A-Za-z]|\b\w \w \w \w\b|[a-z]I[a-z]")
_ALPHABETS = {
    "Jepang atau Tionghoa": re.compile("[\u3040-\u30ff\u3400-\u9fff]"),
    "Korea": re.compile("[\uac00-\ud7af]"),
    "Thai": re.compile("[\u0e00-\u0e7f]"),
    "Kiril": re.compile("[\u0400-\u04ff]"),
}
_FLOOD, _FLOOD_SHARE, _FLOOD_TITLE, _FLOOD_LINKS = 150, 0.15, 4, 10


def check_title(scene: Scene) -> Iterator[Finding]:
    """Given a page, find a title that sells."""
    for piece in scene.pieces("title")[:1]:
        reading = read_title(piece.text)
        if reading.meaning in (Meaning.PROMO, Meaning.OTHER):
            yield scene.find("promo_title", STRONG, piece.at, piece.text)
        if reading.disguised:
            yield scene.find("disguised_words", STRONG, piece.at, piece.text)


def read_title(text: str) -> Reading:
    """Given a title, return its meaning: where a brand or a topic stands beside two of a seller's words, it sells."""
    reading = read_words(text)
    if reading.meaning in (Meaning.PROMO, Meaning.OTHER) or reading.disguised:
        return reading
    plain = fold(text)
    sellers = {match[0] for match in SELLER.finditer(plain)}
    told = BRAND.search(plain)
    if len(sellers) >= 2 and not is_legal(plain) and (told or reading.meaning is Meaning.TOPIC):
        return Reading(Meaning.PROMO, told[0] if told else reading.words)
    return reading


def read_link(link: Link) -> Reading:
    """Given a link, return the stronger meaning of its text and of its address."""
    words = "" if "://" in link.text else link.text
    text, address = read_words(words), read_address(link.href)
    if Meaning.PROMO in (text.meaning, address.meaning) and text.meaning is not address.meaning:
        sold, other = (text, path_of(link.href)) if text.meaning is Meaning.PROMO else (address, words)
        # a headline and its address speak of one thing: a court's word in either counts for both
        return NOTHING if is_legal(fold(words_of_address(other))) else sold
    return text if text.meaning or text.disguised else address


def check_links(scene: Scene) -> Iterator[Finding]:
    """Given a page, find links that sell, and blocks of links that are hidden."""
    blocks: dict[int, list[Link]] = defaultdict(list)
    shown: list[tuple[int, Link, Reading]] = []
    for link in scene.markup.links:
        if link.hidden:
            blocks[link.block].append(link)
        elif score := _score(scene, link, read_link(link)):
            shown.append((score, link, read_link(link)))
        if (reading := read_link(link)).disguised:
            yield scene.find("disguised_words", STRONG, link.at, _shown(link, reading))
    found = [finding for links in blocks.values() for finding in _check_block(scene, links)]
    yield from found or _check_scattered(scene, list(blocks.values()))
    total = sum(score for score, _, _ in shown)
    for score, link, reading in shown:
        yield scene.find("promo_links", STRONG if total >= ENOUGH else WEAK, link.at, _shown(link, reading))
        if score == 0:
            return


def _score(scene: Scene, link: Link, reading: Reading) -> int:
    """How telling a link is that everybody sees: from 3 on it tells by itself."""
    foreign = scene.foreign(link.href)
    short = len(link.text.split()) <= SHORT
    if reading.meaning is Meaning.PROMO or (reading.meaning is Meaning.OTHER and foreign):
        if _SORTING.search(link.href) and not foreign:
            return 0
        return 3 if foreign and short else 2
    if reading.meaning is Meaning.TOPIC and foreign and len(link.text.split()) <= 3:
        return 0 if is_known(foreign) and not read_address(link.href).meaning else 1
    return 0


def _check_block(scene: Scene, links: list[Link]) -> Iterator[Finding]:
    told = [(link, reading) for link in links if (reading := read_link(link)).meaning]
    hosts = {host for link in links if (host := scene.foreign(link.href)) and not is_known(host)}
    selling = [
        (link, r)
        for link, r in told
        if r.meaning is not Meaning.TOPIC or (scene.foreign(link.href) and _is_label(link))
    ]
    way = links[0].hidden
    if selling:
        link, reading = selling[0]
        yield scene.find("hidden_links", STRONG, link.at, f"[{way}, {len(links)}] {_shown(link, reading)}")
    elif len(hosts) >= FARM and any(link.hidden in HARD for link in links):
        yield scene.find(
            "hidden_links", STRONG, links[0].at, f"[{way}, {len(links)}] {links[0].text} → {links[0].href}"
        )
    elif len(hosts) >= LARGE_FARM and way != "noscript":
        yield scene.find("hidden_links", WEAK, links[0].at, f"[{way}, {len(links)}] {links[0].text} → {links[0].href}")


def _check_scattered(scene: Scene, blocks: list[list[Link]]) -> Iterator[Finding]:
    """Find names that sellers give themselves, and single links each hidden by itself, where no word told them."""
    alone = [link for links in blocks if len(links) <= ALONE for link in links]
    hidden = [link for links in blocks for link in links if scene.foreign(link.href)]
    names = [link for link in hidden if BRAND.fullmatch(fold(link.text))]
    twice = sum(fold(link.text) in scene.foreign(link.href) for link in names)  # the host bears the name, too
    hosts = {host for link in alone if (host := scene.foreign(link.href)) and not is_known(host)}
    for told, links in ((len(names) + twice >= FEW_NAMES, names), (len(hosts) >= FEW, alone)):
        if told:
            shown = f"[{links[0].hidden}, {len(links)}] {links[0].text} → {links[0].href}"
            yield scene.find("hidden_links", STRONG if links is names else WEAK, links[0].at, shown)
            return


def _is_label(link: Link) -> bool:
    return len(link.text.split()) <= 3


def _shown(link: Link, reading: Reading) -> str:
    return f"{link.text[:70]} → {link.href}" if link.text else f"{reading.words} → {link.href}"


def check_structure(scene: Scene) -> Iterator[Finding]:
    """Given a page, find a seller's words in its head, headings and pictures."""
    worth = {"h1": 2, "meta description": 2, "meta og:title": 2, "meta twitter:title": 1, "meta keywords": 1}
    worth |= {"h2": 1, "h3": 1, "alt": 1, "meta og:description": 1}
    found = [
        (worth[piece.kind], piece, reading)
        for piece in scene.pieces(*worth)
        if (reading := read_words(piece.text)).meaning is Meaning.PROMO or reading.disguised
    ]
    total = sum(value for value, _, _ in found)
    for _, piece, reading in found if total > 1 else ():
        yield scene.find(
            "promo_structure", STRONG if total >= ENOUGH else WEAK, piece.at, f"{piece.kind}: {piece.text}"
        )
        if reading.disguised:
            yield scene.find("disguised_words", STRONG, piece.at, piece.text)


def check_hidden_words(scene: Scene) -> Iterator[Finding]:
    """Given a page, find a seller's words in what nobody sees: hidden text without links, and comments with links."""
    plain = fold(scene.markup.hidden_text)
    found = {match[0]: match.start() for match in PROMO.finditer(plain)}
    if len(found) >= ENOUGH and not is_legal(plain):
        at = min(found.values())
        yield scene.find("hidden_words", STRONG, 0, f"[{len(found)}] …{plain[max(0, at - 40) : at + 100]}")
    for piece in scene.pieces("comment")[:MOST_COMMENTS]:
        if "<a" in piece.text or "href" in piece.text:
            yield from _check_comment(scene, piece.at, read_markup(piece.text))


def _check_comment(scene: Scene, at: int, inside: Markup) -> Iterator[Finding]:
    for link in inside.links:
        reading = read_link(link)
        if reading.meaning in (Meaning.PROMO, Meaning.OTHER) or (reading.meaning and scene.foreign(link.href)):
            yield scene.find("comment_links", STRONG, at, _shown(link, reading))
            return


def check_disguise(scene: Scene) -> Iterator[Finding]:
    """Given a page, find disguised words in its prose. One word of a court's around them says no: it may quote."""
    text = scene.markup.text
    odd = list(islice((m for m in _CHUNK.finditer(text) if _ODD.search(m[0]) and _is_disguised(m[0])), MOST_ODD))
    found = [m[0].strip() for m in odd if not COURT.search(fold(text[max(0, m.start() - AROUND) : m.end() + AROUND]))]
    for words in found[:1]:
        letters = any(PROMO.search(fold(each)) and not PROMO.search(each.lower()) for each in found)
        weight = STRONG if letters or len(found) >= ENOUGH else WEAK
        yield scene.find("disguised_words", weight, 0, f"[{len(found)}] {words}")


def _is_disguised(text: str) -> bool:
    return any(touches(match, changed) for decoded, changed in decodings(text) for match in PROMO.finditer(decoded))


def check_alphabets(scene: Scene) -> Iterator[Finding]:
    """Given a page, find a flood of letters that Indonesian is not written in. Arabic is no stranger at a court."""
    markup = scene.markup
    if markup.source.isascii() and "&#" not in markup.source:
        return
    text, title = markup.text + markup.hidden_text, markup.first("title")
    letters = max(1, sum(map(str.isalpha, text)))
    for name, alphabet in _ALPHABETS.items():
        count = len(alphabet.findall(text))
        links = [link for link in markup.links if len(alphabet.findall(link.text)) >= _FLOOD_TITLE]
        if len(alphabet.findall(title)) >= _FLOOD_TITLE:
            yield scene.find("foreign_flood", STRONG, markup.all("title")[0].at, f"[{name}] {title}")
        elif count >= _FLOOD and count / letters >= _FLOOD_SHARE:
            match = alphabet.search(text)
            at = match.start() if match else 0
            yield scene.find("foreign_flood", STRONG, 0, f"[{name}, {count}] {text[at : at + 80]}")
        elif len(links) >= _FLOOD_LINKS:
            yield scene.find("foreign_flood", STRONG, links[0].at, f"[{name}, {len(links)}] {links[0].text}")
