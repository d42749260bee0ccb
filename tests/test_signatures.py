"""SSH signatures and keys as text: whatever is handed in is read or refused, never a crash."""

from __future__ import annotations

import base64
import contextlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Failed
from runner.signatures import LARGEST_SIGNATURE, check_signature, key_of, parse_key, sign, signer_of

BEGIN, END = b"-----BEGIN SSH SIGNATURE-----\n", b"\n-----END SSH SIGNATURE-----\n"


@pytest.fixture(scope="module", params=["ed25519", "rsa", "ecdsa"])
def key(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", request.param, "-N", "", "-f", file], check=True, timeout=60)
    return file


def test_a_signature_names_its_key_and_holds_for_its_text_only(key: Path) -> None:
    signature = sign(key, b"text")
    signer = signer_of(signature)
    assert signer == key_of(key)
    assert check_signature(signer, b"text", signature) == ""
    assert check_signature(signer, b"text ", signature) != ""
    listed = subprocess.run(["ssh-keygen", "-l", "-f", key], capture_output=True, text=True, check=True, timeout=20)
    assert signer.fingerprint in listed.stdout


def test_a_private_key_alone_tells_its_public_one(key: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.write_bytes(key.read_bytes())
    alone.chmod(0o600)
    assert key_of(alone) == key_of(key)
    alone.chmod(0o644)
    with pytest.raises(Failed, match=r"cannot be read: .*UNPROTECTED"):
        key_of(alone)


def test_a_key_with_a_passphrase_and_nobody_to_type_it_is_told(tmp_path: Path) -> None:
    file = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", file], check=True, timeout=20)
    with pytest.raises(Failed, match="no signature was made"):
        sign(file, b"text")


@pytest.mark.parametrize(
    "text", ["", "ssh-ed25519", "ssh-ed25519 AAAA… budi", "ssh-dss AAAAB3NzaC1kc3M= x", "ssh-rsa A"]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="public SSH key"):
        parse_key(text)


def test_what_stands_beside_a_key_changes_nothing(key: Path) -> None:
    text = key.with_suffix(".pub").read_text()
    assert parse_key(text.strip() + ' namespaces="git" evil\n* ssh-ed25519 AAAA') == key_of(key)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_signature_or_refused(content: bytes) -> None:
    framed = BEGIN + base64.b64encode(content) + END
    sshsig = BEGIN + base64.b64encode(b"SSHSIG\x00\x00\x00\x01" + content) + END
    for signature in (content, BEGIN + content + END, framed, framed.replace(b"=", b""), sshsig):
        with contextlib.suppress(Failed):
            assert signer_of(signature).fingerprint.startswith("SHA256:")


def test_a_large_signature_is_not_looked_at() -> None:
    with pytest.raises(Failed, match="no SSH signature"):
        signer_of(BEGIN + b"A" * LARGEST_SIGNATURE + END)
