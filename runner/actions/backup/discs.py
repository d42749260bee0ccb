"""A set as images of discs: each holds all papers and its own share of the volumes, and is read without the others."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from runner.actions.backup.content import PIECE
from runner.actions.backup.copying import SPARE, files_of
from runner.actions.backup.memory import forget_cached
from runner.actions.backup.sets import BackupSet
from runner.actions.backup.storage import PARTIAL, sync_folder
from runner.actions.backup.verdict import incomplete
from runner.actions.backup.verify import hash_file
from runner.contract import Call
from runner.durations import Deadline
from runner.errors import Failed, TimeUp
from runner.messages import render_size

MIB = 1024 * 1024
SIZES = {"cd": 650 * MIB, "dvd": 4480 * MIB, "bd": 23_000 * MIB}  # bytes that every disc of that kind holds
LIST = "CAKRAM.txt"
_DIRECTORIES = 2 * MIB  # what an image needs beside its files
_LONGEST_LABEL = 32
_MOMENT = re.compile(r"(\d{4})-(\d{2})-(\d{2}(?=-))(-\d{4})\d{2}-[PTD]")


class Image(NamedTuple):
    """An image of a disc: its path, the volume's label, size, SHA-256 (hex) and what it holds."""

    path: Path
    label: str
    bytes: int
    sha256: str
    files: tuple[str, ...]

    def told(self) -> dict[str, Any]:
        """What the record says of it, with the commands for the person who burns it."""
        sectors = self.bytes // 2048
        return {
            "path": str(self.path),
            "label": self.label,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "files": list(self.files),
            "burn": f"xorriso -as cdrecord -v dev=/dev/sr0 -eject '{self.path}'",
            "check": f"dd if=/dev/sr0 bs=2048 count={sectors} | sha256sum   # {self.sha256}",
        }


def write_images(call: Call, found: BackupSet) -> list[Image]:
    """Given a set, write its images and read them back. Raise Failed where a volume is larger than a disc, NotAccepted
    where an image is not what was sealed, TimeUp."""
    kind, folder = call.inputs["disc"], _folder(call)
    shares = share_out(found, kind)
    labels = [_label(found, number) for number in range(1, len(shares) + 1)]
    need = sum(path.stat().st_size for path in files_of(found)) + len(shares) * (_papers_size(found) + _DIRECTORIES)
    with _words(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_room(folder, need)
    images = []
    for number, names in enumerate(shares):
        path = folder / f"{labels[number]}.iso"
        staged = path.with_name(path.name + PARTIAL)
        with _words(path):
            told = render_list(found, labels, shares, number)
            _write(found, labels[number], names, told, staged, call.deadline)
            if staged.stat().st_size > SIZES[kind]:
                raise Failed(f"{path}: larger than a {kind}. seal sets with a smaller volume_size")
            _read_image(found, staged, names, call.deadline)
            staged.rename(path)
            sync_folder(folder)
            images.append(_image(path, labels[number], names, call.deadline))
    return images


def check_images(call: Call, found: BackupSet) -> list[Image]:
    """Given a set, read its images again. Raise NotAccepted where one is missing or is not what was sealed, TimeUp."""
    images = []
    for number, names in enumerate(share_out(found, call.inputs["disc"]), start=1):
        label = _label(found, number)
        path = _folder(call) / f"{label}.iso"
        if not path.is_file():
            raise incomplete(f"Citra cakram {label} tidak ada.", f"{path}: there is no such image. write it again")
        with _words(path):
            _read_image(found, path, names, call.deadline)
            images.append(_image(path, label, names, call.deadline))
    return images


def share_out(found: BackupSet, kind: str) -> list[tuple[str, ...]]:
    """Given a set and a kind of disc, return which volumes and dumps go on each disc, in order; dumps are the last."""
    sizes = {str(part["file"]): int(part["bytes"]) for part in found.parts}
    room = SIZES[kind] - _papers_size(found) - _DIRECTORIES
    shares: list[list[str]] = [[]]
    left = room
    for name in sorted(sizes, key=lambda name: (name.startswith("db-"), name)):
        if sizes[name] > room:
            size = render_size(sizes[name], "en")
            raise Failed(f"{name}: {size} are too much for a {kind}. seal sets with a smaller volume_size, or take dvd")
        if sizes[name] > left:
            shares.append([])
            left = room
        shares[-1].append(name)
        left -= sizes[name]
    return [tuple(share) for share in shares]


def render_list(found: BackupSet, labels: Sequence[str], shares: Sequence[Sequence[str]], number: int) -> bytes:
    """Given the discs of a set, return the page that says on each of them what lies on which."""
    lines = [
        f"PERANGKAT BACKUP {found.name}",
        f"Cakram {number + 1} dari {len(shares)}: {labels[number]}",
        "",
        "Setiap cakram memuat semua dokumen dan bagiannya sendiri. Cakram yang hilang atau rusak hanya menghilangkan",
        "berkas di dalam bagiannya. Untuk memulihkan: salin isi semua cakram ke satu folder, lalu ikuti PULIHKAN.txt.",
        *([f"Perangkat ini membutuhkan juga: {', '.join(sorted(found.needs))}."] if found.needs else []),
        "",
        *(f"{label}: {', '.join(share) or '-'}" for label, share in zip(labels, shares, strict=True)),
    ]
    return ("\n".join(lines) + "\n").encode()


def _papers(found: BackupSet) -> list[Path]:
    shares = {part["file"] for part in found.parts}
    return [path for path in files_of(found) if path.name not in shares]


def _papers_size(found: BackupSet) -> int:
    return sum(path.stat().st_size for path in _papers(found))


def _label(found: BackupSet, number: int) -> str:
    """What is written on a disc: the target's label, day, hour and the disc's number, in at most 32 characters."""
    moment = _MOMENT.search(found.name)
    end = f"-{''.join(moment.groups()) if moment else '0'}-{number:02}"
    return found.folder.parent.name[: _LONGEST_LABEL - len(end)] + end


def _volume_name(label: str) -> str:
    """The volume's own name, as systems show it: Joliet takes 16 characters, so it begins with the year's end."""
    day, time, number = label.rsplit("-", 3)[1:]
    return f"{day[2:]}-{time}-{number}"


def _folder(call: Call) -> Path:
    return Path(call.inputs["images"]).expanduser().absolute()


def _write(found: BackupSet, label: str, names: Sequence[str], told: bytes, path: Path, deadline: Deadline) -> None:

    pycdlib = _load()
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", udf="2.60", vol_ident=_volume_name(label))
    try:
        iso.add_directory("/BACKUP", rr_name=found.name, joliet_path=f"/{found.name}", udf_path=f"/{found.name}")
        files = [*_papers(found), *(found.file(name) for name in names)]
        for number, file in enumerate(files):
            real = f"/{found.name}/{file.name}"
            iso.add_file(str(file), f"/BACKUP/F{number:05}.;1", rr_name=file.name, joliet_path=real, udf_path=real)
        iso.add_fp(
            io.BytesIO(told), len(told), "/CAKRAM.TXT;1", rr_name=LIST, joliet_path=f"/{LIST}", udf_path=f"/{LIST}"
        )
        iso.write(str(path), progress_cb=lambda done, total: _check_time(deadline))
    finally:
        iso.close()


def _read_image(found: BackupSet, path: Path, names: Sequence[str], deadline: Deadline) -> None:
    """Read every file of an image by its real name, from the disk."""
    forget_cached(path)
    iso = _load().PyCdlib()
    iso.open(str(path))
    try:
        for file in [*_papers(found), *(found.file(name) for name in names)]:
            digest = hashlib.sha256()
            with iso.open_file_from_iso(udf_path=f"/{found.name}/{file.name}") as content:
                while piece := content.read(PIECE):
                    _check_time(deadline)
                    digest.update(piece)
            if digest.hexdigest() != found.sums.get(file.name, hash_file(file, deadline)):
                raise incomplete(
                    f"Citra cakram {path.name} rusak: {file.name}.", f"{path}: {file.name} is not what was sealed"
                )
    finally:
        iso.close()


def _image(path: Path, label: str, names: Sequence[str], deadline: Deadline) -> Image:
    return Image(path, label, path.stat().st_size, hash_file(path, deadline), tuple(names))


def _check_room(folder: Path, need: int) -> None:

    free = shutil.disk_usage(folder).free
    if free < need + SPARE:
        sizes = render_size(need, "en"), render_size(free, "en")
        raise Failed(f"{folder}: {sizes[0]} are needed for the images, {sizes[1]} are free. take another folder")


def _check_time(deadline: Deadline) -> None:
    if deadline.passed:
        raise TimeUp("making the images took longer than the task's limit")


@contextmanager
def _words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}. check the folder and its disk, then run the task again") from None


def _load() -> Any:
    try:
        import pycdlib
    except ImportError:
        raise Failed("images of discs need the library pycdlib. run: pip install 'sop-runner[disc]'") from None
    return pycdlib
