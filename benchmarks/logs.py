"""Logs of real shape: `logs.scan` (statistics, detection and evidence together) beside GoAccess (its statistics alone)
and `grep -Ei` with fifteen patterns, on the same lines in the same run; CPU seconds, and memory at two sizes.

The lines are made anew each time (the same each time): visitors by a long tail of addresses, pages with their pictures,
where they came from, programs, a few per cent of attacks and of missing pages. GOACCESS names another GoAccess than the
one on the path. `logs.py LINES [MORE LINES]` takes other sizes.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measuring import Rival, measure

SIZES = (1_000_000, 5_000_000)
PATTERNS = (
    r"union(\+|%20|/\*)+select|information_schema|sleep\(|benchmark\(|<script|%3cscript|onerror=|\.\./\.\./|/etc/passwd"
    r"|\.env|wp-config\.php|\.git/|\$\{jndi|eval-stdin|base64_decode"
)
_TOPICS = (
    "putusan perkara pidana berita pengumuman jadwal sidang layanan informasi pelayanan hukum posbakum ecourt sipp "
    "profil pengadilan struktur hakim panitera statistik laporan keuangan zona integritas biaya panjar kontak galeri"
)
WORDS = _TOPICS.split()
ATTACKS = (
    "/?id=1%27%20UNION%20SELECT%20{n},2,3--",
    "/wp-content/plugins/x{n}/../../../../etc/passwd",
    "/.env",
    "/wp-login.php",
    "/index.php?x{n}=%3Cscript%3Ealert(1)%3C/script%3E",
    "/shell{n}.php",
    "/?x=${{jndi:ldap://e/{n}}}",
    "/old/{n}.sql",
)
SCAN = """
import json, resource, sys
from datetime import UTC, datetime
from runner.actions.logs.pack import load_detector
from runner.actions.logs.results import build_outputs
from runner.actions.logs.scanning import Scan, Terms
terms = Terms(datetime(2026, 12, 1, tzinfo=UTC), UTC)
scan = Scan(*load_detector(), terms)
with open(sys.argv[1], "rb") as log:
    while piece := log.read(1 << 17):
        scan.feed(piece)
scan.end(); scan.finish()
outputs = build_outputs(scan, [], "", terms, None)
json.dumps(outputs); "".join(map(json.dumps, scan.hits))
print(outputs["lines"], outputs["attempts"])
"""
DETECT = """
import sys
from runner.actions.logs.columns import cut_columns
from runner.actions.logs.pack import load_detector
pack, detector = load_detector()
rest, found = b"", 0
with open(sys.argv[1], "rb") as log:
    while piece := log.read(1 << 17):
        piece = rest + piece
        end = piece.rfind(b"\\n") + 1
        columns, _ = cut_columns(detector.sift(piece[:end]))
        rest = piece[end:]
        found += sum(1 for _ in detector.find(columns))
print(found)
"""


def lines(count: int) -> Iterator[str]:
    """So many lines of a log, in the combined form, over a week."""
    chance = random.Random(7)
    agents = [_agent(chance, n) for n in range(2000)]
    pages = [f"/{chance.choice(WORDS)}/{n}-{chance.choice(WORDS)}-{chance.choice(WORDS)}" for n in range(60_000)]
    files = [f"/images/{chance.choice(WORDS)}_{n}.{chance.choice(('jpg', 'png', 'css', 'js'))}" for n in range(20_000)]
    made = 0
    while made < count:
        who = min(int(chance.paretovariate(0.4)), 120_000)
        address, agent = f"{36 + who % 180}.{who // 7 % 256}.{who // 251 % 256}.{1 + who % 254}", agents[who % 2000]
        at = made * 604_800 // count
        hostile = chance.random() < 0.05
        for n in range(chance.randint(1, 4) if hostile else chance.randint(3, 12)):
            second = at + n
            target, status = _ask(chance, pages, files, hostile=hostile)
            referer = "-" if hostile or (n == 0 and chance.random() < 0.5) else _referer(chance, pages, first=n == 0)
            day, hour, minute = 1 + second // 86_400, second // 3600 % 24, second // 60 % 60
            yield (
                f"{address} - - [{day:02d}/Nov/2026:{hour:02d}:{minute:02d}:{second % 60:02d} +0700] "
                f'"GET {target} HTTP/1.1" {status} {chance.randint(200, 90_000)} "{referer}" "{agent}"\n'
            )
            made += 1


def _ask(chance: random.Random, pages: list[str], files: list[str], *, hostile: bool) -> tuple[str, int]:
    if hostile:
        return chance.choice(ATTACKS).format(n=chance.randint(1, 9999)), chance.choice((404, 404, 403, 200))
    tail = min(int(chance.paretovariate(0.6)), 59_999)
    if chance.random() < 0.6:
        return files[tail % 20_000], chance.choice((200,) * 9 + (304,))
    query = f"?page={chance.randint(1, 9999)}" if chance.random() < 0.3 else ""
    return pages[tail] + query, chance.choice((200,) * 30 + (301, 404))


def _referer(chance: random.Random, pages: list[str], *, first: bool) -> str:
    if first:
        words = "%20".join(chance.choices(WORDS, k=3))
        return f"https://www.google.com/search?q={words}" if chance.random() < 0.5 else "https://www.google.com/"
    return f"https://pn-contoh.go.id{pages[min(int(chance.paretovariate(0.6)), 59_999)]}"


def _agent(chance: random.Random, number: int) -> str:
    if number % 12 == 0:
        return f"Mozilla/5.0 (compatible; Googlebot/{number}.1; +http://www.google.com/bot.html)"
    system = chance.choice(
        ("Windows NT 10.0; Win64; x64", "X11; Linux x86_64", f"Linux; Android {number % 15}; SM-A{number}")
    )
    version = f"Chrome/{70 + number % 60}.0.{number}.{number % 200} Safari/537.36"
    return f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) {version}"


def write_log(path: Path, count: int) -> None:
    """Write a log of so many lines."""
    with path.open("w", encoding="ascii") as file:
        file.writelines(lines(count))


def build_rivals(log: Path) -> list[Rival]:
    """Given a log, return who reads it: ours, and behind it the program that does the same work or less."""
    python, environment = sys.executable, {"LC_ALL": "C", "PYTHONHASHSEED": "0"}
    subprocess.run([python, "-c", "from runner.actions.logs.pack import load_detector; load_detector()"], check=True)
    goaccess = os.environ.get("GOACCESS", "goaccess")
    if shutil.which(goaccess) is None:
        raise SystemExit("goaccess is not installed. apt-get install goaccess, or name one in GOACCESS")
    version = subprocess.run([goaccess, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    report = [goaccess, str(log), "--log-format=COMBINED", "--no-progress", "-o", str(log.with_suffix(".json"))]
    return [
        Rival("sop: statistics, detection, evidence", [python, "-c", SCAN, str(log)], environment=environment),
        Rival(f"{version.strip('.')}: statistics", report),
        Rival("sop: detection", [python, "-c", DETECT, str(log)], environment=environment),
        Rival("grep -aciE, fifteen patterns", ["grep", "-aciE", PATTERNS, str(log)], environment=environment),
    ]


def main() -> None:
    """Measure all of them once at each size, one after the other: the log is in the cache for all of them."""
    sizes = [int(word.replace("_", "")) for word in sys.argv[1:]] or list(SIZES)
    print("| lines | program | CPU s | CPU s per million lines | wall s | MiB |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            log = Path(folder) / f"{size}.log"
            write_log(log, size)
            for rival in build_rivals(log):
                cost = measure(rival)
                each = cost.cpu / size * 1e6
                row = f"{size:,} | {rival.name} | {cost.cpu:.2f} | {each:.2f} | {cost.wall:.1f} | {cost.memory:.0f}"
                print(f"| {row} |", flush=True)
            log.unlink()


if __name__ == "__main__":
    main()
