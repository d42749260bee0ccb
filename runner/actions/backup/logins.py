"""Which database a call means, and how to log in to it: by the task, the target, or the site's own configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from runner.actions.backup.dumps import Database
from runner.actions.backup.php import parse_constants, parse_properties, pick
from runner.contract import Call, Connection
from runner.errors import Failed

SETTINGS = ("user", "password", "host", "port", "socket")
ENGINES = ("mariadb", "mysql", "postgresql", "sqlite")
LARGEST_CONFIG = 1024 * 1024
# https://docs.joomla.org/Configuration.php_file: the drivers that Joomla 3 to 5 can be installed with
_JOOMLA_DRIVERS = {
    "mysqli": "mariadb",
    "mysql": "mariadb",
    "pdomysql": "mariadb",
    "postgresql": "postgresql",
    "pgsql": "postgresql",
}
_HOST = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>[0-9]+))?(?::?(?P<socket>/.*))?")


class Login(NamedTuple):
    """A kind of database server, a database of it, and how to log in."""

    engine: str
    database: Database

    @property
    def source(self) -> str:
        """What is copied, as parts name it: "mariadb:joomla"."""
        return f"{self.engine}:{self.database.name}"


def find_login(call: Call, connection: Connection) -> Login:
    """Return the database of the task; what the task does not say is taken from the site's configuration where it
    names one, else from the target's `database`. Raise Failed where something is missing."""
    found = _of_site(call, connection) if "config" in call.inputs else _of_target(call)
    given = {name: call.inputs[name] for name in SETTINGS if name in call.inputs}
    engine = str(call.inputs.get("engine") or found.pop("engine", ""))
    name = str(call.inputs.get("name") or found.pop("name", ""))
    found = {key: value for key, value in found.items() if key in SETTINGS}
    if engine not in ENGINES:
        raise Failed(f"engine: nothing says which kind of database it is. write one of {', '.join(ENGINES)} under with")
    return Login(engine, Database(name, **{**found, **given}))


def parse_site(text: str, path: str) -> dict[str, Any]:
    """Given a wp-config.php or a configuration.php, return engine, name and settings. Raise Failed where it holds none,
    or computes one."""
    if re.search(r"\bclass\s+JConfig\b", text):
        values, names = parse_properties(text), ("dbtype", "db", "user", "password", "host")
    else:
        values, names = parse_constants(text), ("", "DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST")
    driver, name, user, password, host = (pick(values, key, path) for key in names)
    if not name:
        raise Failed(f"{path}: it names no database. give the path of WordPress's wp-config.php or Joomla's own file")
    engine = _JOOMLA_DRIVERS.get(driver, "") if names[0] else "mariadb"
    settings = {"engine": engine, "name": name, "user": user, "password": password, **_parse_host(host)}
    return {key: value for key, value in settings.items() if value}


def _of_site(call: Call, connection: Connection) -> dict[str, Any]:
    path = call.inputs["config"]
    text = connection.read(path, call.deadline, limit=LARGEST_CONFIG).decode("utf-8", "replace")
    return parse_site(text, path)


def _of_target(call: Call) -> dict[str, Any]:
    database = (call.target or {}).get("database")
    found = dict(database) if isinstance(database, Mapping) else {}
    for name in SETTINGS:
        if isinstance(found.get(name), Mapping) and name not in call.inputs:
            raise Failed(
                f"{name}: the inventory only names a secret. write {name}: \"{{{{ secret('…') }}}}\" under with"
            )
    found.pop("name", None)
    return {key: value for key, value in found.items() if value is not None and not isinstance(value, Mapping)}


def _parse_host(text: str) -> dict[str, Any]:
    """A host as both systems write it: "localhost", "db:3307", "localhost:/run/mysqld/mysqld.sock", "[::1]:3306"."""
    match = _HOST.fullmatch(text.strip())
    if not match:
        return {"host": text.strip()}
    port, host = int(match["port"] or 0), match["host"].removeprefix("p:").strip("[]")
    return {"host": "" if match["socket"] else host, "port": port, "socket": match["socket"] or ""}
