"""A website of 30,000 files and 0.9 GB backed up by pull over SSH, beside tar and zstd, rsync, restic and borg.

    python benchmarks/backup.py [ROUNDS] [DELAY]

The files are Debian's WordPress and its uploads. Three runs each: the first pull, one of an unchanged site, one after
1 % of the files changed. DELAY is the round trip's in seconds (0.03), by slow_link.py. restic and borg read the site
through sshfs, as both need an agent on the server otherwise. Needs: wordpress, rsync, zstd, restic, borgbackup, sshfs.
What cannot be found is left out, and said.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from measuring import Cost, Rival, fresh, measure, render_machine, render_share

from tests.sshd import SshServer, ssh_server

PULL = Path(__file__).with_name("pull.py")
WORDPRESS = Path("/usr/share/wordpress")
FILES, MEDIA = 30_000, 3_000
CHANGED = 300
SFTP = {"Subsystem": "sftp internal-sftp"}
FIRST, SAME, LATER = "first pull", "unchanged", "1 % changed"
ENVIRONMENT = {"RESTIC_PASSWORD": "benchmark", "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}


@dataclass(frozen=True, slots=True)
class Bench:
    """A site on a server, the port on which it is reached, and a folder for what is kept of it."""

    server: SshServer
    port: int
    site: Path
    folder: Path

    @property
    def options(self) -> str:
        """What the others' ssh is told: the same server and key."""
        known = f"-o UserKnownHostsFile={self.folder}/known_hosts -o StrictHostKeyChecking=accept-new"
        return f"-p {self.port} -i {self.server.identity} -o IdentitiesOnly=yes {known}"

    @property
    def at(self) -> str:
        """The server as the others name it."""
        return f"{self.server.user}@127.0.0.1"

    def server_cpu(self) -> float:
        """Seconds of CPU that the server's sessions have taken, once they have ended."""
        (sshd,) = subprocess.run(
            ["pgrep", "-P", str(self.server.keeper.pid), "sshd"], capture_output=True, text=True, check=True
        ).stdout.split()
        while subprocess.run(["pgrep", "-P", sshd], capture_output=True, check=False).returncode == 0:
            time.sleep(0.05)
        fields = Path(f"/proc/{sshd}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Run:
    """What a run took: on this side, the server's CPU, and how many bytes are kept after it."""

    cost: Cost
    server: float
    stored: int


def build_site(root: Path) -> None:
    """Make the site: WordPress, pages of its cache, and photographs, which do not compress; the same ones each time."""
    shutil.copytree(WORDPRESS, root, symlinks=True)
    uploads = root / "wp-content" / "uploads"
    uploads.unlink(missing_ok=True)
    texts = [path.read_bytes() for path in sorted(root.rglob("*.php")) if path.is_file()][:400]
    chance = random.Random(1)
    for number in range(FILES - MEDIA - sum(len(files) for _, _, files in os.walk(root))):
        page = uploads / "cache" / f"{number // 200:03d}" / f"page-{number}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_bytes(texts[number % len(texts)][: 500 + number * 37 % 6000] + str(number).encode())
    for number in range(MEDIA):
        photo = uploads / f"{2015 + number // 300}" / f"{number % 12 + 1:02d}" / f"foto-{number}.jpg"
        photo.parent.mkdir(parents=True, exist_ok=True)
        photo.write_bytes(chance.randbytes(int(chance.lognormvariate(12.2, 0.75))))


def change_site(root: Path) -> None:
    """Change a file in a hundred: two in three get more, the others are new."""
    pages = sorted((root / "wp-content" / "uploads" / "cache").rglob("*.html"))
    chance = random.Random()
    for page in chance.sample(pages, CHANGED * 2 // 3):
        page.write_bytes(page.read_bytes() + b"more")
    for number in range(CHANGED // 3):
        (pages[0].parent / f"new-{chance.getrandbits(40)}-{number}.html").write_bytes(chance.randbytes(2000))


def rivals(bench: Bench) -> dict[str, Rival]:
    """The programs, ours first; each keeps its backups in a folder of its own."""
    ours = [sys.executable, str(PULL), str(bench.port), str(bench.server.directory), str(bench.site)]
    ssh, site = f"ssh {bench.options}", f"{bench.at}:{bench.site}"
    known = f"UserKnownHostsFile={bench.folder}/known_hosts,StrictHostKeyChecking=accept-new"
    key = f"IdentityFile={bench.server.identity},IdentitiesOnly=yes"
    mount = f"mkdir -p m; sshfs {site} m -p {bench.port} -o {key},{known}; trap 'fusermount -u m' EXIT"
    lines = {
        "ssh tar | zstd": f"{ssh} {bench.at} tar -C {bench.site} -cf - . | zstd -q -3 -f -o site.tar.zst",
        "rsync --link-dest": f"last=$(ls -d s-* 2>/dev/null | tail -n 1); rsync -a -e '{ssh}' "
        f'${{last:+--link-dest="$PWD/$last"}} {site}/ "s-$(date +%s%N)/"',
        "restic over sshfs": f"[ -e r/config ] || restic -q init -r r; {mount}; restic -q backup -r r --ignore-inode m "
        "|| [ $? = 3 ]",  # 3: sshfs shows it no links out of the folder
        "borg over sshfs": f"export BORG_BASE_DIR=$PWD/base; [ -e b/config ] || borg init -e none b; {mount}; "
        "borg create --files-cache ctime,size -C zstd,3 b::$(date +%s%N) m",
    }
    found = {"sop": Rival("sop", ours, bench.folder / "sop")}
    for name, line in lines.items():
        needed = {name.split()[0], *(["sshfs"] if "sshfs" in name else [])}
        if all(map(shutil.which, needed)):
            place = bench.folder / name.replace(" ", "-").replace("|", "")
            found[name] = Rival(name, ["sh", "-ec", line], place, ENVIRONMENT)
        else:
            print(f"{name}: left out, {' and '.join(sorted(needed))} are not all installed", file=sys.stderr)
    return found


def take_turns(bench: Bench, rounds: int) -> dict[tuple[str, str], list[Run]]:
    """Have all programs do the three runs, one after the other in each of them, so often."""
    costs: dict[tuple[str, str], list[Run]] = {}
    programs = rivals(bench)
    for _ in range(rounds):
        for rival in programs.values():
            fresh(rival.folder or bench.folder)
        for run in (FIRST, SAME, LATER):
            if run == LATER:
                change_site(bench.site)
            for name, rival in list(programs.items()):
                if run == FIRST or name != "ssh tar | zstd":
                    try:
                        costs.setdefault((run, name), []).append(_measure(bench, rival))
                    except SystemExit as error:
                        if name == "sop":
                            raise
                        print(f"{name}: left out from here on: {error}", file=sys.stderr)
                        del programs[name], costs[run, name]
    return costs


def _measure(bench: Bench, rival: Rival) -> Run:
    before = bench.server_cpu()
    cost = measure(rival)
    assert rival.folder
    words = ["du", "-sb", "--exclude=m", "--exclude=private", "--exclude=evidence", str(rival.folder)]
    stored = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return Run(cost, bench.server_cpu() - before, int(stored.split()[0]))


def render(costs: Mapping[tuple[str, str], Sequence[Run]]) -> Iterator[str]:
    """Give the table: medians, and ours as a share of each other's wall time and of CPU on both sides."""
    yield "| run | program | wall s | least – most | CPU s here | there | MiB | stored MB | sop's wall | sop's CPU |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    for (run, name), found in costs.items():
        ours = costs[run, "sop"]
        walls = [each.cost.wall for each in found]
        shares = ["", ""]
        if name != "sop":
            shares = [render_share(_wall(ours) / _wall(found)), render_share(_cpu(ours) / _cpu(found))]
        cells = [run, name, f"{_wall(found):.2f}", f"{min(walls):.2f} – {max(walls):.2f}"]
        cells += [f"{median(each.cost.cpu for each in found):.2f}", f"{median(each.server for each in found):.2f}"]
        cells += [f"{max(each.cost.memory for each in found):.0f}", f"{found[-1].stored / 1e6:.1f}", *shares]
        yield f"| {' | '.join(cells)} |"


def _wall(found: Sequence[Run]) -> float:
    return median(each.cost.wall for each in found)


def _cpu(found: Sequence[Run]) -> float:
    return median(each.cost.cpu + each.server for each in found)


@contextmanager
def linked(port: int, delay: float) -> Iterator[int]:
    """Give the port to reach a server by, over a link with that round trip."""
    if not delay:
        yield port
        return
    words = [sys.executable, str(Path(__file__).with_name("slow_link.py")), str(delay), f"127.0.0.1:{port}"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as link:
        assert link.stdout
        assert link.stdin
        try:
            yield int(link.stdout.readline())
        finally:
            link.stdin.close()


def main(rounds: int, delay: float) -> None:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory(prefix="sop-backup-") as name:
        folder = Path(name)
        build_site(folder / "site")
        with ssh_server(folder / "sshd", options=SFTP) as server, linked(server.port, delay) as port:
            bench = Bench(server, port, folder / "site", folder)
            print(f"Measured on: {render_machine()}; round trip {delay * 1000:.0f} ms, {rounds} rounds.\n")
            print("\n".join(render(take_turns(bench, rounds))))


if __name__ == "__main__":
    main(int(next(iter(sys.argv[1:]), "3")), float(next(iter(sys.argv[2:]), "0")))
