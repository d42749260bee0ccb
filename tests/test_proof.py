"""Verification of a journal: whatever is altered, removed or inserted is found, and named."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from runner.contract import Evidence, Status
from runner.errors import RecordError, Refused
from runner.record.chain import COLUMNS, GENESIS, canonical, columns_of, link
from runner.record.evidence import EvidenceStore
from runner.record.journal import Journal
from runner.record.proof import Fault
from tests.event_factory import RunFactory, found, with_evidence

ROWS = 18  # three runs of six events


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records folder of a closed journal with three runs, one of them with evidence and a problem."""
    records = tmp_path_factory.mktemp("original") / "records"
    kept = EvidenceStore(records).keep("report.html", b"<p>report</p>", "text/html")
    with Journal.open(records) as journal:
        journal.append(RunFactory("one").whole())
        journal.append(RunFactory("two").whole(with_evidence(kept)))
        journal.append(RunFactory("three", "renewal").whole(found("tls.expiry"), item="0"))
    return records


@pytest.fixture
def records(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "records"))


@contextmanager
def unprotected(records: Path) -> Iterator[sqlite3.Connection]:
    """The journal as a forger has it: what keeps the table from being changed is away, and back afterwards."""
    with closing(sqlite3.connect(records / "journal.sqlite", isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, sql in triggers:
            connection.execute(sql)


def verify(records: Path) -> list[Fault]:
    return Journal.open(records).verify()


def test_an_unaltered_journal_has_no_faults(records: Path) -> None:
    journal = Journal.open(records)
    assert journal.verify() == []
    assert journal.verify(run="two", head=journal.head()) == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seq=st.integers(1, ROWS),
    column=st.sampled_from(["body", "hash", *COLUMNS]),
    place=st.integers(0, 10_000),
    letter=st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
)
@pytest.mark.promise("The record", "a character of a record is altered", "sop verify names the record")
def test_any_altered_character_names_its_record(
    original: Path, tmp_path: Path, seq: int, column: str, place: int, letter: str
) -> None:
    records = Path(shutil.copytree(original, tmp_path / "altered", dirs_exist_ok=True))
    with unprotected(records) as connection:
        (value,) = connection.execute(f'SELECT "{column}" FROM events WHERE seq = ?', (seq,)).fetchone()
        text = "" if value is None else str(value)
        place = place % max(1, len(text))
        altered = text[:place] + letter + text[place + 1 :]
        assume(altered != text)
        try:
            connection.execute(f'UPDATE events SET "{column}" = ? WHERE seq = ?', (altered, seq))
        except sqlite3.IntegrityError:
            assume(False)  # the table's own keys refuse it
        (now,) = connection.execute(f'SELECT "{column}" FROM events WHERE seq = ?', (seq,)).fetchone()
        assume(now != value)  # "01" in a column of numbers is 1 still
    assert [fault.seq for fault in verify(records)] == [seq]


@pytest.mark.parametrize("value", [None, b"bytes", 7, 1.5])
@pytest.mark.parametrize("column", ["status", "problems", "target", "at"])
def test_a_value_of_another_type_names_its_record(records: Path, column: str, value: object) -> None:
    with unprotected(records) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        try:
            connection.execute(f"UPDATE events SET {column} = ? WHERE seq = 16", (value,))
        except sqlite3.IntegrityError:
            return  # the table refuses NULL there
    assert [fault.seq for fault in verify(records)] == [16]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@example(place=0.078125, bit=7)
@example(place=0.0625, bit=7)
@example(place=0.07421875, bit=0)
@example(place=0.07690917996173052, bit=0)
@pytest.mark.promise("The record", "a bit of the file is flipped", "found, or nothing changed")
def test_a_flipped_bit_in_the_file_is_found_or_changes_nothing(
    original: Path, tmp_path: Path, place: float, bit: int
) -> None:
    records = Path(shutil.copytree(original, tmp_path / "flipped", dirs_exist_ok=True))
    content = bytearray((original / "journal.sqlite").read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    (records / "journal.sqlite").write_bytes(content)
    with suppress(RecordError):  # it cannot even be opened
        assert verify(records) or _rows(records) == _rows(original)


def _rows(records: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(records / "journal.sqlite")) as connection:
        return connection.execute("SELECT * FROM events NOT INDEXED ORDER BY seq").fetchall()


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [(1, 1, "is missing"), (7, 7, "is missing"), (7, 12, "is missing, and all to record 12")],
)
@pytest.mark.promise("The record", "records are removed", "named")
def test_removed_records_are_named(records: Path, first: int, last: int, message: str) -> None:
    with unprotected(records) as connection:
        connection.execute("DELETE FROM events WHERE seq BETWEEN ? AND ?", (first, last))
    assert [str(fault) for fault in verify(records)] == [f"record {first}: {message}"]


def test_a_removed_record_is_found_where_the_rest_was_renumbered(records: Path) -> None:
    with unprotected(records) as connection:
        connection.execute("DELETE FROM events WHERE seq = 7")
        for seq in range(8, ROWS + 1):
            connection.execute("UPDATE events SET seq = seq - 1 WHERE seq = ?", (seq,))
    (fault,) = verify(records)
    assert (fault.seq, fault.run, fault.kind, fault.step) == (7, "two", "step_started", "check")
    assert "does not follow the record before it" in fault.message


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("forged", [True, False])
@pytest.mark.promise("The record", "records are inserted", "named")
def test_inserted_records_are_named(records: Path, count: int, forged: bool) -> None:
    with unprotected(records) as connection:
        for seq in range(ROWS, 8, -1):
            connection.execute("UPDATE events SET seq = seq + ? WHERE seq = ?", (count, seq))
        for seq in range(9, 9 + count):
            (previous,) = connection.execute("SELECT hash FROM events WHERE seq = ?", (seq - 1,)).fetchone()
            event = RunFactory("two").resumed()
            body = canonical(event.to_json())
            values = dict(zip(COLUMNS, columns_of(event.to_json(), "care"), strict=True))
            digest = link(previous, body) if forged else "f" * 64
            names = ", ".join(f'"{name}"' for name in ("seq", "hash", "body", *values))
            row = (seq, digest, body, *values.values())
            connection.execute(f"INSERT INTO events ({names}) VALUES ({', '.join('?' * len(row))})", row)
    faults = verify(records)
    assert [fault.seq for fault in faults] == list(range(9, 9 + count))
    assert all("inserted" in fault.message for fault in faults)


@pytest.mark.promise("The record", "records are exchanged", "named")
def test_exchanged_records_are_found(records: Path) -> None:
    with unprotected(records) as connection:
        for before, after in ((8, 100), (9, 8), (100, 9)):
            connection.execute("UPDATE events SET seq = ? WHERE seq = ?", (after, before))
    assert {8, 9} <= {fault.seq for fault in verify(records)}


def test_a_record_moved_to_the_end_is_found(records: Path) -> None:
    with unprotected(records) as connection:
        connection.execute("UPDATE events SET seq = 99 WHERE seq = 9")
    assert [(fault.seq, fault.message) for fault in verify(records)] == [
        (9, "is missing"),
        (19, "is missing, and all to record 98"),
        (99, "was moved, or is a copy of another record"),
    ]


@pytest.mark.promise("The record", "the newest records are cut off", "found by a printed head")
def test_a_cut_off_tail_is_found_by_the_head(records: Path) -> None:
    head = Journal.open(records).head()
    with unprotected(records) as connection:
        connection.execute("DELETE FROM events WHERE seq > 12")
    journal = Journal.open(records)
    assert journal.verify() == []
    (fault,) = journal.verify(head=head)
    assert "the journal was cut off or rebuilt, or it is another one" in fault.message
    (fault,) = journal.verify(head=f"{ROWS}:{head}")
    assert fault.message == f"the journal ends at record 12: what followed, up to record {ROWS}, was cut off"
    assert journal.verify(head=journal.head()) == []


def test_a_rewritten_chain_is_found_by_the_head(records: Path) -> None:
    head = Journal.open(records).head()
    with unprotected(records) as connection:
        previous = GENESIS
        for seq, body in connection.execute("SELECT seq, body FROM events ORDER BY seq").fetchall():
            body = body.replace("Pemeliharaan", "Pembaharuan")
            previous = link(previous, body)
            connection.execute("UPDATE events SET body = ?, hash = ? WHERE seq = ?", (body, previous, seq))
    assert verify(records) == []
    (fault,) = Journal.open(records).verify(head=head)
    assert "cut off or rebuilt" in fault.message
    (fault,) = Journal.open(records).verify(head=f"{ROWS}:{head[:12]}")
    assert fault.message == f"record {ROWS} has not the hash {head[:12]}: the journal was rebuilt, or it is another one"


def test_a_head_may_be_copied_from_paper(records: Path) -> None:
    journal = Journal.open(records)
    head = journal.head()
    grouped = " ".join(head[at : at + 4] for at in range(0, 64, 4)).upper()
    assert journal.verify(head=grouped) == []
    assert journal.verify(head=head[:12]) == []
    assert journal.verify(head=GENESIS) == []
    assert journal.verify(head=f"{ROWS}:{head[:12]}") == []
    assert journal.verify(head=f"{ROWS - 1}:{head[:12]}") != []
    for wrong in ("", head[:11], f"x:{head}", f"-1:{head}", f"{'9' * 30}:{head}", "not a hash at all", head + "0"):
        with pytest.raises(Refused, match=r"--head: .* is no hash"):
            journal.verify(head=wrong)


def test_a_removed_protection_is_named(records: Path) -> None:
    with closing(sqlite3.connect(records / "journal.sqlite")) as connection:
        connection.execute("DROP TRIGGER never_updated")
        connection.execute("UPDATE events SET status = 'failed' WHERE seq = 4")
        connection.commit()
    protection, record = verify(records)
    assert str(protection) == "what keeps records from being changed was taken out or altered: 'never_updated'"
    assert record.seq == 4, "what was altered meanwhile is named too"


def test_a_fault_says_where_it_is(records: Path) -> None:
    with unprotected(records) as connection:
        connection.execute("UPDATE events SET status = 'failed' WHERE seq = 4")
    assert [str(fault) for fault in verify(records)] == [
        "record 4 one task_finished check/probe/site 2026-11-22T02:30:04+00:00: "
        "column 'status' was altered: it says 'failed', the body 'ok'"
    ]


def _alter(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(b"<p>better report</p>"[: path.stat().st_size])


@pytest.mark.parametrize(("spoil", "said"), [(Path.unlink, "is missing"), (_alter, "was altered")])
def test_evidence_is_checked(records: Path, spoil: Callable[[Path], None], said: str) -> None:
    (kept,) = [path for path in (records / "evidence").rglob("*") if path.is_file()]
    spoil(kept)
    journal = Journal.open(records)
    (fault,) = journal.verify()
    assert (fault.seq, fault.run, fault.task) == (10, "two", "probe")
    assert f"evidence 'report.html' {said}" in fault.message
    assert journal.verify(run="two") == [fault]
    assert journal.verify(run="one") == []


@pytest.mark.promise("Files", "evidence whose name leads elsewhere", "a fault; nothing is read there")
def test_evidence_with_a_hostile_name_is_a_fault(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "records") as journal:
        hostile = Evidence("x", "../../../etc/passwd", 1)
        journal.append([RunFactory().finish(outcome=with_evidence(hostile))])
        (fault,) = journal.verify()
    assert "is not a SHA-256" in fault.message


def test_a_journal_that_is_appended_to_meanwhile_verifies(records: Path) -> None:
    with Journal.open(records) as journal:
        journal.append([RunFactory("four").started()])
        assert journal.verify() == []
        journal.append([RunFactory("four").ended(Status.OK)])
        assert journal.verify(run="four") == []
