"""How a set is restored with plain tools, told to people in its PULIHKAN.txt and its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.actions.backup.manifest import AGE
from runner.actions.backup.volumes import volume_name
from runner.contract import Call
from runner.messages import Words, render_moment, render_size

GUIDE = "PULIHKAN.txt"
_CHECK = Words(
    "Periksa keutuhan berkas di dalam folder ini: sha256sum -c SHA256SUMS (macOS: shasum -a 256 -c SHA256SUMS)",
    "Check the files in this folder: sha256sum -c SHA256SUMS (macOS: shasum -a 256 -c SHA256SUMS)",
)
_FILES = Words(
    "Pulihkan berkas ke folder baru: sh PULIHKAN.sh pulih\n"
    "  (Windows: powershell -ExecutionPolicy Bypass -File PULIHKAN.ps1 pulih)\n"
    "  Isi satu berkas p: {plain} | tar -xpf - -C pulih",
    "Restore the files into a new folder: sh PULIHKAN.sh pulih\n"
    "  (Windows: powershell -ExecutionPolicy Bypass -File PULIHKAN.ps1 pulih)\n"
    "  What one file p holds: {plain} | tar -xpf - -C pulih",
)
_PARENT = Words(
    "Perangkat ini berisi perubahan sejak {parent}; folder {parent} harus ada di sebelahnya.",
    "This set holds what changed since {parent}; the folder {parent} has to stand beside it.",
)
_LOCKED = Words(
    "Perangkat ini terenkripsi dengan age (https://age-encryption.org) untuk {keys} kunci; yang terakhir kunci\n"
    '  pemulihan dalam amplop tersegel. Simpan kunci rahasia sebagai kunci.txt, lalu: export KUNCI="$PWD/kunci.txt"',
    "This set is encrypted by age (https://age-encryption.org) to {keys} keys; the last one is the recovery key in\n"
    '  the sealed envelope. Keep the secret key as kunci.txt, then: export KUNCI="$PWD/kunci.txt"',
)
_HOW = {
    "sql": Words(
        "Pulihkan basis data ke basis data baru yang kosong (di sini PULIH): {plain} | mariadb PULIH\n"
        "  Bila klien menolak baris pertama dump: {plain} | tail -n +2 | mariadb PULIH",
        "Restore the database into a new, empty one (here PULIH): {plain} | mariadb PULIH\n"
        "  Where the client refuses the first line of the dump: {plain} | tail -n +2 | mariadb PULIH",
    ),
    "pgsql": Words(
        "Pulihkan basis data PostgreSQL ke basis data baru yang kosong (di sini PULIH): "
        "{plain} | psql -X -v ON_ERROR_STOP=1 -d PULIH",
        "Restore the PostgreSQL database into a new, empty one (here PULIH): "
        "{plain} | psql -X -v ON_ERROR_STOP=1 -d PULIH",
    ),
    "sqlite": Words(
        "Pulihkan basis data SQLite ke berkas baru: {plain} > pulih.sqlite",
        "Restore the SQLite database into a new file: {plain} > pulih.sqlite",
    ),
}
_JOIN = (
    "rm -rf susun && mkdir susun && {base_plain} | split -a 4 -b {segment} - susun/dasar. && "
    "{plain} | tar -xf - -C susun && (cd susun && for f in ????.zst; do if [ -f dasar.${{f%.zst}} ]; then "
    "zstd -dc --patch-from=dasar.${{f%.zst}} $f; else zstd -dc $f; fi; done) > pulih.sql"
)
_DELTA = Words(
    f"Susun dahulu dump dari selisihnya; folder {{set}} harus ada di sebelahnya:\n  {_JOIN}\n"
    "  lalu pulihkan ke basis data baru yang kosong (di sini PULIH): {client} < pulih.sql",
    f"First make the dump from its delta; the folder {{set}} has to stand beside this one:\n  {_JOIN}\n"
    "  then restore it into a new, empty database (here PULIH): {client} < pulih.sql",
)
_CLIENTS = {"sqlite": "cat > pulih.sqlite", "sql": "mariadb PULIH", "pgsql": "psql -X -v ON_ERROR_STOP=1 -d PULIH"}


def restore_lines(manifest: Mapping[str, Any], language: str) -> list[str]:
    """Given a manifest, return how its set is restored, line by line, in that language."""
    parts, parent = manifest["parts"], manifest["parent"]
    lines = [getattr(_CHECK, language)]
    lines += (
        getattr(_LOCKED, language).format(keys=len(manifest["encrypted_to"])).splitlines()
        if manifest["encrypted_to"]
        else []
    )
    lines += [getattr(_PARENT, language).format(parent=parent["set"])] if parent else []
    lines += (
        getattr(_FILES, language).format(plain=_plain(volume_name(0) + _ending(manifest))).splitlines()
        if manifest["files"]
        else []
    )
    for part in parts:
        if part["kind"] == "database":
            lines += _database_lines(part, language)
    return lines


def render_guide(call: Call, manifest: Mapping[str, Any]) -> bytes:
    """Given a manifest, return the page for the person who restores, in Indonesian, then in English."""
    target = manifest["target"].get("name", "-")
    size, moment = manifest["total_bytes"], call.office_time
    lines = [f"CARA MEMULIHKAN BACKUP {manifest['set']}", f"{manifest['office']}, {target}".lstrip(", ")]
    lines += [f"Disegel {render_moment(moment, 'id')}, {render_size(size, 'id')}", "", *manifest["restore"]["id"]]
    lines += ["", f"HOW TO RESTORE THE BACKUP {manifest['set']}"]
    lines += [f"Sealed {render_moment(moment, 'en')}, {render_size(size, 'en')}", "", *manifest["restore"]["en"]]
    return ("\n".join(lines) + "\n").encode()


def _database_lines(part: Mapping[str, Any], language: str) -> list[str]:
    if base := part.get("delta_of"):
        text = getattr(_DELTA, language).format(
            base_plain=_plain(f"../{base['set']}/{base['file']}"),
            set=base["set"],
            segment=base["segment_bytes"],
            plain=_plain(part["file"]),
            client=_CLIENTS.get(part["format"], _CLIENTS["sql"]),
        )
    else:
        text = getattr(_HOW[part["format"]], language).format(plain=_plain(part["file"]))
    return str(text).splitlines()


def _plain(file: str) -> str:
    """The command that gives what is in a stored file."""
    locked = file.endswith(AGE)
    unpack = "gzip -dc" if file.removesuffix(AGE).endswith(".gz") else "zstd -dc"
    return f'age -d -i "$KUNCI" {file} | {unpack}' if locked else f"{unpack} {file}"


def _ending(manifest: Mapping[str, Any]) -> str:
    return AGE if manifest["encrypted_to"] else ""
