"""The files of a new working folder, made from the answers; nothing that exists is ever written over."""

from __future__ import annotations

import getpass
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from string import Template
from typing import Any

from runner.errors import refuse
from runner.schema import build_schemas, render_schema
from runner.start.answers import ROLES, Answers
from runner.start.snippets import build_snippets

DATA = Path(__file__).parent / "data"
PLAYBOOK = "playbooks/pemeliharaan-website.yml"
OTHERS = ("pemulihan-website", "uji-pulih-backup", "data-pribadi")
USUAL_LOG = "/var/log/nginx/access.log"
IGNORED = "# what sop keeps here besides what you write\n/records/\n/backups/\n/bukti/\nsop-bug-*.md\n"
_ZONES = ("Asia/Jakarta", "Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura")
_PLAIN = re.compile("[A-Za-z/][A-Za-z0-9 ./_:-]*[A-Za-z0-9/]")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def check_folder(folder: Path) -> None:
    """Raise Refused where a folder is there already and holds something."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise refuse(str(folder), "it is there already, and nothing is written over", "name a new folder")


def build_files(answers: Answers, access_log: tuple[str, ...], today: date) -> dict[str, str]:
    """Given the answers, what was found and the day, return the files' texts by their paths in the working folder."""
    values = _values(answers, access_log, today)
    names = ("kantor.yml", "situs.yml", "orang.yml", "layanan.yml")
    filled = {f"inventory/{name}": Template(_read(name)).substitute(values) for name in names}
    schemas = {f"schemas/{name}": render_schema(schema) for name, schema in build_schemas().items()}
    return {
        **filled,
        "inventory/pengetahuan.yml": _read("knowledge.yml"),
        **{path: _read(path) for path in (PLAYBOOK, *(f"playbooks/{name}.yml" for name in OTHERS))},
        ".gitignore": IGNORED,
        ".vscode/settings.json": _json({"yaml.schemas": _SCHEMAS, "files.insertFinalNewline": True}),
        ".vscode/sop.code-snippets": _json(build_snippets()),
        ".vscode/extensions.json": _json({"recommendations": ["redhat.vscode-yaml"]}),
        **schemas,
    }


_SCHEMAS = {
    "schemas/playbook.schema.json": "playbooks/*.yml",
    "schemas/inventory.schema.json": "inventory/*.yml",
}


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files. Raise Refused where one is there already, or the folder cannot be written."""
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        cure = "name another folder" if isinstance(error, FileExistsError) else "make it writable, or name another"
        raise refuse(str(error.filename or folder), error.strerror or str(error), cure) from error


def local_zone() -> str:
    """The zone of this machine where it is one of Indonesia's, else western time."""
    try:
        found = "/".join(Path("/etc/localtime").resolve().parts[-2:])
    except OSError:
        found = ""
    return found if found in _ZONES else _ZONES[0]


def _values(answers: Answers, access_log: tuple[str, ...], today: date) -> dict[str, str]:
    log = access_log[0] if len(access_log) == 1 else list(access_log) or USUAL_LOG
    return {
        "court": _quote(answers.court),
        "court_in_capitals": _quote(answers.court.upper()),
        "timezone": local_zone(),
        "name": answers.name,
        "site_title": _quote(f"Website {answers.court}"),
        "site": _quote(answers.site),
        "host": _quote(answers.host),
        "cms": answers.cms,
        "access_log": _quote(log),
        "access_log_note": "as found on the server" if access_log else "not looked at yet: please check",
        "database": f"    database: {_quote(answers.database)}\n" if answers.database else "",
        "server": "".join(f"    {key}: {_quote(value)}\n" for key, value in answers.server.items()),
        "secrets": _secrets(answers),
        "people": "".join(_people(answers, today)),
        "today": today.isoformat(),
    }


def _secrets(answers: Answers) -> str:
    if not answers.database or "password" not in answers.database:
        return ""
    return "secrets:\n  database: {file: ~/.config/sop/database}  # its password, in a file that only you may read\n"


def _people(answers: Answers, today: date) -> Iterator[str]:
    for role, position in ROLES.items():
        person = "admin_website" if role == "admin" else role
        login = f"    login: {_quote(getpass.getuser())}\n" if role == "admin" else ""
        yield (
            f"  {person}:\n    name: {_quote(answers.holders[role])}\n    position: {position}\n{login}"
            f"    roles: [{{role: {role}, from: {today.isoformat()}}}]\n"
        )


def _quote(value: Any) -> str:
    """A value as YAML has it on one line, without quotes where it needs none; JSON's texts are YAML's too."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_quote(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_quote, value))}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and ": " not in value and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"


def _read(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")
