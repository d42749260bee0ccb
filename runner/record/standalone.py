"""Periksa ekspor catatan sop / Check an export of sop's record: python3 -I verify.py [HEAD]

Tidak memerlukan sop; cukup Python 3.7 atau yang lebih baru. HEAD adalah nilai kepala rantai yang tercetak pada laporan
(sedikitnya 12 angka pertama). Needs no sop, only Python 3.7 or later. HEAD is the head of the chain as printed on a
report (its first 12 digits at least). Exit code 0: whole / utuh; 1: not whole / tidak utuh.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GENESIS = "0" * 64
HEX = "0123456789abcdef"
SHORTEST_HEAD = 12
MOST_FAULTS = 50


def link(previous: str, body: str) -> str:
    """Given the hash of the record before and a body, return the record's hash."""
    return hashlib.sha256((previous + body).encode("utf-8", "surrogateescape")).hexdigest()


def load_records(folder: Path) -> Iterator[dict[str, Any]]:
    """Given the export's folder, return its records in order."""
    with (folder / "journal.jsonl").open(encoding="ascii") as file:
        for line in file:
            yield json.loads(line)


class Check:
    """What was found so far."""

    def __init__(self, folder: Path, head: str) -> None:
        number, _, digits = head.rpartition(":")
        self.folder = folder
        self.manifest = json.loads((folder / "export.json").read_text(encoding="utf-8"))
        self.head = head
        self.digits, self.number = digits, int(number or 0)
        self.head_found = False
        self.faults: list[str] = []
        self.count = 0
        self.gaps = 0
        self.seen: dict[str, bool] = {}
        self.deleted = self.manifest["evidence"].get("deleted", {})
        self._last = (0, GENESIS)

    def look(self, record: dict[str, Any]) -> None:
        """Check one record and the files that it names."""
        seq, previous, digest, body = record["seq"], record["previous"], record["hash"], record["body"]
        last, last_hash = self._last
        if link(previous, body) != digest:
            self.fault(f"record {seq}: diubah / was altered")
        elif seq == last + 1 and previous != last_hash:
            self.fault(f"record {seq}: tidak menyambung / does not follow the record before it")
        elif seq != last + 1:
            self.gaps += 1
            if self.manifest["whole"] or seq <= last:
                self.fault(f"record {last + 1}: hilang / is missing")
        if digest.startswith(self.digits) and self.number in (0, seq):
            self.head_found = True
        self._last = (seq, digest)
        self.count += 1
        for name, sha256 in named_files(body):
            self.look_at_file(seq, name, sha256)

    def look_at_file(self, seq: int, name: str, sha256: str) -> None:
        """Check a file of the evidence, once."""
        if sha256 not in self.seen:
            self.seen[sha256] = is_unaltered(self.folder, sha256)
        if not self.seen[sha256] and sha256 not in self.deleted:
            self.fault(f"record {seq}: bukti hilang atau diubah / evidence is missing or was altered: {name} {sha256}")

    def finish(self) -> None:
        """Check what only the end shows."""
        if self.count != self.manifest["records"]:
            self.fault(f"{self.count} records, {self.manifest['records']} diekspor / were exported")
        if self.manifest["whole"] and self._last[1] != self.manifest["head"]["hash"]:
            self.fault("kepala rantai tidak cocok / the head of the chain is another one")
        if self.head and not self.head_found:
            self.fault(f"HEAD {self.head}: tidak ada di antara catatan ini / is not among these records")

    def fault(self, message: str) -> None:
        """Note what is wrong."""
        self.faults.append("".join(each if each.isprintable() else "?" for each in message))


def named_files(body: str) -> list[tuple[str, str]]:
    """Given a record's body, return the files that it names: name and SHA-256."""
    try:
        data = json.loads(body)["data"]
        plain = list(data.get("evidence") or ()) + list(data.get("inventory") or ())
        files = [(each["name"], each["sha256"]) for each in plain]
        return files + [(each["name"], each["kept"]) for each in data.get("sources") or ()]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def is_unaltered(folder: Path, sha256: str) -> bool:
    """Whether a file of the evidence is there and has its SHA-256."""
    if len(sha256) != len(GENESIS) or set(sha256) - set(HEX):
        return False
    digest = hashlib.sha256()
    try:
        with (folder / "evidence" / sha256[:2] / sha256[2:]).open("rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
    except OSError:
        return False
    return digest.hexdigest() == sha256


def is_head(text: str) -> bool:
    """Whether a text is a hash, SHORTEST_HEAD digits of it at least, maybe with its record's number and a colon before
    it."""
    number, colon, digits = text.rpartition(":")
    numbered = number.isascii() and number.isdigit() and len(number) < SHORTEST_HEAD
    return SHORTEST_HEAD <= len(digits) <= len(GENESIS) and set(digits) <= set(HEX) and (numbered or not colon)


def main(words: list[str]) -> int:
    """Check the export that this file lies in; return the exit code."""
    head = "".join(words).replace(" ", "").lower()
    if head and not is_head(head):
        print(f"HEAD: sedikitnya {SHORTEST_HEAD} angka heksadesimal / at least {SHORTEST_HEAD} hexadecimal digits")
        return 1
    check = Check(Path(__file__).resolve().parent, head)
    for record in load_records(check.folder):
        check.look(record)
    check.finish()
    for message in check.faults[:MOST_FAULTS]:
        print(message)
    if len(check.faults) > MOST_FAULTS:
        print(f"... {len(check.faults) - MOST_FAULTS} lagi / more")
    for message in check.deleted.values():
        print("".join(each if each.isprintable() else "?" for each in message))
    print(f"records: {check.count}; evidence: {len(check.seen)}; head: {check.manifest['head']['hash']}")
    if check.faults:
        print("TIDAK UTUH / NOT WHOLE")
        return 1
    if not check.manifest["whole"]:
        print("Petikan: di antara bagian yang tidak ikut diekspor, rantai tidak dapat dihitung ulang.")
        print("An excerpt: between the parts that were left out the chain cannot be recomputed.")
    print("UTUH / WHOLE")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
