"""A CMS's own checksums, and files held against them. Where there are none, nothing can be determined."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from runner.actions.integrity.findings import Finding, Weight
from runner.actions.integrity.hosts import defang
from runner.errors import Failed

LARGEST = 8 * 1024 * 1024
MOST_SHOWN = 10
OTHER_VERSION = 0.3  # from this share of differing files on, the checksums are those of another version
ALGORITHMS = {32: "md5sum", 40: "sha1sum", 64: "sha256sum"}

# Folders that hold nothing but the CMS itself.
CLOSED = ("wp-admin/", "wp-includes/", "includes/", "libraries/src/", "administrator/includes/", "core/lib/")
# Files at the root that a CMS makes for each site, or may lack.
OWN_FILES = frozenset({"wp-config.php", "configuration.php", "wp-config-sample.php"})
_MAY_LACK = re.compile(
    r"wp-content/|readme|license|lisensi|.*\.(?:txt|html|md)\Z|wp-config-sample\.php|installation/|xmlrpc\.php"
)
_LINE = re.compile(r"\\?([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}) [ *](.{1,1000})", re.IGNORECASE)


class Checksums(NamedTuple):
    """Checksums by path below the root, and the program that makes such."""

    sums: Mapping[str, str]
    program: str


def load_checksums(path: str) -> Checksums:
    """Given a file of checksums, return them. Raise Failed when it cannot be read or holds none."""
    try:
        if Path(path).stat().st_size > LARGEST:
            raise Failed(f"{path}: larger than {LARGEST} bytes. name a file of checksums")
        text = Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise Failed(f"{path}: cannot be read: {reason}. name a file of checksums") from None
    return parse_checksums(text, path)


def parse_checksums(text: str, name: str) -> Checksums:
    """Given WordPress's API answer, or lines of md5sum, sha1sum or sha256sum, return the checksums.

    Raise Failed when there are none, or not all are of one kind. https://codex.wordpress.org/WordPress.org_API#Checksums
    """
    sums = _from_json(text) if text.lstrip().startswith("{") else dict(parse_sums(text))
    kinds = {len(each) for each in sums.values()}
    if len(kinds) != 1 or not kinds <= ALGORITHMS.keys():
        raise Failed(f"{name}: holds no checksums of one kind. make it with sha256sum, or take WordPress's API answer")
    return Checksums(sums, ALGORITHMS[kinds.pop()])


def _from_json(text: str) -> dict[str, str]:
    try:
        found = json.loads(text).get("checksums")
    except (ValueError, AttributeError, RecursionError):
        return {}
    if isinstance(found, dict) and len(found) == 1 and isinstance(next(iter(found.values())), dict):
        found = next(iter(found.values()))  # the API's older form: by version
    if not isinstance(found, dict):
        return {}
    return {k: v.lower() for k, v in found.items() if isinstance(k, str) and isinstance(v, str)}


def parse_sums(text: str) -> Iterator[tuple[str, str]]:
    """Given lines of md5sum and its kin, yield (path below the root, checksum)."""
    for line in text.splitlines():
        if match := _LINE.match(line):
            yield match[2].removeprefix("./"), match[1].lower()


def compare(expected: Checksums, found: Mapping[str, str], php: set[str]) -> tuple[list[Finding], str]:
    """Given checksums, those found on the server and the PHP files there, return findings and, where they say nothing,
    why: the checksums are those of another version."""
    known = {path: digest for path, digest in expected.sums.items() if not path.startswith("wp-content/")}
    changed = sorted(path for path, digest in known.items() if path in found and found[path] != digest)
    missing = sorted(path for path in known if path not in found and not _MAY_LACK.match(path))
    if known and len(changed) + len(missing) > max(MOST_SHOWN, OTHER_VERSION * len(known)):
        return [], f"{len(changed)} berkas berbeda dan {len(missing)} tidak ada: ceksum versi lain"
    closed = tuple(folder for folder in CLOSED if any(path.startswith(folder) for path in known))
    extra = sorted(path for path in php if path not in known and _is_inside(path, closed))
    return [
        *(Finding("core_changed", Weight.WEAK, path, 0, defang(path)) for path in changed[:MOST_SHOWN]),
        *(Finding("core_extra", Weight.WEAK, path, 0, defang(path)) for path in extra[:MOST_SHOWN]),
        *(Finding("core_missing", Weight.WEAK, path, 0, defang(path)) for path in missing[:MOST_SHOWN]),
    ], ""


def _is_inside(path: str, closed: tuple[str, ...]) -> bool:
    return path.startswith(closed) if "/" in path else path not in OWN_FILES
