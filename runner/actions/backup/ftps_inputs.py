"""Where an FTP server with TLS is, as an input of the actions that copy files from one or bring them back."""

from __future__ import annotations

from collections.abc import Mapping

from runner.contract import JsonSchema
from runner.inventory.nouns import FTPS as KEYS
from runner.shapes.describe import text

FTPS: Mapping[str, JsonSchema] = {
    "ftps": {
        "description": "FTP server with TLS, where the hosting gives nothing better, as the website's `ftps` in the "
        "inventory names it. Files then do not go over the server's own connection; where it is empty, they do",
        "type": "object",
        "additionalProperties": False,
        "dependentRequired": {"address": ["user", "password"]},
        "properties": {**KEYS["properties"], "password": text("Its password", "{{ secret('ftp') }}", secret=True)},
        "default": {},
        "secret": True,
        "examples": [{"address": "ftp.pn-contoh.go.id", "user": "webadmin", "password": "{{ secret('ftp') }}"}],
    }
}
