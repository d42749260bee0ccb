"""Daily growth of a dump: small, decoded by plain zstd, in little memory, and never instead of what cannot be read."""

from __future__ import annotations

import hashlib
import io
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.actions import backup_seal
from runner.actions.backup import delta
from runner.actions.backup.delta import SEGMENT, SpoiltDelta, read_delta, write_delta
from runner.actions.backup.plain import plain_content
from runner.actions.backup_database import ACTION
from runner.durations import Deadline
from tests.actions.backups import assert_refused, backup_call, run_well, unpack
from tests.calls import NOW
from tests.mariadb import PASSWORD, USER, MariaDB

ROWS = 4000


@pytest.fixture
def database(mariadb: MariaDB) -> Iterator[str]:
    with mariadb.database() as name:
        words = "SELECT seq, REPEAT(SHA2(seq, 512), 4) FROM seq_1_to_"
        mariadb.sql(f"CREATE TABLE t (id INT PRIMARY KEY, body TEXT) ENGINE=InnoDB; INSERT INTO t {words}{ROWS}", name)
        yield name


class Days:
    """Backups of one database, one a day, each sealed."""

    def __init__(self, mariadb: MariaDB, database: str, folder: Path, **inputs: Any) -> None:
        self.folder = folder
        self.inputs = {"engine": "mariadb", "name": database, "user": USER, "password": PASSWORD, **inputs}
        self.inputs["socket"] = mariadb.socket
        self.sets: list[Path] = []
        self.parts: list[dict[str, Any]] = []

    def dump(self) -> dict[str, Any]:
        """The part of the next day's dump."""
        now = NOW + timedelta(days=len(self.sets))
        return dict(run_well(ACTION, backup_call(ACTION, self.inputs, self.folder, now=now, limit=60))["part"])

    def seal(self, part: dict[str, Any]) -> Path:
        """Make a set of it."""
        now = NOW + timedelta(days=len(self.sets))
        call = backup_call(backup_seal.ACTION, {"parts": [part]}, self.folder, now=now, limit=60)
        self.sets.append(Path(run_well(backup_seal.ACTION, call)["set"]))
        self.parts.append(part)
        return self.sets[-1]


def restore_by_guide(sealed: Path, folder: Path) -> bytes:
    """What the line of PULIHKAN.txt gives, done in the set's folder by a shell with nothing of ours."""
    guide = (sealed / "PULIHKAN.txt").read_text()
    line = next(line for line in guide.splitlines() if line.strip().startswith("rm -rf susun"))
    for made in ("susun", "pulih.sql"):
        assert not (sealed / made).exists()
    command = line.replace("susun", str(folder / "susun")).replace("pulih.sql", str(folder / "pulih.sql"))
    subprocess.run(["sh", "-ec", command], cwd=sealed, check=True, capture_output=True)
    return (folder / "pulih.sql").read_bytes()


def test_keeps_the_growth_of_a_day_and_restores_it_with_plain_tools(
    mariadb: MariaDB, database: str, tmp_path: Path
) -> None:
    days = Days(mariadb, database, tmp_path)
    first = days.seal(days.dump())
    mariadb.sql("UPDATE t SET body = CONCAT(body, 'x') WHERE id % 500 = 1; DELETE FROM t WHERE id = 77", database)
    part = days.dump()
    assert part["delta_of"]["set"] == first.name
    assert part["bytes"] < 6000 < days.parts[0]["bytes"]
    sealed = days.seal(part)
    assert sorted(p.name for p in sealed.iterdir() if p.name.startswith("db-")) == [
        f"db-{_slug(database)}.sql.delta.tar.zst"
    ]
    (tmp_path / "restored").mkdir()
    dump = restore_by_guide(sealed, tmp_path / "restored")
    assert hashlib.sha256(dump).hexdigest() == part["content_sha256"]
    stored = sealed / f"db-{_slug(database)}.sql.delta.tar.zst"
    with plain_content(stored, part, sealed.parent, Deadline.after(60)) as plain:
        assert b"".join(iter(lambda: plain.read(10_000), b"")) == dump
    with plain_content(stored, part, sealed.parent, Deadline.after(60)) as plain:
        assert plain.read(10) == dump[:10]


def _slug(database: str) -> str:
    return database.replace("_", "-")


def test_hangs_on_whole_dumps_only_and_comes_whole_again(mariadb: MariaDB, database: str, tmp_path: Path) -> None:
    days = Days(mariadb, database, tmp_path, increments=2)
    for _ in range(5):
        days.seal(days.dump())
    hanging = [part.get("delta_of", {}).get("set") for part in days.parts]
    first, fourth = days.sets[0].name, days.sets[3].name
    assert hanging == [None, first, first, None, fourth]


def test_stays_whole_where_it_changed_by_much(mariadb: MariaDB, database: str, tmp_path: Path) -> None:
    days = Days(mariadb, database, tmp_path)
    days.seal(days.dump())
    mariadb.sql("UPDATE t SET body = REPEAT(SHA2(CONCAT(id, 'x'), 512), 4) WHERE id > 1000", database)
    assert "delta_of" not in days.dump()
    assert [path.name for path in days.sets[0].parent.iterdir() if path.name.endswith(".partial")] == []


def test_stays_whole_where_the_last_whole_one_cannot_be_read(mariadb: MariaDB, database: str, tmp_path: Path) -> None:
    days = Days(mariadb, database, tmp_path)
    sealed = days.seal(days.dump())
    stored = next(sealed.glob("db-*"))
    data = bytearray(stored.read_bytes())
    data[len(data) // 2] ^= 1
    stored.write_bytes(data)
    part = days.dump()
    assert "delta_of" not in part
    assert "stored whole: the last whole dump cannot be read" in part["notes"][-1]
    assert unpack(part).rstrip().rpartition(b"\n")[2].startswith(b"-- Dump completed")


def test_is_not_sealed_where_what_it_hangs_on_is_gone(mariadb: MariaDB, database: str, tmp_path: Path) -> None:
    days = Days(mariadb, database, tmp_path)
    sealed = days.seal(days.dump())
    part = days.dump()
    next(sealed.glob("db-*")).unlink()
    outcome = backup_seal.ACTION.run(backup_call(backup_seal.ACTION, {"parts": [part]}, tmp_path))
    assert_refused(outcome, "backup.seal.incomplete", "the file is not there")


@given(
    st.binary(max_size=3000), st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 300), st.binary(max_size=200)))
)
def test_gives_back_any_dump(base: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    later = base
    for start, length, new in edits:
        later = later[:start] + new + later[start + length :]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"SEGMENT": 512, "MARGIN": 256, "_ANCHOR": 16, "_APART": 64}.items():
            patch.setattr(delta, name, value)
        archive = io.BytesIO()
        assert write_delta(io.BytesIO(base), io.BytesIO(later), archive.write) == hashlib.sha256(base).hexdigest()
        archive.seek(0)
        assert b"".join(read_delta(io.BytesIO(base), archive)) == later


@given(st.binary(max_size=200), st.integers(0, 2000))
def test_reads_no_spoilt_archive_as_a_dump(noise: bytes, at: int) -> None:
    base = random.Random(1).randbytes(5000)
    archive = io.BytesIO()
    write_delta(io.BytesIO(base), io.BytesIO(base + b"more"), archive.write)
    spoilt = bytearray(archive.getvalue())
    spoilt[at : at + len(noise)] = noise
    try:
        assert b"".join(read_delta(io.BytesIO(base), io.BytesIO(bytes(spoilt)))) in (base + b"more", b"")
    except SpoiltDelta:
        return


MEASURE = f"""
import sys
from runner.actions.backup.delta import SEGMENT, read_delta, write_delta
base, later, out = sys.argv[1:]
with open(base, "rb") as earlier, open(later, "rb") as plain, open(out, "wb") as file:
    write_delta(earlier, plain, file.write)
with open(base, "rb") as earlier, open(out, "rb") as file:
    assert sum(map(len, read_delta(earlier, file))) > 9 * {SEGMENT}
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def test_needs_little_memory_for_a_large_dump(tmp_path: Path) -> None:
    """Rows are inserted early on: all that follows has moved, and is found again."""
    source = random.Random(2)
    lines = [b"(%d,'%s'),\n" % (number, source.randbytes(30).hex().encode()) for number in range(100)]
    base, later, out = (tmp_path / name for name in ("base", "later", "out"))
    count = 10 * SEGMENT // sum(map(len, lines))
    with base.open("wb") as earlier, later.open("wb") as plain:
        for number in range(count):
            block = b"".join(b"%d%s" % (number, line) for line in lines)
            earlier.write(block)
            plain.write(block + (source.randbytes(100) if number % (count // 20) == 0 else b""))
    done = subprocess.run([sys.executable, "-c", MEASURE, base, later, out], capture_output=True, text=True, check=True)
    assert out.stat().st_size < 60_000
    assert int(done.stdout) < 120_000  # KiB
