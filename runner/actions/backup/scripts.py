"""The programs in a set that put its files back, where there is no `sop`: for a POSIX shell, and for PowerShell."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from runner.actions.backup.packing import SLICES

SHELL, POWERSHELL = "PULIHKAN.sh", "PULIHKAN.ps1"


class Cut(NamedTuple):
    """A file larger than a volume: its path, what the names of its slices begin with, its mode and time in seconds."""

    path: bytes
    slices: str
    mode: int
    mtime: int


class Steps(NamedTuple):
    """Paths to remove before the set's own volumes are unpacked, and after; and the files to put together again."""

    before: Sequence[bytes]
    after: Sequence[bytes]
    cut: Sequence[Cut]


_SHELL = """#!/bin/sh
# Memulihkan berkas dari backup {set} / Restores the files of the backup {set}
# Pakai / usage: sh PULIHKAN.sh FOLDER-BARU
# Perlu / needs: sh, sha256sum (atau / or shasum), zstd, tar
set -eu
[ $# -eq 1 ] || {{ echo "Pakai / usage: sh PULIHKAN.sh FOLDER-BARU" >&2; exit 2; }}
mkdir -p -- "$1"
to=$(cd -- "$1" && pwd)
[ -z "$(ls -A -- "$to")" ] || {{ echo "$to: tidak kosong / is not empty" >&2; exit 2; }}
cd -- "$(dirname -- "$0")"
if command -v sha256sum >/dev/null; then sha256sum -c SHA256SUMS; else shasum -a 256 -c SHA256SUMS; fi >&2
"""
_SHELL_PARENT = """grep -q '^{sha256}  MANIFEST.json$' '../{set}/SHA256SUMS' || {{
    echo "../{set}: tidak ada atau bukan yang semestinya / is missing or another one" >&2; exit 2; }}
sh '../{set}/PULIHKAN.sh' "$to"
"""
_SHELL_UNPACK = """for volume in p[0-9]*.tar.zst; do
    [ -e "$volume" ] || continue
    zstd -dc "$volume" | tar -xpf - -C "$to"
done
"""
_SHELL_UNLOCK = """[ -f "${KUNCI:-}" ] || { echo "KUNCI: tidak ada kunci rahasia / no secret key" >&2; exit 2; }
for volume in p[0-9]*.tar.zst.age; do
    [ -e "$volume" ] || continue
    age -d -i "$KUNCI" "$volume" | zstd -dc | tar -xpf - -C "$to"
done
"""
_POWERSHELL = """# Memulihkan berkas dari backup {set} / Restores the files of the backup {set}
# Pakai / usage: powershell -ExecutionPolicy Bypass -File PULIHKAN.ps1 FOLDER-BARU
# Perlu / needs: zstd.exe (https://github.com/facebook/zstd/releases), tar.exe (Windows 10)
param([Parameter(Mandatory = $true)][string]$To)
$ErrorActionPreference = 'Stop'
New-Item -ItemType Directory -Force -Path $To | Out-Null
$To = (Resolve-Path -LiteralPath $To).Path
if (Get-ChildItem -LiteralPath $To -Force) {{ throw "$To tidak kosong / is not empty" }}
Set-Location -LiteralPath $PSScriptRoot
foreach ($line in Get-Content SHA256SUMS) {{
    $sum, $file = $line -split '  ', 2
    if ((Get-FileHash -Algorithm SHA256 -LiteralPath $file).Hash -ne $sum) {{ throw "$file rusak / is damaged" }}
}}
"""
_POWERSHELL_PARENT = """if (-not (Select-String -Quiet -SimpleMatch '{sha256}  MANIFEST.json' '../{set}/SHA256SUMS')) {{
    throw '../{set}: bukan yang semestinya / is another one'
}}
& '../{set}/PULIHKAN.ps1' -To $To
"""
_POWERSHELL_UNPACK = """foreach ($volume in Get-ChildItem -Filter 'p*.tar.zst' | Sort-Object Name) {
    $plain = Join-Path $env:TEMP ($volume.BaseName)
    zstd -d -f $volume.FullName -o $plain
    if ($LASTEXITCODE) { throw "$($volume.Name): zstd" }
    tar -xpf $plain -C $To
    if ($LASTEXITCODE) { throw "$($volume.Name): tar" }
    Remove-Item -LiteralPath $plain
}
"""


def dump_steps(steps: Steps) -> bytes:
    """Given steps, return a file of them, for the seal."""
    before, after = ([b64encode(path).decode() for path in paths] for paths in (steps.before, steps.after))
    cut = [(b64encode(each.path).decode(), *each[1:]) for each in steps.cut]
    return json.dumps({"before": before, "after": after, "cut": cut}).encode()


def parse_steps(page: bytes) -> Steps:
    """Given such a file, return the steps."""
    body = json.loads(page)
    before, after = ([b64decode(path) for path in body[key]] for key in ("before", "after"))
    return Steps(before, after, [Cut(b64decode(path), *rest) for path, *rest in body["cut"]])


_POWERSHELL_UNLOCK = """foreach ($locked in Get-ChildItem -Filter 'p*.tar.zst.age' | Sort-Object Name) {
    $packed, $plain = (Join-Path $env:TEMP $locked.BaseName), (Join-Path $env:TEMP 'pulih.tar')
    age -d -i $env:KUNCI -o $packed $locked.FullName
    if ($LASTEXITCODE) { throw "$($locked.Name): age" }
    zstd -d -f $packed -o $plain
    if ($LASTEXITCODE) { throw "$($locked.Name): zstd" }
    tar -xpf $plain -C $To
    if ($LASTEXITCODE) { throw "$($locked.Name): tar" }
    Remove-Item -LiteralPath $packed, $plain
}
"""


def render_shell(manifest: Mapping[str, Any], steps: Steps) -> bytes:
    """Given a manifest and what is to be done besides unpacking, return PULIHKAN.sh."""
    lines = [_SHELL.format(set=manifest["set"])]
    if parent := manifest["parent"]:
        lines.append(_SHELL_PARENT.format(set=parent["set"], sha256=parent["manifest_sha256"]))
    body = [line.encode() for line in lines]
    body += [b'rm -rf -- "$to"/%s\n' % _quote(path) for path in steps.before]
    body.append((_SHELL_UNLOCK if manifest["encrypted_to"] else _SHELL_UNPACK).encode())
    body += [b'rm -rf -- "$to"/%s\n' % _quote(path) for path in steps.after]
    body += [_join(cut) for cut in steps.cut]
    body += [f'rm -rf -- "$to"/{SLICES}\n'.encode()] if steps.cut else []
    return b"".join(body) + b'echo "Selesai / done: $to" >&2\n'


def render_powershell(manifest: Mapping[str, Any], steps: Steps) -> bytes:
    """Given the same, return PULIHKAN.ps1. Names that are not UTF-8 cannot be on Windows, and are left out."""
    text = _POWERSHELL.format(set=manifest["set"])
    unpack = _POWERSHELL_UNLOCK if manifest["encrypted_to"] else _POWERSHELL_UNPACK
    if parent := manifest["parent"]:
        text += _POWERSHELL_PARENT.format(set=parent["set"], sha256=parent["manifest_sha256"])
    text += "".join(map(_remove, steps.before)) + unpack + "".join(map(_remove, steps.after))
    for cut in steps.cut:
        slices = f"(Join-Path $To '{cut.slices}.*')"
        text += f"cmd /c copy /b {slices} {_literal(cut.path)}\n"
    return b"\xef\xbb\xbf" + (text + 'Write-Host "Selesai / done: $To"\n').replace("\n", "\r\n").encode()


def _quote(path: bytes) -> bytes:
    return b"'" + path.replace(b"'", b"'\\''") + b"'"


def _join(cut: Cut) -> bytes:
    place = _quote(cut.path)
    return b'cat "$to"/%s.* >"$to"/%s && chmod %o "$to"/%s\ntouch -d @%d "$to"/%s 2>/dev/null || :\n' % (
        cut.slices.encode(),
        place,
        cut.mode,
        place,
        cut.mtime,
        place,
    )


def _literal(path: bytes) -> str:
    return "(Join-Path $To '" + path.decode("utf-8", "ignore").replace("'", "''") + "')"


def _remove(path: bytes) -> str:
    try:
        path.decode()
    except UnicodeDecodeError:
        return ""
    return f"Remove-Item -Recurse -Force -ErrorAction SilentlyContinue -LiteralPath {_literal(path)}\n"
