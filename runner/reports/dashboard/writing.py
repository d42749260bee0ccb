"""Pages to files: each whole or not at all, so that whoever reads on a file share never sees half a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from runner.errors import RecordError
from runner.files import write_whole
from runner.reports.dashboard import FOLDER, INDEX

_OPEN_TO_READ = 0o644
_MARK = b'<html lang="id" data-made='  # only pages of our own are ever taken away


def write_pages(folder: Path, pages: Mapping[str, bytes]) -> None:
    """Given a folder and pages by their path, write them, the index last; pages of sites that are gone are removed.

    Raise RecordError where the folder cannot be written.
    """
    ordered = sorted(pages, key=lambda path: (path == INDEX, path))
    for path in ordered:
        _write(folder / path, pages[path])
    _remove_others(folder / FOLDER, {folder / path for path in pages})


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content, mode=_OPEN_TO_READ)
    except OSError as error:
        raise RecordError(f"{path}: cannot be written: {error.strerror}. name another folder with --out") from None


def _remove_others(folder: Path, kept: Iterable[Path]) -> None:
    """Remove pages that an earlier call made and this one did not."""
    wanted = set(kept)
    for path in sorted(folder.glob("*.html")) if folder.is_dir() else ():
        if path not in wanted and path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                ours = _MARK in file.read(200)
            if ours:
                path.unlink(missing_ok=True)
