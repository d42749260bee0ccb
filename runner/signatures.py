"""SSH signatures, by OpenSSH's own `ssh-keygen -Y`: made here or elsewhere, and checked against one public key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from runner.errors import Failed

NAMESPACE = "sop-answer"  # a signature made for git, mail or files is none of ours
LARGEST_SIGNATURE = 16 * 1024
LONGEST_CHECK, LONGEST_SIGNING = 20, 180  # seconds; signing may wait for a passphrase or a touch
KINDS = frozenset(
    {"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"}
    | {"sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"}
)
_ARMOUR = re.compile(rb"\s*-----BEGIN SSH SIGNATURE-----([A-Za-z0-9+/=\s]+)-----END SSH SIGNATURE-----\s*\Z")
_MAGIC = b"SSHSIG"
_SIGNER = "signer"

Done = subprocess.CompletedProcess[bytes]


class PublicKey(NamedTuple):
    """A public key: its kind and its base64, as they stand in a `.pub` file."""

    kind: str
    blob: str

    def __str__(self) -> str:
        return f"{self.kind} {self.blob}"

    @property
    def fingerprint(self) -> str:
        """What people compare: SHA256:…"""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def parse_key(text: str) -> PublicKey:
    """Given a line as in a `.pub` file, return its key. Raise ValueError, with a cure, where it is none."""
    words = text.split()
    if len(words) < 2 or words[0] not in KINDS:
        raise ValueError(f"{text[:40]!r} is no public SSH key. copy the line of a .pub file")
    if _take_text(_decode(words[1].encode("utf-8", "surrogateescape")))[0] != words[0].encode():
        raise ValueError(f"{text[:40]!r} is a damaged public SSH key. copy the whole line of the .pub file")
    return PublicKey(words[0], words[1])


def signer_of(signature: bytes) -> PublicKey:
    """Given a signature as `ssh-keygen -Y sign` writes it, return the key it claims. Raise Failed where it is none."""
    found = _ARMOUR.match(signature) if len(signature) <= LARGEST_SIGNATURE else None
    raw = _decode(b"".join(found[1].split())) if found else b""
    if not raw.startswith(_MAGIC) or len(raw) < 14:
        raise Failed("this is no SSH signature. give the .sig file that 'ssh-keygen -Y sign' wrote")
    blob, _ = _take_text(raw[10:])
    kind = _take_text(blob)[0].decode("ascii", "replace")
    try:
        return parse_key(f"{kind} {base64.b64encode(blob).decode()}")
    except ValueError:
        raise Failed("the signature names no key of a kind that is known here") from None


def check_signature(key: PublicKey, statement: bytes, signature: bytes) -> str:
    """Given a key, what was signed and the signature, return what is wrong, "" where it holds. Raise Failed without
    ssh-keygen."""
    with tempfile.TemporaryDirectory(prefix="sop-signature-") as name:
        folder = Path(name)
        (folder / "allowed").write_text(f'{_SIGNER} namespaces="{NAMESPACE}" {key}\n', "ascii")
        (folder / "signature").write_bytes(signature)
        words: list[str | Path] = [
            "-Y",
            "verify",
            "-f",
            folder / "allowed",
            "-I",
            _SIGNER,
            "-n",
            NAMESPACE,
            "-s",
            folder / "signature",
        ]
        done = _keygen(words, LONGEST_CHECK, stdin=statement)
    return "" if done.returncode == 0 else _said(done) or "ssh-keygen does not accept it"


def sign(key_file: Path, statement: bytes) -> bytes:
    """Given the file of a key (private, or public where an agent has the private one), return a signature of the
    statement. Raise Failed where it cannot be made."""
    with tempfile.TemporaryDirectory(prefix="sop-signature-") as name:
        text = Path(name) / "statement"
        text.write_bytes(statement)
        done = _keygen(["-Y", "sign", "-f", key_file, "-n", NAMESPACE, text], LONGEST_SIGNING)
        if done.returncode:
            raise Failed(f"{key_file}: no signature was made: {_said(done)}")
        return text.with_name("statement.sig").read_bytes()


def sign_by_agent(key: PublicKey, statement: bytes) -> bytes:
    """Given a public key whose private part an agent has, return a signature. Raise Failed where it cannot be made."""
    with tempfile.TemporaryDirectory(prefix="sop-signature-") as name:
        file = Path(name) / "key.pub"
        file.write_text(f"{key}\n", "ascii")
        return sign(file, statement)


def key_of(key_file: Path) -> PublicKey:
    """Given the file of a private key (or a .pub file), return its public key. Raise Failed where there is none."""
    beside = key_file if key_file.suffix == ".pub" else key_file.with_name(key_file.name + ".pub")
    if beside.is_file():
        text = beside.read_bytes()[:LARGEST_SIGNATURE].decode("utf-8", "replace")
    else:
        done = _keygen(["-y", "-f", key_file], LONGEST_SIGNING)
        if done.returncode:
            raise Failed(f"{key_file}: this key cannot be read: {_said(done)}")
        text = done.stdout.decode("ascii", "replace")
    try:
        return parse_key(text)
    except ValueError as error:
        raise Failed(f"{key_file}: {error}") from None


def agent_keys() -> tuple[PublicKey, ...]:
    """The keys that the SSH agent has. Raise Failed where none answers, or it has none."""
    done = _run(["ssh-add", "-L"], LONGEST_CHECK)
    found = []
    for line in done.stdout.decode("utf-8", "replace").splitlines() if done.returncode == 0 else ():
        try:
            found.append(parse_key(line))
        except ValueError:
            continue  # a certificate, or a kind that signs nothing here
    if not found:
        raise Failed("--ssh agent: no SSH agent answers that has a key. add it: ssh-add KEYFILE, or name the file")
    return tuple(found)


def _decode(text: bytes) -> bytes:
    """Base64 as bytes; of what is none, nothing."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _take_text(raw: bytes) -> tuple[bytes, bytes]:
    """The first string of SSH's wire form (four bytes of length, then as many), and what follows."""
    if len(raw) < 4:
        return b"", b""
    (length,) = struct.unpack(">I", raw[:4])
    return raw[4 : 4 + length], raw[4 + length :]


def _keygen(words: Sequence[str | Path], seconds: int, stdin: bytes = b"") -> Done:
    return _run(["ssh-keygen", *map(str, words)], seconds, stdin)


def _run(words: Sequence[str], seconds: int, stdin: bytes = b"") -> Done:
    try:
        return subprocess.run(words, input=stdin, capture_output=True, timeout=seconds, check=False)  # noqa: S603 - ours
    except FileNotFoundError:
        cure = "install OpenSSH's client (apt-get install openssh-client)"
        raise Failed(f"{words[0]} is not installed. {cure}") from None
    except subprocess.TimeoutExpired:
        raise Failed(f"{words[0]} gave no answer within {seconds} s. try again") from None


def _said(done: Done) -> str:
    text = (done.stderr or done.stdout).decode("utf-8", "replace")
    return " ".join(" ".join(text.split())[:300].rstrip(".").split())
