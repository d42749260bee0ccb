"""The look from inside: a site's files, read over its server's connection. Nothing is written there."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from runner.actions.integrity.checksums import OWN_FILES, Checksums, compare, parse_sums
from runner.actions.integrity.code import check_code, check_entry, check_server_rules, check_upload
from runner.actions.integrity.findings import Finding, Weight
from runner.actions.integrity.hosts import defang
from runner.actions.integrity.pages import check_html
from runner.actions.integrity.verifications import mark_of
from runner.actions.web.text import clean_text
from runner.contract import Call, Command, Connection
from runner.durations import Deadline
from runner.errors import Failed, Unreachable

LARGEST_ANSWER = 24 * 1024 * 1024
LARGEST_FILE = 64 * 1024
_IN_TEMPLATES = frozenset(
    {"hidden_links", "comment_links", "promo_title", "promo_links", "script_links", "hidden_script"}
)
SOFT = frozenset({"media", "tmp", "cache", "storage"})

# Each file as path, size and base64 of its beginning, ended by NUL: no name can break that.
_EACH = (
    'for f do printf "%s\\0" "$f"; wc -c < "$f" | tr -d " \\n"; printf "\\0"; '
    f'head -c {LARGEST_FILE} < "$f" | base64 | tr -d "\\n"; printf "\\0"; done'
)
_PHP = (
    "-iname '*.php' -o -iname '*.php[0-9]' -o -iname '*.phtml' -o -iname '*.phar' -o -iname '*.pht' -o -iname '*.php.*'"
)
_PICTURES = " -o ".join(f"-iname '*.{ending}'" for ending in ("jpg", "jpeg", "png", "gif", "ico", "webp", "svg"))
_CORE = f"""\
cd -- "$1" || exit 3
each='{_EACH}'
{{
  find . -maxdepth 1 -type f -name '*.php' -exec sh -c "$each" sh {{}} +
  find . -maxdepth 6 -type f \\( -name .htaccess -o -name .user.ini -o -name php.ini \\) -exec sh -c "$each" sh {{}} +
  find wp-content/themes templates -maxdepth 2 -type f \\( -name functions.php -o -name header.php \\
    -o -name footer.php -o -name index.php -o -name component.php -o -name error.php \\) -exec sh -c "$each" sh {{}} +
  for f in wp-includes/version.php administrator/manifests/files/joomla.xml google*.html BingSiteAuth.xml \\
    yandex_*.html naver*.html baidu_verify_*.html; do
    if [ -f "$f" ]; then sh -c "$each" sh "$f"; fi
  done
}} 2>/dev/null | head -c {LARGEST_ANSWER}
"""
_UPLOADS = f"""\
cd -- "$1" || exit 3
shift
each='{_EACH}'
for folder do
  if [ -d "$folder" ]; then
    find "$folder" -type f \\( {_PHP} \\) -exec sh -c "$each" sh {{}} +
    find "$folder" -type f \\( {_PICTURES} \\) -size -64k -exec grep -l -a '<?php' {{}} + | while IFS= read -r f; do
      sh -c "$each" sh "$f"
    done
  fi
done 2>/dev/null | head -c {LARGEST_ANSWER}
"""
_SOME = f"""\
cd -- "$1" || exit 3
shift
each='{_EACH}'
sh -c "$each" sh "$@" 2>/dev/null | head -c {LARGEST_ANSWER}
"""
_SUMS = """\
cd -- "$1" || exit 3
command -v "$2" >/dev/null || exit 4
xargs -0 "$2" -- 2>/dev/null | head -c 16000000
"""
_LIST = """\
cd -- "$1" || exit 3
shift
{
  find . -maxdepth 1 -type f -name '*.php'
  for d do if [ -d "$d" ]; then find "$d" -type f -name '*.php'; fi; done
} | head -n 30000
"""
_VERSION = {
    "wordpress": re.compile(r"\$wp_version\s{0,5}=\s{0,5}['\"]([\w.-]{1,30})"),
    "joomla": re.compile(r"<version>([\w.-]{1,30})</version>"),
}
_MANIFEST = "administrator/manifests/files/joomla.xml"
_LISTED = re.compile(r"<file(?:name)?>([^<>]{1,200})</file(?:name)?>")


@dataclass(slots=True)
class Files:
    """What was found in a site's files; `told` is what the outputs say of it, `verifications` the marks of search
    engines' owners that lie at the root."""

    findings: list[Finding] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    verifications: list[str] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=lambda: {"looked": False})


@dataclass(frozen=True, slots=True)
class Held:
    """A file's path below the root, its size, and its beginning as text."""

    path: str
    size: int
    text: str


def look_at_files(call: Call, root: str, uploads: Sequence[str], checksums: Checksums | None) -> Files:
    """Given a call and the site's root, look at its files. What cannot be reached or read is told as unseen."""
    found = Files()
    try:
        connection = call.connect()
        connection.open(call.deadline)
        core = _read(connection, _CORE, (root,), call.deadline, found)
        planted = _read(connection, _UPLOADS, (root, *uploads), call.deadline, found)
        own_host = urlsplit(str((call.target or {}).get("url") or "")).hostname or ""
        found.findings += _judge(core, own_host)
        for held in planted:
            soft = bool(SOFT & set(held.path.split("/")))
            found.findings += check_upload(held.path, held.text, soft=soft)
        found.verifications += [mark for held in core if (mark := mark_of(held.path, held.text.strip()))]
        _compare_core(connection, call.deadline, root, checksums, core, found)
    except (Unreachable, Failed) as error:
        found.unseen.append(f"berkas di server: {error}")
    return found


def _read(connection: Connection, script: str, words: Sequence[str], deadline: Deadline, found: Files) -> list[Held]:
    command = Command(line=script, parameters=tuple(words), output_limit=LARGEST_ANSWER + 1)
    result = connection.run(command, deadline)
    if result.exit_code == 3:
        raise Failed(f"{words[0]}: tidak ada folder itu, atau tidak boleh dibaca")
    if len(result.stdout) >= LARGEST_ANSWER:
        found.unseen.append("berkas di server: terlalu banyak untuk dibaca semuanya")
    found.told["looked"] = True
    return list(parse_files(result.stdout))


def parse_files(data: bytes) -> Iterator[Held]:
    """Given what the server sent, yield its files; what is cut off at the end is left out."""
    parts = data.split(b"\0")
    for index in range(0, len(parts) - 3, 3):
        name, size, body = parts[index : index + 3]
        try:
            text = base64.b64decode(body).decode("utf-8", "replace")
        except binascii.Error:
            continue
        path = name.decode("utf-8", "replace").removeprefix("./")
        yield Held(path, int(size) if size.isdigit() else 0, text)


def _judge(core: Sequence[Held], own_host: str) -> Iterator[Finding]:
    for held in core:
        name = held.path.rpartition("/")[2]
        if name in (".htaccess", ".user.ini", "php.ini"):
            yield from check_server_rules(held.path, held.text, own_host)
        elif name.endswith(".php") and held.path != "wp-includes/version.php":
            yield from check_code(held.path, held.text)
            if held.path == "index.php":
                yield from check_entry(held.path, held.text)
            for finding in check_html(held.text, "", [own_host] if own_host else []):
                if finding.rule in _IN_TEMPLATES and finding.weight is Weight.STRONG:
                    yield finding._replace(place=held.path)


def _compare_core(
    connection: Connection,
    deadline: Deadline,
    root: str,
    checksums: Checksums | None,
    core: Sequence[Held],
    found: Files,
) -> None:
    cms, version = find_version({held.path: held.text for held in core})
    found.told |= {"cms": cms, "version": version, "core": "unknown", "checked": 0}
    if checksums is None:
        found.findings += check_manifest(core)
        if cms:
            found.unseen.append(
                f"berkas inti {cms} {version}: tidak ada daftar ceksum (checksums) untuk membandingkannya"
            )
        return
    names = "\0".join(checksums.sums).encode() + b"\0"
    sums = connection.run(Command(line=_SUMS, parameters=(root, checksums.program), stdin=names), deadline)
    if sums.exit_code == 4:
        found.unseen.append(f"berkas inti: program {checksums.program} tidak ada di server")
        return
    digests = dict(parse_sums(sums.stdout.decode("utf-8", "replace")))
    closed = ("wp-admin", "wp-includes", "includes", "libraries/src", "administrator/includes", "core/lib")
    listing = connection.run(Command(line=_LIST, parameters=(root, *closed)), deadline)
    php = {line.removeprefix("./") for line in listing.stdout.decode("utf-8", "replace").splitlines()}
    findings, why = compare(checksums, digests, php)
    found.findings += findings
    odd = [each.place for each in findings if each.rule != "core_missing" and each.place.endswith(".php")]
    if odd:
        held = _read(connection, _SOME, (root, *odd), deadline, found)
        found.findings += [each for file in held for each in check_code(file.path, file.text)]
    found.told |= {"core": "unknown" if why else "changed" if findings else "whole", "checked": len(digests)}
    if why:
        found.unseen.append(f"berkas inti {cms} {version}: {why}")


def check_manifest(core: Sequence[Held]) -> Iterator[Finding]:
    """Given a site's files, find PHP at the root that Joomla's own manifest does not name; it has no checksums."""
    manifest = next((held.text for held in core if held.path == _MANIFEST), "")
    named = {match[1] for match in _LISTED.finditer(manifest)}
    for held in core if named else ():
        if "/" not in held.path and held.path.endswith(".php") and held.path not in named | OWN_FILES:
            yield Finding("core_extra", Weight.WEAK, held.path, 0, defang(held.path))


def find_version(files: Mapping[str, str]) -> tuple[str, str]:
    """Given files by path, return the CMS and its version; "" where they tell none."""
    places = {"wordpress": "wp-includes/version.php", "joomla": _MANIFEST}
    for cms, path in places.items():
        if path in files:
            match = _VERSION[cms].search(files[path])
            return cms, clean_text(match[1], 30) if match else ""
    return "", ""
