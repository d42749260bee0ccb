"""What is found, as data: which rule, how telling, where, and the line that shows it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

MOST_FINDINGS = 200
MOST_OF_A_RULE = 10


class Weight(StrEnum):
    """How telling a finding is: `strong` indicates an injection by itself, `weak` is for a person to look at."""

    STRONG = "strong"
    WEAK = "weak"


class Finding(NamedTuple):
    """A rule that was met. `place` is an address or a file, `line` its line (0: the whole), `view` as whom it was
    seen ("" from inside), `excerpt` the evidence: short, harmless, on one line."""

    rule: str
    weight: Weight
    place: str
    line: int
    excerpt: str
    view: str = ""


TITLES = {
    "hidden_links": "tautan tersembunyi",
    "hidden_words": "kata promosi judi dalam teks tersembunyi",
    "comment_links": "tautan promosi judi di dalam komentar HTML",
    "promo_title": "judul halaman berisi promosi judi atau dagangan terlarang",
    "promo_links": "tautan promosi judi atau dagangan terlarang",
    "promo_structure": "kata promosi judi pada kepala halaman, judul bagian, atau gambar",
    "disguised_words": "kata judi yang disamarkan (huruf tiruan, angka, atau tanda tak terlihat)",
    "foreign_flood": "banjir teks beraksara asing",
    "offsite_canonical": "alamat kanonik menunjuk ke situs lain",
    "shop_page": "halaman toko daring tiruan",
    "page_redirect": "halaman mengalihkan pengunjung ke situs lain",
    "script_redirect": "skrip mengalihkan pengunjung ke situs lain",
    "hidden_script": "skrip yang disandikan",
    "script_links": "skrip menuliskan tautan promosi judi",
    "hidden_frame": "bingkai (iframe) dari situs lain yang tersembunyi atau menutupi halaman",
    "cloaked_redirect": "mesin pencari, pengunjung dari mesin pencari, atau ponsel dialihkan ke situs lain",
    "cloaked_title": "judul berbeda bagi mesin pencari atau pengunjung dari mesin pencari",
    "cloaked_links": "tautan ke situs lain yang hanya tampak bagi mesin pencari atau pengunjung dari mesin pencari",
    "cloaked_canonical": "alamat kanonik berbeda bagi mesin pencari",
    "cloaked_language": "bahasa halaman berbeda bagi mesin pencari",
    "cloaked_page": "halaman yang hanya ada bagi mesin pencari",
    "random_path": "alamat acak dijawab seolah-olah halamannya ada",
    "query_doorway": "halaman titipan yang dibuka dengan parameter",
    "robots_sitemap": "robots.txt menunjuk peta situs di situs lain",
    "sitemap_words": "peta situs memuat alamat promosi judi",
    "sitemap_hosts": "peta situs memuat alamat di situs lain",
    "sitemap_burst": "jumlah alamat pada peta situs melonjak",
    "not_the_site": "yang tampil bukan situs",
    "core_changed": "berkas inti CMS berubah",
    "core_extra": "berkas PHP asing di folder inti CMS",
    "core_missing": "berkas inti CMS hilang",
    "upload_code": "berkas PHP di folder unggahan",
    "server_rule": "aturan server yang memilah mesin pencari atau asal pengunjung",
    "server_handler": "aturan server yang menjalankan berkas lain sebagai PHP",
    "entry_code": "kode di dalam index.php sebelum atau di luar CMS",
    "agent_code": "kode PHP yang memilah mesin pencari atau asal pengunjung",
    "encoded_code": "kode PHP yang disandikan lalu dijalankan",
    "back_door": "kode PHP yang bekerja seperti pintu belakang (web shell)",
}


def kept(findings: Iterable[Finding]) -> list[Finding]:
    """Given findings, return them without repetitions, the strong first, at most ten of a rule."""
    seen: set[tuple[str, str, str]] = set()
    counts: dict[str, int] = {}
    result: list[Finding] = []
    for finding in sorted(findings, key=lambda f: (f.weight is not Weight.STRONG, f.rule)):
        key = finding.rule, finding.place, finding.excerpt
        counts[finding.rule] = counts.get(finding.rule, 0) + 1
        if key not in seen and counts[finding.rule] <= MOST_OF_A_RULE:
            seen.add(key)
            result.append(finding)
    return result[:MOST_FINDINGS]
