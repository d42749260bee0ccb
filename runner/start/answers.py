"""The six questions of `sop init`, and how their answers are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

CMS = ("joomla", "wordpress", "drupal", "laravel", "codeigniter", "moodle", "slims", "static", "other")
ROLES = {"admin": "Admin Website", "kasubbag": "Kepala Subbagian PTIP", "sekretaris": "Sekretaris"}
ENGINES = ("mariadb", "mysql", "postgresql")
LONGEST = 200

_BARE = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,200}")
_SERVER = re.compile(r"(?P<user>[^@\s]+)@(?P<address>\[[0-9A-Fa-f:]+\]|[^@:\s]+)(:(?P<port>\d{1,5}))?")


class Question(NamedTuple):
    """A question: its option, what is asked, an example, and what reads the answer (raises ValueError with a cure)."""

    option: str
    words: str
    example: str
    read: Callable[[str], Any]


class Answers(NamedTuple):
    """What was answered. `server` and `database` are settings as the inventory has them, None for no database."""

    court: str
    site: str
    cms: str
    server: Mapping[str, Any]
    database: Mapping[str, Any] | None
    holders: Mapping[str, str]

    @property
    def host(self) -> str:
        """The site's host, without "www."."""
        return (urlsplit(self.site).hostname or "").removeprefix("www.")

    @property
    def name(self) -> str:
        """The site's name in the inventory: pn_tais of https://pn-tais.go.id."""
        name = re.sub("[^a-z0-9]+", "_", self.host.split(".")[0].lower()).strip("_")
        return name if name[:1].isalpha() else f"situs_{name}".rstrip("_")


def read_court(text: str) -> str:
    """Given a court's name as typed, return it. Raise ValueError."""
    court = " ".join(text.split())
    if len(court) < 5 or len(court) > LONGEST or not court.isprintable():
        raise ValueError(f"'{court[:40]}' is no court's name. write it in full: Pengadilan Negeri Tais")
    return court


def read_site(text: str) -> str:
    """Given a site's address as typed, return it with its scheme. Raise ValueError."""
    written = text.strip()
    site = written if "://" in written else f"https://{written}"
    try:
        parts = urlsplit(site)
        sound = parts.scheme in ("http", "https") and parts.hostname and not parts.username and (parts.port or 1)
    except ValueError:
        sound = False
    if not sound or re.search(r"[\s\"'<>\\]", site) or not site.isprintable() or len(site) > LONGEST:
        raise ValueError(f"'{written[:60]}' is no site's address. write for example https://pn-tais.go.id")
    return site.rstrip("/")


def read_cms(text: str) -> str:
    """Given what a site is built with, as typed, return the inventory's word. Raise ValueError."""
    word = text.strip().lower()
    if word not in CMS:
        raise ValueError(f"'{text.strip()[:40]}' is not known. write one of: {', '.join(CMS)}")
    return word


def read_server(text: str) -> dict[str, Any]:
    """Given how the server is reached ("user@host", "user@host:port", "local"), return its settings.

    Raise ValueError.
    """
    written = text.strip()
    if written == "local":
        return {"connection": "local"}
    found = _SERVER.fullmatch(written)
    port = int(found["port"] or 22) if found else 0
    address = found["address"].strip("[]") if found else ""
    sound = found and _BARE.fullmatch(found["user"]) and (":" in address or _BARE.fullmatch(address))
    if not found or not sound or not 0 < port < 65536:
        raise ValueError(f"'{written[:60]}' is no server. write user@address or user@address:port, or local")
    settings: dict[str, Any] = {"address": address, "user": found["user"]}
    return settings | ({"port": port} if port != 22 else {})


def read_database(text: str) -> dict[str, Any] | None:
    """Given a database as typed ("mariadb:NAME:USER", "sqlite:/PATH", "none"), return its settings.

    Raise ValueError.
    """
    engine, *rest = text.strip().split(":")
    if [engine, *rest] == ["none"]:
        return None
    if engine == "sqlite" and len(rest) == 1 and rest[0].startswith("/") and rest[0].isprintable():
        return {"engine": engine, "path": rest[0]}
    if engine in ENGINES and len(rest) == 2 and all(_BARE.fullmatch(each) for each in rest):
        return {"engine": engine, "name": rest[0], "user": rest[1], "password": {"secret": "database"}}
    cure = f"write {'|'.join(ENGINES)}:NAME:USER, sqlite:/PATH, or none"
    raise ValueError(f"'{text.strip()[:60]}' is no database. {cure}")


def read_holders(text: str) -> dict[str, str]:
    """Given who holds the roles ("admin=Budi, kasubbag=Sari, …"), return the names by role. Raise ValueError."""
    found: dict[str, str] = {}
    last = ""
    for part in text.split(","):  # a comma may also stand before a degree: "Sari Dewi, S.H."
        role, separator, name = part.partition("=")
        if separator:
            last = role.strip()
            found[last] = name.strip()
        elif last:
            found[last] += f", {part.strip()}"
    wrong = sorted(set(found) - set(ROLES)) + [role for role in ROLES if not found.get(role)]
    if wrong or not text.isprintable() or any(len(name) > LONGEST for name in found.values()):
        told = f"for '{wrong[0]}'" if wrong else "here"
        raise ValueError(f"a name or role is missing or unknown {told}. write {HOLDERS_EXAMPLE}")
    return found


HOLDERS_EXAMPLE = "admin=Budi Santoso, kasubbag=Sari Dewi, sekretaris=Andi Putra"
QUESTIONS = {
    "court": Question("--court", "Which court is it?", "Pengadilan Negeri Tais", read_court),
    "site": Question("--site", "What is the address of its website?", "https://pn-tais.go.id", read_site),
    "cms": Question("--cms", f"What is it built with? {', '.join(CMS)}", "joomla", read_cms),
    "server": Question(
        "--server", "How is its server reached? user@address[:port], or local", "web@203.0.113.10", read_server
    ),
    "database": Question(
        "--database",
        "What is its database? mariadb|mysql|postgresql:NAME:USER, sqlite:/PATH, or none",
        "mariadb:joomla:backup",
        read_database,
    ),
    "holders": Question(
        "--holders", "Who holds the roles admin, kasubbag and sekretaris?", HOLDERS_EXAMPLE, read_holders
    ),
}
