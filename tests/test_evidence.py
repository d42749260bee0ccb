"""Evidence: kept whole, once, under its hash, or not at all."""

from __future__ import annotations

import hashlib
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.contract import Evidence
from runner.errors import Failed, RecordError
from runner.record.evidence import EvidenceStore

ROOT = Path(__file__).parent.parent


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path / "records", largest=3_000_000)


def files(tmp_path: Path) -> list[str]:
    folder = tmp_path / "records" / "evidence"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=5000), as_file=st.booleans())
def test_keeps_any_content_under_its_hash(store: EvidenceStore, tmp_path: Path, content: bytes, as_file: bool) -> None:
    source = tmp_path / "source"
    source.write_bytes(content)
    kept = store.keep("any", source if as_file else content, "text/plain")
    digest = hashlib.sha256(content).hexdigest()
    assert kept == Evidence("any", digest, len(content), "text/plain")
    assert store.path(digest) == tmp_path / "records" / "evidence" / digest[:2] / digest[2:]
    with store.open(digest) as opened:
        assert opened.read() == content
    assert store.verify(kept) is None


@pytest.mark.promise("Files", "who may read evidence", "its owner, and nobody may write it")
def test_is_private_and_not_writable(store: EvidenceStore) -> None:
    path = store.path(store.keep("a", b"content").sha256)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in list(path.parents)[:3]] == [0o700] * 3


def test_the_same_content_is_kept_once(store: EvidenceStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    first = store.keep("a", b"content")
    number = store.path(first.sha256).stat().st_ino
    again = store.keep("b", tmp_path / "file"), store.keep("c", b"content")
    assert {each.sha256 for each in again} == {first.sha256}
    assert store.path(first.sha256).stat().st_ino == number
    assert len(files(tmp_path)) == 1


def test_a_large_file_passes_in_pieces(store: EvidenceStore, tmp_path: Path) -> None:
    content = os.urandom(2_500_000)
    (tmp_path / "large").write_bytes(content)
    kept = store.keep("large", tmp_path / "large")
    assert (kept.sha256, kept.size) == (hashlib.sha256(content).hexdigest(), 2_500_000)


@pytest.mark.parametrize("as_file", [True, False])
@pytest.mark.promise("The record's life", "evidence beyond the limit", "refused with words; nothing is left of it")
def test_what_is_too_large_is_refused(store: EvidenceStore, tmp_path: Path, as_file: bool) -> None:
    (tmp_path / "large").write_bytes(bytes(3_000_001))
    with pytest.raises(Failed, match=r"evidence 'dump': larger than 3000000 bytes\. keep a smaller"):
        store.keep("dump", tmp_path / "large" if as_file else bytes(3_000_001))
    assert files(tmp_path) == []


def test_a_file_that_is_not_there_fails(store: EvidenceStore, tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"evidence 'x': .*missing: No such file"):
        store.keep("x", tmp_path / "missing")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
@pytest.mark.promise("Files", "evidence that is a pipe, a device or a folder", "failed at once")
def test_what_is_no_plain_file_fails_at_once(store: EvidenceStore, tmp_path: Path, make: object) -> None:
    make(tmp_path / "odd")  # type: ignore[operator]  # either takes a path
    with pytest.raises(Failed, match="not a plain file"):
        store.keep("x", tmp_path / "odd")
    with pytest.raises(Failed, match="not a plain file"):
        store.keep("x", Path("/dev/zero"))


@pytest.mark.promise("Disk", "the disk fills while evidence is kept", "told; nothing half-made")
def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from runner.errors import RecordError
from runner.record.evidence import EvidenceStore
store = EvidenceStore(Path(sys.argv[1]))
store.keep("small", b"fits")
resource.setrlimit(resource.RLIMIT_FSIZE, (1000000, 1000000))
for content in (bytes(2000000), Path(sys.argv[2])):
    try:
        store.keep("big", content)
    except RecordError as error:
        print(error)
"""
    assert resource.RLIM_INFINITY in resource.getrlimit(resource.RLIMIT_FSIZE)
    (tmp_path / "big").write_bytes(bytes(2_000_000))
    command = [sys.executable, "-c", code, str(tmp_path / "records"), str(tmp_path / "big")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    said = done.stdout.splitlines()
    assert len(said) == 2, done.stderr
    assert all(
        "File too large. free some space, then try again; a run goes on with 'sop resume'" in line for line in said
    )
    assert len(files(tmp_path)) == 1


def test_what_was_cut_off_long_ago_is_removed(tmp_path: Path) -> None:
    EvidenceStore(tmp_path / "records").keep("a", b"content")
    partial = tmp_path / "records" / "evidence" / ".partial"
    for name, age in (("old", 90_000), ("new", 10)):
        (partial / name).write_bytes(b"half")
        times = (partial / name).stat().st_mtime - age
        os.utime(partial / name, (times, times))
    EvidenceStore(tmp_path / "records").keep("b", b"more")
    assert [path.name for path in partial.iterdir()] == ["new"]


@pytest.mark.promise("The record", "evidence is missing, altered or cut", "named")
def test_missing_altered_and_cut_evidence_is_told(store: EvidenceStore) -> None:
    kept = store.keep("report.html", b"content")
    path = store.path(kept.sha256)
    path.chmod(0o600)
    path.write_bytes(b"CONTENT")
    assert "evidence 'report.html' was altered" in str(store.verify(kept))
    path.write_bytes(b"cont")
    assert "was altered" in str(store.verify(kept))
    path.unlink()
    assert "evidence 'report.html' is missing or cannot be read" in str(store.verify(kept))
    with pytest.raises(RecordError, match="No such file"):
        store.open(kept.sha256)


def test_cut_content_is_healed_by_keeping_it_again(store: EvidenceStore) -> None:
    kept = store.keep("report.html", b"content")
    path = store.path(kept.sha256)
    path.chmod(0o600)
    path.write_bytes(b"cont")
    store.keep("report.html", b"content")
    assert store.verify(kept) is None


@pytest.mark.parametrize("sha256", ["", "../../../../etc/passwd", "G" * 64, "a" * 63, "a" * 64 + "\n"])
@pytest.mark.promise("Files", "path parts in place of a hash", "refused")
def test_a_path_is_made_of_a_hash_only(store: EvidenceStore, sha256: str) -> None:
    with pytest.raises(RecordError, match="is not a SHA-256"):
        store.path(sha256)


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "records").write_text("")
    with pytest.raises(RecordError, match="name another folder with --records"):
        EvidenceStore(tmp_path / "records").keep("a", b"content")
