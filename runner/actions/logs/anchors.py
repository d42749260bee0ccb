"""What must stand in a line before a rule can hold: a few texts, looked for in one pass over all bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from runner.actions.logs.condition import All, Any, Condition, Match
from runner.actions.logs.sigma import LINE

BLANK = rb"[ +\t\r\x0b\x0c\x00]"
TEXTS = ("request", "referer", "agent")
_FIELDS = {
    "target": "request",
    "path": "request",
    "method": "request",
    "referer": "referer",
    "agent": "agent",
    LINE: LINE,
}
_RARE = 0.5

# What is met all day: texts that stand here make poor anchors.
_ORDINARY = {
    "request": b"""\
get / http/1.1|get /index.php http/2.0|get /favicon.ico http/1.1|get /robots.txt http/1.1|get /sitemap.xml http/1.1
get /wp-content/themes/astra/assets/js/main.min.js?ver=4.1 http/2.0|get /wp-content/uploads/2026/11/foto.jpg http/2.0
get /wp-includes/css/style.min.css http/1.1|get /wp-json/wp/v2/posts http/1.1|post /wp-admin/admin-ajax.php http/2.0
get /index.php?option=com_content&view=article&id=12&catid=9&itemid=101 http/1.1|get /media/system/js/core.js http/1.1
get /images/banners/logo.png http/1.1|get /templates/protostar/css/template.css http/1.1|get /component/search/ http/1.1
get /berita/12-pengumuman-sidang-perkara.html http/1.1|get /layanan/informasi?page=2&q=jadwal+sidang http/1.1
get /sites/default/files/putusan%2012.pdf http/1.1|get /feed/ http/1.1|head /login http/1.1|get /cache/a.css http/1.1
get /uploads/dokumen/file.docx http/1.1|post /wp-cron.php?doing_wp_cron=1.2 http/1.1|get /tmp/ http/1.1""",
    "referer": b"-|https://www.google.com/|https://pn-contoh.go.id/index.php/berita|https://l.facebook.com/?u=x&h=y",
    "agent": b"""\
mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/126.0.0.0 safari/537.36 edg/1.0
mozilla/5.0 (linux; android 14; sm-a155f build/up1a; wv) applewebkit/537.36 version/4.0 mobile safari/537.36
mozilla/5.0 (iphone; cpu iphone os 17_5 like mac os x) applewebkit/605.1.15 (khtml, like gecko) version/17.5 mobile
mozilla/5.0 (compatible; googlebot/2.1; +http://www.google.com/bot.html)|mozilla/5.0 (x11; linux x86_64; rv:9) gecko""",
}
_SAMPLES = {field: re.split(rb"[|\n]", text) for field, text in _ORDINARY.items()}


class Anchor(NamedTuple):
    """A field ("request", "referer", "agent", "line" for each of them, "status") and texts of which one must be in it,
    with one of `then` behind it if there are some. `begins`: the field begins with one of the texts."""

    field: str
    texts: tuple[bytes, ...]
    then: tuple[bytes, ...] = ()
    begins: bool = False

    @property
    def pattern(self) -> bytes:
        """What finds it in the field's text."""
        if not self.then:
            return any_of(self.texts)
        return rb"(?:%s)[^\n]*(?:%s)" % (any_of(self.texts), any_of(self.then))


class _Texts(NamedTuple):
    """Texts of a field, of which one must be there; `cost` is how often that is so of ordinary ones, roughly."""

    field: str
    literals: tuple[bytes, ...]
    cost: float
    begins: bool = False


def anchors(condition: Condition) -> frozenset[Anchor] | None:
    """Given a condition, return anchors of which each line that meets it holds one, in one of its forms; None where no
    such anchors are known."""
    found = _best(condition)
    return None if found is None else frozenset(found[1])


def _best(condition: Condition) -> tuple[float, tuple[Anchor, ...]] | None:
    match condition:
        case Match():
            texts = _texts(condition)
            return (texts.cost, (Anchor(texts.field, texts.literals),)) if texts else None
        case All(parts):
            known = [found for part in parts if (found := _best(part))]
            return min([*known, *_pairs(parts)], key=lambda found: found[0], default=None)
        case Any(parts):
            each = [one for part in parts if (one := _best(part))]
            if len(each) != len(parts) or not each:
                return None
            return sum(cost for cost, _ in each), tuple(anchor for _, some in each for anchor in some)
    return None


def _texts(match: Match) -> _Texts | None:
    if match.field == "status" and match.literals:
        return _Texts("status", match.literals, 100.0)
    field = _FIELDS.get(match.field)
    if not field or not match.literals or not all(match.literals):
        return None
    return _Texts(
        field, match.literals, sum(_cost(field, literal) for literal in match.literals), match.field == "method"
    )


def _cost(field: str, literal: bytes) -> float:
    samples = [sample for name in (TEXTS if field == LINE else (field,)) for sample in _SAMPLES[name]]
    return sum(literal.strip() in sample for sample in samples) + 10.0 ** -min(len(literal), 8)


def rarest_words(field: str, text: bytes) -> bytes:
    """Given a text with blanks, return of its words the two neighbours that are met least, or its only one, with the
    blanks at its ends where they stand there."""
    words = text.split()
    last = len(words) - 2
    if last < 1:
        return text
    pairs = {n: b" ".join(words[n : n + 2]) for n in range(last + 1)}
    least = min(pairs, key=lambda n: _cost(field, pairs[n]))
    return b" " * (least == 0 and text.startswith(b" ")) + pairs[least] + b" " * (least == last and text.endswith(b" "))


def _pairs(parts: Sequence[Condition]) -> Iterator[tuple[float, tuple[Anchor, ...]]]:
    """Where each part alone is common, two of them together: one before the other, in either order."""
    found = [texts for part in parts if isinstance(part, Match) and part.field != "status" and (texts := _texts(part))]
    if any(texts.cost < _RARE for texts in found):
        return
    for number, one in enumerate(found):
        for other in found[number + 1 :]:
            # Where two texts may overlap, neither stands before the other.
            overlapping = any(_overlap(a, b) for a in one.literals for b in other.literals)
            if one.field == other.field and one.field != LINE and not overlapping:
                orders = [(a, b) for a, b in ((one, other), (other, one)) if not b.begins]
                pairs = tuple(Anchor(a.field, a.literals, b.literals, a.begins) for a, b in orders)
                yield min(one.cost, other.cost) / 4, pairs


def _overlap(a: bytes, b: bytes) -> bool:
    """Whether the two texts can share a place."""
    return a in b or b in a or any(a[-n:] == b[:n] or b[-n:] == a[:n] for n in range(1, min(len(a), len(b)) + 1))


def any_of(texts: Iterable[bytes], blank: bytes = BLANK) -> bytes:
    """Texts as a pattern that finds one of them; a blank in a text stands for the other blanks, too, and for runs."""
    return b"|".join((blank + b"+").join(map(re.escape, text.split(b" "))) if text.strip() else blank for text in texts)
