"""A database of some 300 MB dumped over SSH on two days: what each day takes, and by how much the backups grow.

    python benchmarks/backup_database.py [ROUNDS]

The tables are those of a WordPress with 60,000 posts; on the second day two rows in a thousand have changed and 420 are
new. Beside backup.database: mariadb-dump through zstd, into restic and into borg. Needs: mariadb-server, zstd, restic,
borgbackup; what cannot be found is left out, and said. Memory is the largest of the process, in MiB.
"""

from __future__ import annotations

import getpass
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from backup import ENVIRONMENT
from measuring import Cost, Rival, fresh, measure, render_machine
from pull import back_up

from tests.mariadb import MariaDB, running_mariadb
from tests.sshd import SshServer, ssh_server

DATABASE = "situs"
POSTS, METAS, VISITS = 60_000, 400_000, 900_000
DAYS = ("first day", "second day")
TABLES = """
CREATE TABLE wp_posts (ID INT AUTO_INCREMENT PRIMARY KEY, post_date DATETIME, post_title TEXT, post_content LONGTEXT);
CREATE TABLE wp_postmeta (meta_id BIGINT AUTO_INCREMENT PRIMARY KEY, post_id BIGINT, meta_key TEXT, meta_value TEXT);
CREATE TABLE wp_visits (id BIGINT AUTO_INCREMENT PRIMARY KEY, visitor CHAR(64), seen INT) ENGINE=MyISAM;
"""
NEXT_DAY = """
UPDATE wp_posts SET post_title = CONCAT(post_title, ' baru') WHERE ID % 500 = 3;
UPDATE wp_postmeta SET meta_value = CONCAT(meta_value, 'x') WHERE meta_id % 500 = 7;
UPDATE wp_visits SET seen = seen + 1 WHERE id % 500 = 9;
"""


class Run(NamedTuple):
    """What a run took on this side, and by how many bytes the backups grew."""

    cost: Cost
    growth: int


class Bench(NamedTuple):
    """A database on a server that is reached over SSH, and a folder for what is kept of it."""

    mariadb: MariaDB
    server: SshServer
    folder: Path


def fill(mariadb: MariaDB) -> None:
    """Make the database; the same one each time."""
    chance = random.Random(1)
    words = ["".join(chance.choices("abdegiklmnprstu", k=chance.randint(2, 9))) for _ in range(6000)]

    def text(most: int) -> str:
        return " ".join(chance.choices(words, k=chance.randint(most // 8 + 1, most)))

    mariadb.sql(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
    mariadb.sql(TABLES, DATABASE)
    insert(mariadb, "wp_posts (post_date, post_title, post_content)", build_posts(text, POSTS))
    metas = (f"({number % POSTS}, '_{chance.choice(words)}', '{text(12)}')" for number in range(METAS))
    insert(mariadb, "wp_postmeta (post_id, meta_key, meta_value)", metas)
    visits = (f"('{chance.getrandbits(256):064x}', {number % 99})" for number in range(VISITS))
    insert(mariadb, "wp_visits (visitor, seen)", visits)


def build_posts(text: Callable[[int], str], count: int) -> Iterator[str]:
    """Rows of wp_posts; `text` gives at most so many words."""
    return (f"('2026-01-01 08:00:00', '{text(8)}', '{text(900)}')" for _ in range(count))


def insert(mariadb: MariaDB, table: str, rows: Iterator[str]) -> None:
    """Insert rows, some thousand at a time."""
    while some := [row for row, _ in zip(rows, range(2000), strict=False)]:
        mariadb.sql(f"INSERT INTO {table} VALUES {','.join(some)}", DATABASE)


def change(mariadb: MariaDB) -> None:
    """Let a day pass."""
    chance = random.Random()
    words = [f"{chance.getrandbits(24):x}" for _ in range(400)]
    news = build_posts(lambda most: " ".join(chance.choices(words, k=min(most, 120))), 20)
    insert(mariadb, "wp_posts (post_date, post_title, post_content)", news)
    insert(mariadb, "wp_visits (visitor, seen)", (f"('{chance.getrandbits(256):064x}', 1)" for _ in range(400)))


def rivals(bench: Bench) -> dict[str, Rival]:
    """The programs, ours first; each keeps its backups in a folder of its own."""
    ours = [sys.executable, __file__, "dump", str(bench.server.port), str(bench.server.directory), bench.mariadb.socket]
    options = f"-p {bench.server.port} -i {bench.server.identity} -o UserKnownHostsFile={bench.server.known_hosts}"
    flags = "--single-transaction --quick --hex-blob --no-tablespaces --default-character-set=utf8mb4"
    dump = f"mariadb-dump --no-defaults -uroot -S {bench.mariadb.socket} {flags} {DATABASE}"
    pull = f"ssh {options} {getpass.getuser()}@127.0.0.1 {dump}"
    lines = {
        "ssh dump, zstd": f"{pull} | zstd -q -3 -f -o $(date +%s%N).sql.zst",
        "restic --stdin": f"[ -e r/config ] || restic -q init -r r; {pull} | restic -q backup -r r --stdin",
        "borg -": "export BORG_BASE_DIR=$PWD/base; [ -e b/config ] || borg init -e none b; "
        f"{pull} | borg create -C zstd,3 b::$(date +%s%N) -",
    }
    found = {"sop": Rival("sop", ours, bench.folder / "sop")}
    for name, line in lines.items():
        program = name.split()[-1] if "," in name else name.split()[0]
        if shutil.which(program):
            place = bench.folder / name.replace(" ", "-").replace(",", "")
            found[name] = Rival(name, ["sh", "-ec", line], place, ENVIRONMENT)
        else:
            print(f"{name}: left out, {program} is not installed", file=sys.stderr)
    return found


def dump(port: str, keys: str, socket: str) -> None:
    """Dump and seal in the working folder, as the two tasks of a playbook do."""
    from runner.actions import backup_database

    login = {"engine": "mariadb", "name": DATABASE, "user": "root", "socket": socket}
    back_up(backup_database.ACTION, login, port, keys)


def take_turns(bench: Bench, rounds: int) -> dict[tuple[str, str], list[Run]]:
    """Have all programs dump, let a day pass, have them dump again; so often."""
    costs: dict[tuple[str, str], list[Run]] = {}
    programs = rivals(bench)
    for _ in range(rounds):
        sizes = dict.fromkeys(programs, 0)
        for rival in programs.values():
            fresh(rival.folder or bench.folder)
        for day in DAYS:
            for name, rival in programs.items():
                cost, size = measure(rival), _stored(rival)
                costs.setdefault((day, name), []).append(Run(cost, size - sizes[name]))
                sizes[name] = size
            change(bench.mariadb)
    return costs


def _stored(rival: Rival) -> int:
    words = ["du", "-sb", "--exclude=private", "--exclude=evidence", "--exclude=base", str(rival.folder)]
    return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[0])


def render(costs: Mapping[tuple[str, str], Sequence[Run]]) -> Iterator[str]:
    """Give the table of medians."""
    yield "| run | program | wall s | CPU s here | MiB | grew by MB |"
    yield "|---|---|---:|---:|---:|---:|"
    for (day, name), found in costs.items():
        wall, cpu = (median(getattr(each.cost, what) for each in found) for what in ("wall", "cpu"))
        memory, growth = max(each.cost.memory for each in found), median(each.growth for each in found)
        yield f"| {day} | {name} | {wall:.2f} | {cpu:.2f} | {memory:.0f} | {growth / 1e6:.3f} |"


def main(rounds: int) -> None:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory(prefix="sop-dump-") as name, running_mariadb() as mariadb:
        folder = Path(name)
        fill(mariadb)
        with ssh_server(folder / "sshd") as server:
            print(f"Measured on: {render_machine()}; {rounds} rounds.\n")
            print("\n".join(render(take_turns(Bench(mariadb, server, folder), rounds))))


if __name__ == "__main__":
    if sys.argv[1:2] == ["dump"]:
        dump(*sys.argv[2:])
    else:
        main(int(next(iter(sys.argv[1:]), "3")))
