"""Small sealed sets of format 2, made by hand: what the tests of reading spoil, prune and restore.

shelf = tmp_path / "WEB-PN-TAIS"
full = make_set(shelf, 1, {"index.php": b"<?php", "img/logo.png": b"PNG"})
later = make_set(shelf, 2, {"index.php": b"<?php 2", "img/logo.png": b"PNG"}, parent=full)
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from backports import zstd

from runner.actions.backup.sets import BackupSet, load_set

BEGIN = datetime(2026, 11, 1, 18, 30, tzinfo=UTC)
MTIME = 1_790_000_000
Members = Sequence[tarfile.TarInfo]


def packed(data: bytes) -> bytes:
    """One zstd frame with its checksum."""
    return zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})


def made_name(number: int, kind: str, label: str = "WEB-PN-TAIS") -> str:
    """The name of the set made on that day."""
    return f"{label}-{BEGIN + timedelta(days=number - 1):%Y-%m-%d-%H%M%S}-{kind}"


def make_set(
    folder: Path,
    number: int,
    files: Mapping[str | bytes, bytes] | None = None,
    *,
    parent: BackupSet | None = None,
    links: Mapping[str, str] | None = None,
    databases: Mapping[str, bytes] | None = None,
    deleted: Sequence[str] = (),
    extra: Sequence[tuple[Mapping[str, Any], tarfile.TarInfo | None]] = (),
    change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = lambda parts: parts,
    **more: Any,
) -> BackupSet:
    """Write a set and open it. `files` by path (folders are made of them), `databases` are dumps by name; files that
    the parent has with the same content are left there. `extra` are lines of the list with their members."""
    kind = "T" if parent else "P" if files is not None else "D"
    name = made_name(number, kind)
    place = folder / name
    place.mkdir(parents=True)
    parts, lists = [], {}
    if files is not None:
        entries, part = _write_files(place, files, links or {}, parent, extra)
        lists = _write_lists(place, entries, deleted)
        parts.append(part)
    for database, dump in (databases or {}).items():
        parts.append(_write_dump(place, database, dump))
    parts = change(parts)
    sealed = BEGIN + timedelta(days=number - 1)
    manifest = {
        "format": 2,
        "set": name,
        "sequence": number,
        "kind": kind,
        "parent": {"set": parent.name, "manifest_sha256": parent.manifest_sha256} if parent else None,
        "reason": "routine",
        "office": "Pengadilan Negeri Contoh",
        "target": {"name": "pn_tais", "kind": "website"},
        "begun": sealed.isoformat(),
        "sealed": sealed.isoformat(),
        "program": "sop",
        "total_bytes": sum(part["bytes"] for part in parts),
        "parts": parts,
        "files": lists or None,
        "encrypted_to": None,
        "notes": [],
        "restore": {"id": [], "en": []},
        **more,
    }
    (place / "MANIFEST.json").write_text(json.dumps(manifest, indent=2))
    (place / "PULIHKAN.txt").write_text("CARA MEMULIHKAN\n")
    write_sums(place)
    return load_set(place)


def write_sums(place: Path) -> None:
    """Write SHA256SUMS over what lies in a set's folder, as one who hides a change would."""
    lines = [f"{_hash(path.read_bytes())}  {path.name}\n" for path in sorted(place.iterdir())]
    (place / "SHA256SUMS").write_text("".join(line for line in lines if not line.endswith("  SHA256SUMS\n")))


def entry_of(path: str | bytes, kind: str, **more: Any) -> dict[str, Any]:
    """A line of the list of files."""
    raw = path if isinstance(path, bytes) else path.encode()
    try:
        named = {"path": raw.decode()}
    except UnicodeDecodeError:
        named = {"path_b64": b64encode(raw).decode()}
    mode = 0o755 if kind == "folder" else 0o644
    common = {"size": 0, "mtime_ns": MTIME * 10**9, "mode": mode, "uid": 33, "gid": 33}
    return {**named, "type": kind, **common, "owner": "www-data", "group": "www-data", **more}


def member_of(path: str | bytes, kind: bytes = tarfile.REGTYPE, **more: Any) -> tarfile.TarInfo:
    """A member of an archive."""
    raw = path if isinstance(path, bytes) else path.encode()
    info = tarfile.TarInfo(raw.decode("utf-8", "surrogateescape"))
    info.type, info.mtime, info.mode = kind, MTIME, 0o755 if kind == tarfile.DIRTYPE else 0o644
    for key, value in more.items():
        setattr(info, key, value)
    return info


def _write_files(
    place: Path,
    files: Mapping[str | bytes, bytes],
    links: Mapping[str, str],
    parent: BackupSet | None,
    extra: Sequence[tuple[Mapping[str, Any], tarfile.TarInfo | None]],
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    before = _known(parent)
    entries: list[dict[str, Any]] = []
    members: list[tuple[tarfile.TarInfo, bytes]] = []
    for folder in sorted({str(up) for path in [*files, *links] for up in Path(_text(path)).parents}):
        entries.append(entry_of(folder, "folder"))
        members.append((member_of("./" + folder if folder != "." else ".", tarfile.DIRTYPE), b""))
    for path, content in files.items():
        line = entry_of(path, "file", size=len(content), sha256=_hash(content))
        same = before.get((line.get("path"), line["sha256"]))
        if same:
            entries.append({**line, **same})
            continue
        entries.append(line)
        members.append((member_of(b"./" + _raw(path), size=len(content)), content))
    for path, leads in links.items():
        entries.append(entry_of(path, "link", link=leads))
        members.append((member_of("./" + path, tarfile.SYMTYPE, linkname=leads), b""))
    for line, member in extra:
        entries.append(dict(line))
        if member is not None:
            members.append((member, bytes(member.size)))
    data, frames, size = _pack(members)
    (place / "p0000.tar.zst").write_bytes(data)
    for line in entries:
        line.setdefault("part", "p0000.tar.zst")
        line.setdefault("frame", frames.get("./" + _path_of(line), 0))
    part = {
        "file": "p0000.tar.zst",
        "sha256": _hash(data),
        "bytes": len(data),
        "content_bytes": size,
        "kind": "files",
        "format": "tar",
        "compression": "zstd",
        "source": "/var/www/html",
        "taken": BEGIN.isoformat(),
        "entries": len(members),
    }
    return entries, part


def _pack(members: Sequence[tuple[tarfile.TarInfo, bytes]]) -> tuple[bytes, dict[str, int], int]:
    """Every member a frame of its own, and the end of the archive in the last."""
    whole, frames, size = b"", {}, 0
    for info, content in members:
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
            archive.addfile(info, io.BytesIO(content))
            end = archive.offset
        frames[info.name] = len(whole)
        whole += packed(plain.getvalue()[:end])
        size += end
    return whole + packed(bytes(1024)), frames, size + 1024


def _write_lists(place: Path, entries: Sequence[Mapping[str, Any]], deleted: Sequence[str]) -> dict[str, Any]:
    lines = "".join(json.dumps(line) + "\n" for line in entries)
    (place / "files.jsonl.zst").write_bytes(packed(lines.encode()))
    gone = "".join(json.dumps({"path": path}) + "\n" for path in deleted)
    (place / "deleted.jsonl.zst").write_bytes(packed(gone.encode()))
    return {
        "list": "files.jsonl.zst",
        "deletions": "deleted.jsonl.zst",
        "entries": len(entries),
        "bytes": sum(line.get("size", 0) for line in entries),
    }


def _write_dump(place: Path, name: str, dump: bytes) -> dict[str, Any]:
    file, data = f"db-{name}.sql.zst", packed(dump)
    (place / file).write_bytes(data)
    tables = [line.split("`")[1] for line in dump.decode().splitlines() if line.startswith("-- Table structure")]
    return {
        "file": file,
        "sha256": _hash(data),
        "bytes": len(data),
        "content_bytes": len(dump),
        "kind": "database",
        "format": "sql",
        "compression": "zstd",
        "source": f"mariadb:{name}",
        "taken": BEGIN.isoformat(),
        "table_count": len(tables),
        "tables": sorted(tables),
        "views": [],
    }


def _known(parent: BackupSet | None) -> dict[tuple[Any, str], dict[str, Any]]:
    if parent is None:
        return {}
    text = zstd.decompress((parent.folder / "files.jsonl.zst").read_bytes()).decode()
    lines = [json.loads(line) for line in text.splitlines()]
    return {
        (line.get("path"), line["sha256"]): {"set": parent.name, "part": line["part"], "frame": line["frame"]}
        for line in lines
        if line["type"] == "file"
    }


def _path_of(line: Mapping[str, Any]) -> str:
    return str(line["path"]) if "path" in line else _text(b64decode(line["path_b64"]))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _raw(path: str | bytes) -> bytes:
    return path if isinstance(path, bytes) else path.encode()


def _text(path: str | bytes) -> str:
    return _raw(path).decode("utf-8", "surrogateescape")


def make_rescue(folder: Path, source: str) -> str:
    """Write a set made before a restore, of whatever content, with a dump of that source; return its folder."""
    made = make_set(
        folder / "rescues",
        22,
        {"a": b"a"},
        databases={"x": b"-- Table structure for table `a`\n"},
        reason="before_restore",
        sealed="2026-11-22T01:30:00+00:00",
        change=lambda parts: [{**part, "source": source} if part["kind"] == "database" else part for part in parts],
    )
    return str(made.folder)
