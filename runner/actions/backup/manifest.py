"""The papers of a sealed set: MANIFEST.json, SHA256SUMS, and how to restore it with plain tools."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import PurePath
from typing import Any

from runner import __version__
from runner.actions.backup.part import earliest, label, office_time
from runner.contract import Call
from runner.messages import Words, render_moment, render_size

MANIFEST, SUMS, GUIDE = "MANIFEST.json", "SHA256SUMS", "PULIHKAN.txt"
FORMAT = 1
_UNPACK = {"zstd": "zstd -dc", "gzip": "gzip -dc"}
_CHECK = Words(
    "Periksa keutuhan berkas di dalam folder ini: sha256sum -c SHA256SUMS (macOS: shasum -a 256 -c SHA256SUMS)",
    "Check the files in this folder: sha256sum -c SHA256SUMS (macOS: shasum -a 256 -c SHA256SUMS)",
)
_HOW = {
    "sql": Words(
        "Pulihkan basis data ke basis data baru yang kosong (di sini PULIH): {unpack} {file} | mariadb PULIH\n"
        "  Bila klien menolak baris pertama dump: {unpack} {file} | tail -n +2 | mariadb PULIH",
        "Restore the database into a new, empty one (here PULIH): {unpack} {file} | mariadb PULIH\n"
        "  Where the client refuses the first line of the dump: {unpack} {file} | tail -n +2 | mariadb PULIH",
    ),
    "sqlite": Words(
        "Pulihkan basis data SQLite ke berkas baru: {unpack} {file} > pulih.sqlite",
        "Restore the SQLite database into a new file: {unpack} {file} > pulih.sqlite",
    ),
    "tar": Words(
        "Pulihkan berkas ke folder baru: mkdir pulih && {unpack} {file} | tar -xpf - -C pulih",
        "Restore the files into a new folder: mkdir pulih && {unpack} {file} | tar -xpf - -C pulih",
    ),
}


def set_name(call: Call, parts: Sequence[Mapping[str, Any]]) -> str:
    """Given parts, return their set's name by the Mahkamah Agung's convention, from when the first was begun.

    P (penuh): with files; D: databases only.
    """
    kind = "P" if any(part["kind"] == "files" for part in parts) else "D"
    begun = earliest(parts).astimezone(office_time(call).tzinfo)
    return f"{label(call.target)}-{begun:%Y-%m-%d-%H%M%S}-{kind}"


def build_manifest(call: Call, name: str, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Given verified parts, return the manifest: what, when, from where, made by what, and how to restore it."""
    target = call.target or {}
    listed = [
        {"file": PurePath(part["path"]).name, **{key: part[key] for key in part if key != "path"}} for part in parts
    ]
    return {
        "format": FORMAT,
        "set": name,
        "office": str(call.office.get("name", "")),
        "target": {key: target[key] for key in ("name", "kind", "url", "server") if key in target},
        "begun": earliest(parts).astimezone(UTC).isoformat(timespec="seconds"),
        "sealed": call.now.astimezone(UTC).isoformat(timespec="seconds"),
        "program": f"sop {__version__}",
        "total_bytes": sum(part["bytes"] for part in parts),
        "parts": listed,
        "restore": {"id": _restore(parts, "id"), "en": _restore(parts, "en")},
    }


def render_manifest(manifest: Mapping[str, Any]) -> bytes:
    """Given a manifest, return its file."""
    return (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()


def render_sums(sums: Mapping[str, str]) -> bytes:
    """Given SHA-256 by file name, return the file that `sha256sum -c` reads."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode()


def render_guide(call: Call, manifest: Mapping[str, Any]) -> bytes:
    """Given a manifest, return the page for the person who restores, in Indonesian, then in English."""
    target = manifest["target"].get("name", "-")
    size, moment = manifest["total_bytes"], office_time(call)
    lines = [f"CARA MEMULIHKAN BACKUP {manifest['set']}", f"{manifest['office']}, {target}".lstrip(", ")]
    lines += [f"Disegel {render_moment(moment, 'id')}, {render_size(size, 'id')}", "", *manifest["restore"]["id"]]
    lines += ["", f"HOW TO RESTORE THE BACKUP {manifest['set']}"]
    lines += [f"Sealed {render_moment(moment, 'en')}, {render_size(size, 'en')}", "", *manifest["restore"]["en"]]
    return ("\n".join(lines) + "\n").encode()


def _restore(parts: Sequence[Mapping[str, Any]], language: str) -> list[str]:
    lines = [getattr(_CHECK, language)]
    for part in parts:
        unpack, file = _UNPACK[part["compression"]], PurePath(part["path"]).name
        lines += getattr(_HOW[part["format"]], language).format(unpack=unpack, file=file).splitlines()
    return lines
