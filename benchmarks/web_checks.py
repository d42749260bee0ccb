"""A thousand websites over TLS, each checked once over a connection of its own: sop, and prometheus-blackbox-exporter.

    python benchmarks/web_checks.py [ROUNDS]

The websites are a thousand ports of one nginx on 127.0.0.1 with a page of 34 KB. Both verify the certificate against
all authorities of this machine and one of our own, and look for a text on the page. sop keeps its journal, and says of
each site what kind of page it shows, once in threads and once in two processes (Go uses both cores); the exporter is
asked by one curl, as many at a time as sop has forks.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from measuring import ROOT, Rival, compare, fresh, program, render_share, render_table

sys.path.insert(0, str(ROOT))
from tests.web_servers import make_authority

SITES = 1000
FIRST_PORT = 21000
EXPORTER_PORT = 29115
FORKS = 64
PROCESSES = 2
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
TEXT = "Ketua Pengadilan Negeri menerima kunjungan kerja"
PAGE = (
    "<!doctype html><title>Pengadilan Negeri Contoh</title><main>"
    + f'<div class="item"><h2><a href="/berita/1">Judul berita pengadilan</a></h2><p>{TEXT} pada hari Senin, '
    "12 Januari 2026.</p></div>\n" * 200 + "</main>"
)
NGINX = """\
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 2;
events {{ worker_connections 4096; }}
http {{
    access_log off; default_type text/html; ssl_session_cache off; ssl_session_tickets off;
    server {{
        listen 127.0.0.1:{first}-{last} ssl backlog=64;
        ssl_certificate {certificate}; ssl_certificate_key {key}; root {folder}/www;
    }}
}}
"""
EXPORTER = """\
modules:
  site:
    prober: http
    timeout: 20s
    http:
      preferred_ip_protocol: ip4
      fail_if_not_ssl: true
      fail_if_body_not_matches_regexp: ["{text}"]
"""
PLAYBOOK = f"""\
procedure: {{title: Pemantauan}}
steps:
  - id: monitor
    activity: Memantau website
    targets: websites
    tasks:
      - id: available
        action: website.available
        with: {{must_contain: ["{TEXT}"], ca_file: "{{{{ vars.authorities }}}}"}}
"""


@contextmanager
def websites(folder: Path) -> Iterator[Path]:
    """Serve the websites and yield the file of all authorities to trust."""
    authority = make_authority(folder)
    authority.context()
    certificate, key = next(folder.glob("127*.crt")), next(folder.glob("127*.key"))
    (folder / "www").mkdir()
    (folder / "www" / "index.html").write_text(PAGE)
    config = folder / "nginx.conf"
    last = FIRST_PORT + SITES - 1
    config.write_text(
        NGINX.format(folder=folder, first=FIRST_PORT, last=last, certificate=certificate, key=key), "utf-8"
    )
    authorities = folder / "authorities.pem"
    authorities.write_bytes(AUTHORITIES.read_bytes() + authority.ca_file.read_bytes())
    folder.chmod(0o755)
    with _server(["/usr/sbin/nginx", "-c", str(config)], last):
        yield authorities


@contextmanager
def _server(argv: list[str], port: int, **environment: str) -> Iterator[int]:
    silent = subprocess.DEVNULL
    process = subprocess.Popen(argv, stdout=silent, stderr=silent, env={**os.environ, **environment})
    try:
        for _ in range(200):
            with socket.socket() as plug:
                if plug.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            raise SystemExit(f"{argv[0]} does not answer on port {port}")
        yield process.pid
    finally:
        process.terminate()
        process.wait()


@contextmanager
def exporter(folder: Path, authorities: Path) -> Iterator[int]:
    """Run the exporter and yield its process."""
    config = folder / "blackbox.yml"
    config.write_text(EXPORTER.format(text=TEXT))
    place = f"127.0.0.1:{EXPORTER_PORT}"
    argv = ["prometheus-blackbox-exporter", f"--config.file={config}", f"--web.listen-address={place}"]
    # Go reads these once; a `ca_file` in its configuration would be read anew for each website.
    with _server(argv, EXPORTER_PORT, SSL_CERT_FILE=str(authorities)) as process:
        yield process


def build_sop(folder: Path, authorities: Path, number: int, processes: int = 0) -> Rival:
    """sop on that many of the websites, with a record that begins empty in each run; in threads, or in processes."""
    sites = {f"s{index}": {"url": f"https://127.0.0.1:{FIRST_PORT + index}/"} for index in range(number)}
    inventory = {"websites": sites, "vars": {"authorities": str(authorities)}}
    home = folder / f"sop{number}-{processes}"
    fresh(home)
    (home / "inventory.yml").write_text(json.dumps(inventory))
    (home / "playbook.yml").write_text(PLAYBOOK)
    executor = f"processes:{processes}" if processes else "threads"
    argv = [program("sop"), "run", "playbook.yml", "-i", "inventory.yml", "-f", str(FORKS), "--format", "json"]
    argv += ["--executor", executor]

    def check(said: str) -> None:
        steps = json.loads(said)["steps"]
        outputs = [task["outputs"]["available"] for target in steps[0]["targets"] for task in target["tasks"]]
        assert outputs == [True] * number, said[:2000]

    name = f"sop, {number} sites" + (f", {processes} processes" if processes else "")
    return Rival(name, argv, home, prepare=lambda: fresh(home / "records"), check=check)


def build_exporter(folder: Path) -> Rival:
    """The exporter, asked for every website by one curl."""
    config = folder / "curl.txt"
    lines = [
        f'url = "http://127.0.0.1:{EXPORTER_PORT}/probe?module=site&target=https://127.0.0.1:{FIRST_PORT + index}/"'
        for index in range(SITES)
    ]
    config.write_text("\n".join(lines))
    argv = ["curl", "--silent", "--parallel", "--parallel-max", str(FORKS), "--config", str(config)]

    def check(said: str) -> None:
        assert said.count("\nprobe_success 1\n") == SITES, said[:2000]

    return Rival("blackbox_exporter", argv, folder, check=check)


def cpu_of(process: int) -> float:
    """Seconds of CPU that a running process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    """Measure, and print a section of RESULTS.md."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory(prefix="sop-web-") as name:
        folder = Path(name)
        with websites(folder) as authorities, exporter(folder, authorities) as process:
            ours = [build_sop(folder, authorities, SITES, PROCESSES), build_sop(folder, authorities, SITES)]
            rivals = [*ours, build_sop(folder, authorities, 1), build_exporter(folder)]
            before = cpu_of(process)
            costs = compare(rivals, rounds=rounds)
            used = (cpu_of(process) - before) / (rounds + 1) / SITES
    many, one = costs[f"sop, {SITES} sites"], costs["sop, 1 sites"]
    each = min((a.cpu - b.cpu) / (SITES - 1) for a, b in zip(many, one, strict=True)) * 1000
    walls = {name: median(cost.wall for cost in found) for name, found in costs.items()}
    shares = [render_share(walls[each.name] / walls["blackbox_exporter"]) for each in ours]
    print(f"## One check of {SITES} websites over TLS\n\nMedians of {rounds} rounds, {FORKS} at a time.\n")
    print(render_table(costs, goals={"blackbox_exporter": "≤ 1.5 × of wall"}))
    print(
        f"\nEach further check costs sop {each:.2f} ms of CPU at best, journal and planning with it (goal ≤ 3 ms), "
        f"the exporter {1000 * used:.2f} ms (curl's CPU is in the table). sop's wall: {shares[0]} in {PROCESSES} "
        f"processes, {shares[1]} in threads."
    )


if __name__ == "__main__":
    main()
