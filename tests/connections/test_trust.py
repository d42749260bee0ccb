from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.connections.trust import HostKey, KnownHosts, host_name, parse_host_key

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJ7mVnpYV0HdbWJTQGw5yyyO2sQjvGqTOlh0Y6n6k3Xy"
OTHER = "AAAAC3NzaC1lZDI1NTE5AAAAIDy2b8V5y1a1qkq8nq0z2qTqk3b6p0aZp3d6rXxEJgPo"


def judge(text: str, folder: Path, host: str = "web1", key: str = KEY) -> str:
    (folder / "known_hosts").write_text(text)
    return KnownHosts((folder / "known_hosts", folder / "missing")).judge(HostKey(host, "ssh-ed25519", key))


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("", "unknown"),
        (f"# web1 ssh-ed25519 {KEY}\nweb1 ssh-ed25519\n\x00\n", "unknown"),
        (f"web1 ssh-ed25519 {KEY} comment", "known"),
        (f"web0,web1,10.0.0.1 ssh-ed25519 {KEY}", "known"),
        (f"web? ssh-ed25519 {KEY}", "known"),
        (f"*,!web1 ssh-ed25519 {KEY}", "unknown"),
        (f"web1 ssh-ed25519 {OTHER}", "changed"),
        (f"web1 ssh-ed25519 {OTHER}\nweb1 ssh-ed25519 {KEY}", "known"),
        (f"web1 ssh-rsa {OTHER}", "changed"),
        (f"web1 ssh-ed25519 {KEY}\n@revoked * ssh-ed25519 {KEY}", "revoked"),
        (f"@cert-authority * ssh-ed25519 {KEY}", "unknown"),
        ("|1|!!!|??? ssh-ed25519 x", "unknown"),
    ],
)
def test_judges_as_known_hosts_say(text: str, verdict: str, tmp_path: Path) -> None:
    assert judge(text, tmp_path) == verdict


def test_reads_hashed_names(tmp_path: Path) -> None:
    file = tmp_path / "hashed"
    file.write_text(f"[web1]:2222 ssh-ed25519 {KEY}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
    assert "web1" not in file.read_text()
    assert judge(file.read_text(), tmp_path, host_name("web1", 2222)) == "known"
    assert judge(file.read_text(), tmp_path, host_name("web1", 22)) == "unknown"


@given(text=st.text())
def test_reads_any_text(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    judge(text.encode("utf-8", "replace").decode(), tmp_path_factory.getbasetemp())


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "ssh-ed25519 ###"])
def test_refuses_what_is_no_key(text: str) -> None:
    with pytest.raises(ValueError, match="public key"):
        parse_host_key("web1", text)
