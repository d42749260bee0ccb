"""How to log in to a database, as inputs of the actions that back one up or restore it."""

from __future__ import annotations

from collections.abc import Mapping

from runner.contract import JsonSchema

LOGIN: Mapping[str, JsonSchema] = {
    "config": {
        "description": "Path, on the server, of WordPress's wp-config.php or Joomla's configuration.php, which says "
        "account and host of the database",
        "type": "string",
        "minLength": 1,
        "optional": True,
        "examples": ["{{ target.root }}/configuration.php"],
    },
    "user": {
        "description": "Account of the database, which for a restore may make databases; without it the target's "
        "`database.user`, else what the server account's own option files say",
        "type": "string",
        "optional": True,
        "examples": ["backup"],
    },
    "password": {
        "description": "Its password; without it the target's `database.password`",
        "type": "string",
        "optional": True,
        "secret": True,
        "examples": ["{{ secret('db') }}"],
    },
    "host": {
        "description": "Host of the database as seen from the server; without it the target's `database.host`, else "
        "the server itself",
        "type": "string",
        "optional": True,
        "examples": ["localhost"],
    },
    "port": {
        "description": "Port of the database on that host; without it the target's `database.port`",
        "type": "integer",
        "minimum": 1,
        "maximum": 65535,
        "optional": True,
        "examples": [3306],
    },
    "socket": {
        "description": "Socket file of the database on the server; without it the target's `database.socket`",
        "type": "string",
        "optional": True,
        "examples": ["/run/mysqld/mysqld.sock"],
    },
}
