"""Nine hundred websites in one run, over TLS on loopback: availability, certificate, content and integrity of each."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.web_servers import make_authority

SITES = 900
FIRST_PORT = 23000
BAD = {17: "gone", 230: "suspended", 555: "old", 700: "planted"}
PLANTED = '<div style="left:-9999px;position:absolute"><a href="https://kebun.example/">Slot Gacor</a></div>'
HOME = """<!doctype html><title>Pengadilan Negeri Contoh</title><main><h1>Berita</h1>
<article><p>{day}</p><p>Ketua pengadilan menerima kunjungan kerja.</p></article></main>"""
NGINX = """\
user root; daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 4096; }}
http {{
    access_log off; default_type text/html;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    server {{ listen 127.0.0.1:{first}-{last} ssl; root {folder}/www; }}
    server {{ listen 127.0.0.1:{suspended} ssl; return 200 "<title>Account Suspended</title>"; }}
    server {{ listen 127.0.0.1:{old} ssl; root {folder}/old; }}
    server {{ listen 127.0.0.1:{planted} ssl; root {folder}/planted; }}
}}
"""
PLAYBOOK = """\
procedure: {title: Pemantauan}
steps:
  - id: sweep
    activity: Memantau website
    targets: websites
    on_failure: continue
    tasks:
      - {id: available, action: website.available, with: {ca_file: "{{ vars.ca }}", tries: 1}}
      - {id: certificate, action: tls.certificate, with: {ca_file: "{{ vars.ca }}"}}
      - {id: updated, action: website.updated, with: {ca_file: "{{ vars.ca }}", max_age: 30 hari}}
      - {id: integrity, action: website.integrity, with: {ca_file: "{{ vars.ca }}", sample: 0}}
"""


def serve(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    authority = make_authority(folder)
    authority.context()
    today = time.strftime("%-d/%-m/%Y")
    for name, day, more in (("www", today, ""), ("old", "1/2/2020", ""), ("planted", today, PLANTED)):
        (folder / name).mkdir()
        (folder / name / "index.html").write_text(HOME.format(day=day) + more)
    config = folder / "nginx.conf"
    config.write_text(
        NGINX.format(
            folder=folder,
            certificate=next(folder.glob("127*.crt")),
            key=next(folder.glob("127*.key")),
            first=FIRST_PORT,
            last=FIRST_PORT + SITES - 1,
            suspended=FIRST_PORT + SITES,
            old=FIRST_PORT + SITES + 1,
            planted=FIRST_PORT + SITES + 2,
        )
    )
    server = subprocess.Popen(["nginx", "-c", str(config)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not answers(FIRST_PORT + SITES + 2):
        assert time.monotonic() < deadline, (folder / "error.log").read_text()
        time.sleep(0.05)
    return server, str(authority.ca_file)


def answers(port: int) -> bool:
    with socket.socket() as plug:
        return plug.connect_ex(("127.0.0.1", port)) == 0


def port_of(number: int) -> int:
    ports = {"gone": 1, **{name: FIRST_PORT + SITES + n for n, name in enumerate(("suspended", "old", "planted"))}}
    return ports.get(BAD.get(number, ""), FIRST_PORT + number)


MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=open("memory", "w"))
sys.exit(code)
"""  # a child of the test itself would begin with the test's own memory as its peak


@pytest.mark.heavy
def test_nine_hundred_sites_in_one_run(tmp_path: Path) -> None:
    folder = tmp_path / "web"
    folder.mkdir()
    server, authorities = serve(folder)
    try:
        sites = {f"s{n:03d}": {"url": f"https://127.0.0.1:{port_of(n)}/"} for n in range(SITES)}
        (tmp_path / "inventory.yml").write_text(json.dumps({"websites": sites, "vars": {"ca": authorities}}))
        (tmp_path / "playbook.yml").write_text(PLAYBOOK)
        words = ["-m", "runner", "run", "playbook.yml", "-i", "inventory.yml", "-f", "100", "--format", "json"]
        started = time.monotonic()
        with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
            command = [sys.executable, "-c", MEASURED, sys.executable, *words]
            code = subprocess.call(command, cwd=tmp_path, stdout=out, stderr=err)
        seconds = time.monotonic() - started
    finally:
        server.terminate()
        server.wait()
    assert code == 10, (tmp_path / "err").read_text()[-2000:]
    problems = json.loads((tmp_path / "out").read_text())["problems"]
    print([each["message"] for each in problems if each["key"] != "website.slow"][:12])
    told = {(each["target"], each["key"]) for each in problems}
    slow = {each for each in told if each[1] == "website.slow"}  # a busy machine makes some
    assert told - slow == {
        ("s017", "website.unavailable"),
        ("s017", "certificate.unknown"),
        ("s017", "website.update_unknown"),
        ("s017", "website.integrity_unknown"),
        ("s230", "website.unavailable"),
        ("s230", "website.integrity.not_the_site"),
        ("s230", "website.integrity.random_path"),
        ("s230", "website.update_unknown"),
        ("s555", "website.not_updated"),
        ("s700", "website.integrity.hidden_links"),
    }
    memory = int((tmp_path / "memory").read_text()) / 1024
    print(f"{SITES} sites, four checks each: {seconds:.1f} s, {memory:.0f} MiB")
    assert memory < 300
