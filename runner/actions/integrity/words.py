"""Words that sell gambling, and the words that stand beside them when a court reports about gambling.

Words never decide alone: they are asked about titles, links and what is hidden, not about prose.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from runner.actions.integrity.disguise import decodings, fold, is_disguised, touches

LONGEST_TEXT = 20_000

_SEPARATOR = r"[\s\-_+.,/|:]{0,3}"


def _words(*patterns: str) -> re.Pattern[str]:
    joined = "|".join(pattern.replace("~", _SEPARATOR) for pattern in patterns)
    return re.compile(rf"(?<![a-z0-9])(?:{joined})(?![a-z0-9])")


# What only a seller writes.
_PROMO = (
    r"slots?~(?:gacor|maxwin|resmi|terpercaya|terbaik|terbaru|thailand|dana|qris|pulsa|depo|deposit|demo|mahjong"
    r"|pragmatic|pg|toto|jackpot|hoki|gampang|mudah|anti|zeus|olympus|bri|bca|bni|mandiri|ovo|gopay|linkaja|telkomsel"
    r"|jp|rtp|vip|hari~ini|[x4-7]\d{3,4}|asia|\d{2,4}|[345]d|bet(?:\d{2,4})?|kamboja|vietnam|filipina|hongkong|macau)",
    r"(?:situs|link|agen|login|rtp|pola|bocoran|info|akun|daftar|depo|deposit|demo|toto|rajanya|raja|dewa|mega|super)"
    r"~slots?(?:\d{2,4})?",
    r"(?:slot|toto|togel|gacor|rtp|maxwin|judi|casino|mpo|idn|joker|zeus|hoki|pragmatic|sbo)[a-z]{0,8}(?:\d{2,3}d?|[345]d)",
    r"(?:slot|situs|link|agen|toto|togel|idn|bo)~(?:20[12]\d)~?(?:gacor|slot|resmi|terpercaya)",
    r"gacor(?:\d{2,4})?",
    r"(?:room|jam|pola|link|situs|akun|game|server|info|bocoran)~gacor",
    r"max~?win",
    r"rtp~(?:live|slot|gacor|hari|tertinggi|pragmatic|maxwin)",
    r"(?:scatter~(?:hitam|naga|biru|mahjong)|super~scatter)",
    r"mahjong~ways?(?:~\d)?",
    r"gates~of~olympus|starlight~princess|sweet~bonanza|wild~bandito|pragmatic~play|pg~?soft|mahjong~slot",
    r"sbobet\d{0,4}|joker~?(?:123|388|gaming)|maxbet|bandar~?qq|domino~?qq|pkv~?games?|poker~?qq|qq~?online|bola~?88",
    r"idn~?(?:slot|poker|play|toto|togel|live|sport)",
    r"toto~?(?:slot|macau|togel|[45]d|hk|sgp|sdy|online|wap|resmi|terpercaya)",
    r"(?:situs|agen|link|bo|login|daftar)~toto(?:~[45]d)?",
    r"(?:situs|agen|link|bo|login|daftar|akun)~togel",
    r"(?:situs|agen|link|daftar|login|bo)~(?:judi|poker|casino|kasino|taruhan|bandarq)(?:~(?:bola|online|slot|resmi))?",
    r"anti~rungka[dt]|gampang~(?:menang|maxwin|jp|jackpot)|(?:mudah|pasti)~(?:maxwin|jackpot|jp)",
    r"server~(?:thailand|kamboja)|akun~pro~(?:thailand|kamboja|platinum|hongkong|vietnam|myanmar|filipina|jepang)|[a-z]{2,12}toto~login|bonus~new~member",
    r"(?:free~spins?|online~casinos?|casino~online~bonus|1xbet|melbet|mostbet|pin~?up~(?:casino|bet)|22bet|bet365|betting~sites?)",
)
# What a seller and a court both write.
_TOPIC = (
    r"judi~(?:online|daring|bola|slot|kartu|togel|poker|qq)",
    r"(?:main|bermain|pemain|permainan|game)~slots?",
    r"slots?~online",
    r"togel~(?:online~)?(?:hongkong|hk|singapore|singapura|sgp|sydney|sidney|sdy|macau|pulsa|[2345]d|terpercaya|resmi"
    r"|hari~ini|deposit|taiwan|kamboja|viral|terbaik)",
    r"live~?draw|(?:pengeluaran|keluaran|result|paito|syair|prediksi|angka~main)~(?:hk|sgp|sdy|macau|sydney|hongkong|togel)",
    r"togel(?:~online)?",
    r"(?:live~|kasino~|casino~)?(?:casino|kasino)(?:~online)?",
    r"poker(?:~online)?",
    r"taruhan~(?:bola|online|olahraga)",
    r"(?:bandar|agen)~(?:judi|togel|bola|slot|poker)",
    r"judol|jackpot|roulette|baccarat|blackjack",
)
# Other trades that live in hidden links.
_OTHER = (
    r"viagra|cialis|levitra|tadalafil|sildenafil|kamagra|payday~loans?|essay~writing~service|buy~essays?",
    r"replica~(?:watches|handbags?|bags?)|pornhub|xnxx|bokep",
)
# What a seller adds.
_SELLER = (
    r"daftar|login|log~in|link~alternatif|alternatif|gampang~menang|mudah~menang|terpercaya|resmi|terbaik|terbaru",
    r"bonus|deposit|depo|hari~ini|jp|anti~rungka[dt]|new~member|withdraw|wd|pulsa|qris|promo|menang",
    r"minimal|server|vip|x500|cuan|hoki|pasti~bayar|bandar~terbesar|24~jam|livechat|akun~demo",
)
# What courts and those who warn write beside it.
_COURT = (
    r"(?:di|men|mem)?vonis|terdakwa|tersangka|terpidana|pelaku|pasal|kuhp|kuhap|perkara|putusan|diputus|(?:per)?sidang(?:an|kan)?",
    r"disidang(?:kan)?|pidana|jaksa|jpu|hakim|penjara|dituntut|tuntutan|tuntut|dakwaan|didakwa|polisi|polres|polda|polri",
    r"polsek|bareskrim|kejaksaan|kejari|kejati|penyidik|dihukum|hukuman|hukum|barang~bukti|bb|ite|perjudian|diadili|mengadili",
    r"adili|berantas|(?:di|pem|mem)berantas(?:an)?|cegah|(?:pen|men)cegah(?:an)?|bahaya|berbahaya|waspada(?:i)?|larangan",
    r"(?:di|me)?larang|sosialisasi|(?:him|im)bau(?:an)?|mengimbau|jauhi|stop|tolak|menolak|perangi|lawan|melawan|satgas",
    r"kasus|(?:di)?tangkap|penangkapan|diringkus|ringkus|gerebek|digerebek|bongkar|dibongkar|korban|penyuluhan|edukasi",
    r"kecanduan|dampak|komdigi|kominfo|(?:di|mem|pem)?blokir(?:an)?|sanksi|disiplin|integritas|edaran|aduan|ditahan|tahanan",
    r"diamankan|banding|kasasi|terjerat|dijerat|jerat|terbukti|bersalah|perceraian|cerai|gugat(?:an)?|penggugat|tergugat",
    r"undang|uu|ancaman|terancam|pemusnahan|dimusnahkan|residivis|narapidana|lapas|rutan|peretas(?:an)?|diretas|penipuan",
    r"(?:per)?ingat(?:an|kan)|memperingatkan|waspadai|razia|sidak|oknum|terlibat|tersandung|marak|maraknya|pemerintah",
    r"menteri|presiden|warga|masyarakat|mahasiswa|remaja|siswa|pelajar|rugi|kerugian|utang|bangkrut|jebakan|modus",
    r"promosikan|mempromosikan|selebgram|influencer|artis|(?:di)?susupi|menyusup|susupan|hapus|bersihkan|dibersihkan",
    r"menutup|ditutup|diperiksa|pemeriksaan|dipecat|diberhentikan|mencuri|dicuri|membunuh|dibunuh|gelapkan|penggelapan",
    r"kejahatan|siber|literasi|seminar|webinar|pengawasan|komitmen|deklarasi|apel|asn|pegawai|pembinaan|fatwa|haram|dosa",
)

PROMO, TOPIC, OTHER = _words(*_PROMO), _words(*_TOPIC), _words(*_OTHER)
ALONE = _words("slots?|gacor|togel|judi|casino|maxwin|poker|sbobet|toto")  # telling only when somebody disguised them
SELLER, COURT = _words(*_SELLER), _words(*_COURT)
BRAND = re.compile(
    r"(?<![a-z0-9])(?:[a-z]{2,14}(?:77|88|99|[1-9]\d[1-9]|[1-9]00|777|888|[345]d)"
    r"|[a-z]{2,14}(?:bet|toto|slots?|togel|gacor|hoki|poker)\d{0,3})(?![a-z0-9])"
)


_JOINTS = re.compile(r"[-_/.+?=&%]+")


class Meaning(StrEnum):
    """What a text is about: it sells gambling, speaks of it, sells other forbidden things, or nothing of that."""

    NONE = ""
    TOPIC = "topic"
    OTHER = "other"
    PROMO = "promo"


class Reading(NamedTuple):
    """A text's meaning, the words that told it, and whether they were disguised."""

    meaning: Meaning
    words: str = ""
    disguised: bool = False


NOTHING = Reading(Meaning.NONE)


@lru_cache(maxsize=8192)
def read_words(text: str) -> Reading:
    """Given a text of a title, a link or the like, return what it is about."""
    found = _read(fold(text[:LONGEST_TEXT]))
    if found.meaning is Meaning.PROMO and is_disguised(text[:LONGEST_TEXT], found.words):
        return found._replace(disguised=True)
    for decoded, changed in decodings(text[:LONGEST_TEXT]):
        hidden = next((m for p in (PROMO, TOPIC, ALONE) for m in p.finditer(decoded) if touches(m, changed)), None)
        if hidden and not is_legal(decoded):
            meaning = Meaning.PROMO if PROMO.search(decoded) else Meaning.TOPIC
            return Reading(meaning, hidden[0], disguised=True)
    return found


def _read(plain: str) -> Reading:
    for meaning, pattern in ((Meaning.PROMO, PROMO), (Meaning.OTHER, OTHER), (Meaning.TOPIC, TOPIC)):
        if match := pattern.search(plain):
            return NOTHING if is_legal(plain) else Reading(meaning, match[0])
    return NOTHING


def is_legal(folded: str) -> bool:
    """Given folded text, return whether a court or one who warns wrote it: their words outnumber the seller's."""
    court = len({match[0] for match in COURT.finditer(folded)})
    return court > 0 and court >= len({match[0] for match in SELLER.finditer(folded)})


def read_address(url: str) -> Reading:
    """Given a URL, return what its words are about. A host's name is nobody's comment on what it sells."""
    reading = read_words(words_of_address(url))
    if reading.meaning or not COURT.search(fold(words_of_address(url))):
        return reading
    sold = PROMO.search(fold(words_of_address(url)))
    return Reading(Meaning.PROMO, sold[0]) if sold and not is_legal(fold(words_of_address(path_of(url)))) else NOTHING


def path_of(url: str) -> str:
    """Given a URL, return what follows its host."""
    return url.partition("://")[2].partition("/")[2] if "://" in url else url


def words_of_address(url: str) -> str:
    """Given a URL, return its host and path as words."""
    return _JOINTS.sub(" ", url[:2000])
