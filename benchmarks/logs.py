"""Logs of real shape: `logs.scan` (statistics, detection and evidence together) beside GoAccess (its statistics alone)
and `grep -Ei` with fifteen patterns, on the same lines in the same run; CPU seconds, and memory at two sizes.

The lines are made anew each time (the same each time, by log_lines.py). GOACCESS names another GoAccess than the one on
the path. `logs.py LINES [MORE LINES]` takes other sizes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from log_lines import lines
from measuring import Rival, measure

SIZES = (1_000_000, 5_000_000)
PATTERNS = (
    r"union(\+|%20|/\*)+select|information_schema|sleep\(|benchmark\(|<script|%3cscript|onerror=|\.\./\.\./|/etc/passwd"
    r"|\.env|wp-config\.php|\.git/|\$\{jndi|eval-stdin|base64_decode"
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
from runner.actions.logs.layouts import COMBINED
from runner.actions.logs.pack import load_detector
pack, detector = load_detector()
found = 0
with open(sys.argv[1], "rb") as log:
    while block := log.read(1 << 17) + log.readline():
        found += sum(1 for _ in detector.find(block, COMBINED))
print(found)
"""


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
