"""logs.fetch: each line once, wherever rotation has put it; what cannot be known is said; hostile files end nothing."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runner.cli import run as sop
from runner.contract import Command, Result
from runner.durations import Deadline
from runner.errors import Failed
from tests.actions.log_rotation import PACKERS, AsNobody, Office, Server
from tests.calls import LocalConnection

REHEARSED = """
procedure: {title: T, roles: {admin: A}}
steps:
  - id: visitors
    activity: a
    targets: web1
    outputs: [{id: log, text: L, value: "{{ tasks.scan.summary }}"}]
    tasks:
      - {id: fetch, action: logs.fetch, with: {path: "%s", since: 1 hari}}
      - {id: scan, action: logs.scan, with: {increment: "{{ tasks.fetch.increment }}"}}
"""
SHELLS = [shell for shell in ("sh", "bash", "busybox sh", "ksh", "mksh") if shutil.which(shell.split()[0])]


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path / "var log")


@pytest.fixture
def office(tmp_path: Path, server: Server) -> Office:
    return Office(tmp_path / "office", str(server.log))


def keys(outcome: Any) -> list[str]:
    return [problem.key for problem in outcome.problems]


def test_only_what_is_new_is_fetched(server: Server, office: Office) -> None:
    server.write(40)
    first = office.work().outputs
    server.write(3)
    second = office.work().outputs
    assert (first["lines"], second["lines"]) == (40, 3)
    assert second["increment"]["after"] == first["increment"]["id"]
    assert office.order == server.written
    assert office.work().outputs["lines"] == 0


@pytest.mark.parametrize("kind", PACKERS)
def test_what_was_packed_at_once_is_fetched_as_it_lies_there(server: Server, office: Office, kind: str) -> None:
    server.write(30)
    office.work()
    server.write(2)
    server.rename(pack=kind)
    server.write(30)
    server.rename(pack=kind)
    server.write(4)
    states = [file["state"] for file in office.work().outputs["files"]]
    assert states == ["rest", "packed", "rest"] or states == ["rest", "packed", "whole"]
    assert office.order == server.written


def test_a_copied_log_that_has_grown_beyond_the_old_place_is_told_apart(server: Server, office: Office) -> None:
    server.write(10)
    office.work()
    server.copy_and_truncate()
    server.write(30)
    assert server.log.stat().st_size > (server.folder / "access.log.1").stat().st_size
    office.work()
    assert office.order == server.written


def test_days_without_a_run_are_caught_up_from_all_rotated_files(server: Server, office: Office) -> None:
    server.write(7)
    office.work()
    for number in range(6):
        server.write(5)
        server.rename(pack="gz" if number % 2 else "", delay=True)
    outcome = office.work()
    assert office.order == server.written
    assert outcome.outputs["gap"] is None


def test_a_lost_place_is_a_problem_that_says_since_when(server: Server, office: Office) -> None:
    server.write(9)
    last = office.work().outputs["last"]
    server.write(3)
    for _ in range(3):
        server.rename(keep=2)
        server.write(4)
    outcome = office.work()
    assert keys(outcome) == ["visitors.log_gap"]
    assert outcome.outputs["gap"] == {"from": last, "to": outcome.outputs["first"]}
    assert "tidak diketahui" in outcome.problems[0].message
    assert keys(office.work()) == []
    assert not office.counted - Counter(server.written)


def test_an_emptied_log_is_a_lost_place(server: Server, office: Office) -> None:
    server.write(9)
    office.work()
    os.truncate(server.log, 0)
    server.write(30)
    outcome = office.work()
    assert keys(outcome) == ["visitors.log_gap"]
    assert outcome.outputs["lines"] == 30


def test_a_place_that_the_record_has_lost_is_a_gap(server: Server, office: Office) -> None:
    server.write(9)
    office.work()
    office.record = [entry for entry in office.record if entry[0] == "logs.scan"]
    assert keys(office.work()) == ["visitors.log_gap"]


def test_a_log_that_is_away_is_unknown_and_its_place_stays(server: Server, office: Office) -> None:
    server.write(9)
    office.work()
    away = server.folder.rename(server.folder.with_name("away"))
    outcome = office.work()
    assert (keys(outcome), outcome.outputs["gap"]) == (["visitors.log_unknown"], None)
    away.rename(server.folder)
    server.write(2)
    assert keys(office.work()) == []
    assert office.order == server.written


def test_an_empty_and_a_stale_log_are_unknown(server: Server, office: Office) -> None:
    assert keys(office.work()) == ["visitors.log_unknown"]
    server.write(1)
    outcome = office.work(stale_after="1 hari")
    assert keys(outcome) == ["visitors.log_unknown"]
    assert "tidak bertambah" in outcome.problems[0].message


def test_an_unfinished_line_waits_for_its_end(server: Server, office: Office) -> None:
    server.write(3)
    server.write_half()
    assert office.work().outputs["lines"] == 3
    assert office.work().outputs["lines"] == 0
    server.write()
    assert office.work().outputs["lines"] == 1
    assert office.order == server.written


def test_an_unfinished_line_that_will_have_no_end_is_taken_all_the_same(server: Server, office: Office) -> None:
    server.write(3)
    server.write_half()
    server.rename()
    lines = [office.work().outputs["lines"] for _ in range(3)]
    assert lines in ([3, 1, 0], [3, 0, 1])
    assert server.log.with_name("access.log.1").read_bytes().endswith(office.order[-1])


def test_more_than_the_cap_comes_piece_by_piece(server: Server, office: Office) -> None:
    for _ in range(4):
        server.write(300)
        server.rename()
    outcomes = [office.work(size_limit=65536)]
    while outcomes[-1].outputs["left"]:
        outcomes.append(office.work(size_limit=65536))
        assert len(outcomes) < 10
    assert sorted(office.order) == sorted(server.written)
    assert keys(outcomes[0]) == ["visitors.log_behind"]
    assert keys(outcomes[-1]) == []
    assert all(outcome.outputs["bytes"] <= 65536 for outcome in outcomes)


def test_the_first_time_older_files_are_left_alone_and_stay_so(server: Server, office: Office) -> None:
    server.write(300)
    server.rename(pack="gz")
    server.write(20)
    server.rename()
    old = list(server.written)
    server.seconds += 2 * 86400
    server.write(5)
    assert office.work(since="1 hari").outputs["lines"] == 5
    server.rename(pack="xz")
    server.write(2)
    office.work(since="1 hari")
    assert office.order == [line for line in server.written if line not in old]


def test_what_counted_the_first_time_counts_until_it_was_scanned(server: Server, office: Office) -> None:
    """The window of the first time does not move on while its scan is still to come."""
    server.write(300)
    server.rename()
    first = office.fetch(since="4 hari").outputs["increment"]
    again = office.fetch(since="1m").outputs["increment"]
    assert (first["lines"], again["lines"], again["after"]) == (300, 300, "")
    assert again["id"] == first["id"]


@pytest.mark.parametrize(
    ("shell", "lacking"),
    [*((shell, "") for shell in SHELLS), *(("sh", lacking) for lacking in ("stat", "sha256sum", "zstd", "gzip zstd"))],
)
def test_any_shell_does_and_a_tool_may_be_missing(server: Server, tmp_path: Path, shell: str, lacking: str) -> None:
    class Poor(LocalConnection):
        def run(self, command: Command, deadline: Deadline) -> Result:
            hidden = "".join(f'[ "$2" != {tool} ] && ' for tool in lacking.split())
            line = "".join(f"{tool}() {{ echo none >&2; return 1; }}\n" for tool in lacking.split() if tool == "stat")
            line += (
                f'command() {{ {hidden}builtin_command "$@"; }}\nbuiltin_command() {{ type "$2"; }}\n' + command.line
            )
            words = (*shell.split(), "-c", line, "sh", *command.parameters)
            return super().run(Command(argv=words, output_limit=command.output_limit), deadline)

    office = Office(tmp_path / "office", str(server.log), Poor)
    for pack in ("", "gz", ""):
        server.write(9)
        office.work(since="30 hari")
        server.write(2)
        server.rename(pack="" if "gzip" in lacking else pack)
    office.work()
    assert office.order == server.written


def test_logs_of_a_hosting_account_that_are_gathered_in_a_months_archive(tmp_path: Path) -> None:
    live, archive = Server(tmp_path / "access-logs", "pn-contoh.go.id"), tmp_path / "logs"
    archive.mkdir()
    office = Office(tmp_path / "office", [str(live.log), f"{archive}/pn-contoh.go.id-*.gz"])
    for count in (9, 12, 30, 4):
        live.write(count)
        assert not office.work().outputs["gap"]
        live.write(3)
        with (archive / "pn-contoh.go.id-Nov-2026.gz").open("ab") as month:
            month.write(gzip.compress(live.log.read_bytes()))
        live.touch(archive / "pn-contoh.go.id-Nov-2026.gz")
        live.log.unlink()
        live.log.touch()
    live.write(1)
    assert not office.work().outputs["gap"]
    assert sorted(office.order) == sorted(live.written)


def test_several_logs_have_places_of_their_own(tmp_path: Path) -> None:
    one, two = Server(tmp_path / "logs", "access.log"), Server(tmp_path / "logs", "ssl_access.log")
    two.seconds = 5000
    office = Office(tmp_path / "office", f"{tmp_path}/logs/*access.log")
    for _ in range(3):
        one.write(4)
        two.write(6)
        office.work()
        one.rename()
    assert sorted(office.order) == sorted([*one.written, *two.written])


def test_one_file_under_several_names_is_read_once(server: Server, office: Office) -> None:
    server.write(10)
    (server.folder / "access.log.1").symlink_to(server.log)
    shutil.copyfile(server.log, server.folder / "access.log.2")
    (server.folder / "access.log.3").symlink_to(server.folder / "nowhere")
    office.work()
    server.write(5)
    office.work()
    assert office.order == server.written


def test_names_with_blanks_quotes_and_newlines_are_files_like_others(tmp_path: Path) -> None:
    server = Server(tmp_path / "it's\na 'log' $(touch pwned)", 'a b\n"c" *.log')
    office = Office(tmp_path / "office", str(server.log))
    server.write(5)
    office.work()
    server.rename()
    server.write(5)
    office.work()
    assert office.order == server.written
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("kind", PACKERS)
def test_a_small_file_that_unpacks_to_very_much_stops_at_the_cap(server: Server, office: Office, kind: str) -> None:
    server.write(3)
    bomb = server.folder / f"access.log.1.{kind}"
    bomb.write_bytes(PACKERS[kind](b"0" * 80_000_000))
    outcome = office.work(size_limit=1_000_000)
    assert outcome.outputs["bytes"] <= 1_000_001
    assert outcome.outputs["left"] > 0
    assert outcome.outputs["wire"] < 1_000_000


def test_what_is_half_packed_is_read_from_the_file_beside_it(server: Server, office: Office) -> None:
    server.write(3000)
    server.rename()
    half = gzip.compress((server.folder / "access.log.1").read_bytes())
    (server.folder / "access.log.1.gz").write_bytes(half[: len(half) // 2])
    office.work()
    (server.folder / "access.log.1.gz").write_bytes(half)
    (server.folder / "access.log.1").unlink()
    server.write(2)
    office.work()
    assert office.order == server.written


@pytest.mark.parametrize(
    "content", [b"\x00" * 5000, b"\xff" * 4000 + b"\n", b"x" * 3_000_000, b"\n" * 2000, b'\\"' * 900]
)
def test_hostile_lines_are_handed_on_as_they_are(server: Server, office: Office, content: bytes) -> None:
    server.write(2)
    with server.log.open("ab") as file:
        file.write(content)
    server.touch(server.log)
    office.work()
    with server.log.open("ab") as file:
        file.write(b"\n")
    office.work()
    assert b"\n".join(office.order).replace(b"\n", b"") == server.log.read_bytes().replace(b"\n", b"")


def test_a_log_cannot_forge_the_servers_own_words(server: Server, office: Office) -> None:
    with server.log.open("ab") as file:
        file.write(b"0" * 32 + b" done\n" + b"0" * 32 + b" end\n")
    assert office.work().outputs["lines"] == 2


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("runuser"), reason="only root can become someone without rights"
)
def test_a_file_that_may_not_be_read_is_named_and_comes_later(tmp_path: Path) -> None:
    server = Server(tmp_path / "log")
    office = Office(tmp_path / "office", str(server.log), AsNobody)
    for folder in [tmp_path, *tmp_path.parents][:4]:
        folder.chmod(folder.stat().st_mode | 0o055)
    server.write(4)
    server.rename()
    closed = server.folder / "access.log.1"
    closed.chmod(0o600)
    server.write(3)
    outcome = office.work()
    assert keys(outcome) == ["visitors.log_unknown"]
    assert str(closed) in outcome.problems[0].message
    closed.chmod(0o644)
    assert keys(office.work()) == []
    assert sorted(office.order) == sorted(server.written)


class Meddling(LocalConnection):
    """A server on which the log is rotated while it is being read."""

    def __init__(self, server: Server) -> None:
        object.__setattr__(self, "server", server)

    def run(self, command: Command, deadline: Deadline) -> Result:
        """Rotate between the look at a file and its reading, by a `head` that does so the third time."""
        folder = self.server.folder  # type: ignore[attr-defined]  # the base class has slots
        tools = folder.parent / "tools"
        tools.mkdir(exist_ok=True)
        (tools / "tail").write_text(
            f'#!/bin/sh\necho >>"{tools}/count"\nif [ "$(wc -l <"{tools}/count")" = 2 ]; then\n'
            f'mv "{folder}/access.log" "{folder}/access.log.1"; : >"{folder}/access.log"; fi\n'
            'exec /usr/bin/tail "$@"\n'
        )
        (tools / "tail").chmod(0o755)
        given = Command(
            line=f'PATH="{tools}:$PATH"\n{command.line}',
            parameters=command.parameters,
            output_limit=command.output_limit,
        )
        return super().run(given, deadline)


def test_a_file_that_is_replaced_while_it_is_read_is_read_the_next_time(server: Server, tmp_path: Path) -> None:
    office = Office(tmp_path / "office", str(server.log))
    server.write(20)
    office.work()
    server.write(20)
    office.connect = lambda: Meddling(server)
    office.work()
    office.connect = LocalConnection
    server.write(3)
    office.work()
    assert office.order == server.written


def test_an_answer_that_breaks_off_is_refused(server: Server, tmp_path: Path) -> None:
    class Cut(LocalConnection):
        def run(self, command: Command, deadline: Deadline) -> Result:
            result = super().run(command, deadline)
            return result._replace(stdout=result.stdout[: len(result.stdout) - 40])

    server.write(900)
    office = Office(tmp_path / "office", str(server.log), Cut)
    with pytest.raises(Failed, match="ends too early"):
        office.work()


def test_an_increment_that_a_newer_run_has_counted_is_not_counted_again(server: Server, office: Office) -> None:
    server.write(5)
    stale = office.fetch().outputs["increment"]
    server.write(5)
    office.work()
    with pytest.raises(Failed, match="newer run"):
        office.scan(stale)


def test_a_dry_run_fetches_and_scans_and_leaves_no_trace(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stamp = datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000").encode()
    lines = [b'192.0.2.1 - - [%s] "GET /%d HTTP/1.1" 200 5 "-" "Mozilla"\n' % (stamp, n) for n in range(400)]
    (server.folder / "access.log.1.gz").write_bytes(gzip.compress(b"".join(lines[:300])))
    server.log.write_bytes(b"".join(lines[300:]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "temporary").mkdir()
    (tmp_path / "inventory.yml").write_text("servers: {web1: {connection: local}}\n")
    (tmp_path / "p.yml").write_text(REHEARSED % server.log)
    before = {path: path.stat().st_mtime_ns for path in server.folder.iterdir()}
    for _ in range(2):  # the place stays where it is
        assert sop(["plan", "p.yml"]) in (0, 10)
        assert "400 requests" in " ".join(capsys.readouterr().out.split())
    assert {path: path.stat().st_mtime_ns for path in server.folder.iterdir()} == before
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not (tmp_path / "records").exists()


@pytest.mark.parametrize("tools", ["zstd gzip", "gzip"])
def test_at_most_22_percent_of_the_increment_goes_over_the_wire(server: Server, tmp_path: Path, tools: str) -> None:
    lines = real_shape(20_000)
    server.log.write_bytes(lines)
    office = Office(tmp_path / "office", str(server.log), AsIf if tools == "gzip" else LocalConnection)
    outputs = office.work().outputs
    assert outputs["bytes"] == len(lines)
    print(f"{tools}: {outputs['wire'] / len(lines):.3f} of {len(lines)} bytes")
    assert outputs["wire"] <= 0.22 * len(lines)


class AsIf(LocalConnection):
    """A server without zstd."""

    def run(self, command: Command, deadline: Deadline) -> Result:
        """Run the command with gzip only."""
        parameters = tuple(word.replace("zstd gzip", "gzip") for word in command.parameters)
        return super().run(
            Command(line=command.line, parameters=parameters, output_limit=command.output_limit), deadline
        )


def real_shape(count: int) -> bytes:
    """Lines as a court's site gets them: many addresses, pages with queries, referers, some hundred agents."""
    chance = random.Random(5)
    systems = ["Windows NT 10.0; Win64; x64", "Linux; Android 14; SM-A546E", "iPhone; CPU iPhone OS 17_5 like Mac OS X"]
    agents = [
        f"Mozilla/5.0 ({chance.choice(systems)}) AppleWebKit/537.36 "
        f"(KHTML, like Gecko) Chrome/{chance.randint(90, 140)}.0.{chance.randint(1000, 9999)}.{chance.randint(10, 99)}"
        for _ in range(400)
    ]
    hosts = [".".join(str(chance.randint(1, 254)) for _ in range(4)) for _ in range(3000)]
    lines = []
    for number in range(count):
        path = chance.choice(["/index.php/berita/", "/images/", "/putusan/", "/administrator/", "/component/content/"])
        slug = "-".join(
            chance.choices(["sidang", "putusan", "pidana", "perdata", "layanan", "pengumuman", "2026"], k=4)
        )
        clock = f"{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}"
        referer = chance.choice(["-", "https://pn-contoh.go.id/", f"https://www.google.com/search?q={slug}"])
        lines.append(
            f"{chance.choice(hosts)} - - [22/Nov/2026:{clock} +0700] "
            f'"GET {path}{slug}-{chance.randint(1, 9999)}?id={chance.randint(1, 99999)} '
            f'HTTP/1.1" {chance.choice([200, 200, 200, 304, 404, 301])} {chance.randint(200, 90000)} "{referer}" '
            f'"{chance.choice(agents)}"\n'
        )
    return "".join(lines).encode()
