"""How a set is restored with plain tools, told to people in its PULIHKAN.txt and its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.actions.backup.part import office_time
from runner.contract import Call
from runner.messages import Words, render_moment, render_size

GUIDE = "PULIHKAN.txt"
UNPACK = {"zstd": "zstd -dc", "gzip": "gzip -dc"}


_CHECK = Words(
    "Periksa keutuhan berkas di dalam folder ini: sha256sum -c SHA256SUMS (macOS: shasum -a 256 -c SHA256SUMS)",
    "Check the files in this folder: sha256sum -c SHA256SUMS (macOS: shasum -a 256 -c SHA256SUMS)",
)
_FILES = Words(
    "Pulihkan berkas ke folder baru: sh PULIHKAN.sh pulih\n"
    "  (Windows: powershell -ExecutionPolicy Bypass -File PULIHKAN.ps1 pulih)\n"
    "  Isi satu berkas p: {unpack} p0000.tar.zst | tar -xpf - -C pulih",
    "Restore the files into a new folder: sh PULIHKAN.sh pulih\n"
    "  (Windows: powershell -ExecutionPolicy Bypass -File PULIHKAN.ps1 pulih)\n"
    "  What one file p holds: {unpack} p0000.tar.zst | tar -xpf - -C pulih",
)
_PARENT = Words(
    "Perangkat ini berisi perubahan sejak {parent}; folder {parent} harus ada di sebelahnya.",
    "This set holds what changed since {parent}; the folder {parent} has to stand beside it.",
)
_HOW = {
    "sql": Words(
        "Pulihkan basis data ke basis data baru yang kosong (di sini PULIH): {unpack} {file} | mariadb PULIH\n"
        "  Bila klien menolak baris pertama dump: {unpack} {file} | tail -n +2 | mariadb PULIH",
        "Restore the database into a new, empty one (here PULIH): {unpack} {file} | mariadb PULIH\n"
        "  Where the client refuses the first line of the dump: {unpack} {file} | tail -n +2 | mariadb PULIH",
    ),
    "pgsql": Words(
        "Pulihkan basis data PostgreSQL ke basis data baru yang kosong (di sini PULIH): "
        "{unpack} {file} | psql -X -v ON_ERROR_STOP=1 -d PULIH",
        "Restore the PostgreSQL database into a new, empty one (here PULIH): "
        "{unpack} {file} | psql -X -v ON_ERROR_STOP=1 -d PULIH",
    ),
    "sqlite": Words(
        "Pulihkan basis data SQLite ke berkas baru: {unpack} {file} > pulih.sqlite",
        "Restore the SQLite database into a new file: {unpack} {file} > pulih.sqlite",
    ),
}
_JOIN = (
    "mkdir susun && {base_unpack} ../{set}/{base} | split -a 4 -b {segment} - susun/dasar. && "
    "zstd -dc {file} | tar -xf - -C susun && (cd susun && for f in ????.zst; do if [ -f dasar.${{f%.zst}} ]; then "
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
    lines += [getattr(_PARENT, language).format(parent=parent["set"])] if parent else []
    lines += getattr(_FILES, language).format(unpack=UNPACK["zstd"]).splitlines() if manifest["files"] else []
    for part in parts:
        if part["kind"] == "database":
            lines += _database_lines(part, language)
    return lines


def render_guide(call: Call, manifest: Mapping[str, Any]) -> bytes:
    """Given a manifest, return the page for the person who restores, in Indonesian, then in English."""
    target = manifest["target"].get("name", "-")
    size, moment = manifest["total_bytes"], office_time(call)
    lines = [f"CARA MEMULIHKAN BACKUP {manifest['set']}", f"{manifest['office']}, {target}".lstrip(", ")]
    lines += [f"Disegel {render_moment(moment, 'id')}, {render_size(size, 'id')}", "", *manifest["restore"]["id"]]
    lines += ["", f"HOW TO RESTORE THE BACKUP {manifest['set']}"]
    lines += [f"Sealed {render_moment(moment, 'en')}, {render_size(size, 'en')}", "", *manifest["restore"]["en"]]
    return ("\n".join(lines) + "\n").encode()


def _database_lines(part: Mapping[str, Any], language: str) -> list[str]:
    if base := part.get("delta_of"):
        unpack = UNPACK["gzip" if base["file"].endswith(".gz") else "zstd"]
        text = getattr(_DELTA, language).format(
            base_unpack=unpack,
            set=base["set"],
            base=base["file"],
            segment=base["segment_bytes"],
            file=part["file"],
            client=_CLIENTS.get(part["format"], _CLIENTS["sql"]),
        )
    else:
        text = getattr(_HOW[part["format"]], language).format(unpack=UNPACK[part["compression"]], file=part["file"])
    return str(text).splitlines()
