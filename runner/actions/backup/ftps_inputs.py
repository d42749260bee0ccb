"""Where an FTP server with TLS is, as inputs of the actions that copy files from one or bring them back."""

from __future__ import annotations

from collections.abc import Mapping

from runner.contract import JsonSchema

FTPS: Mapping[str, JsonSchema] = {
    "ftps": {
        "description": "Host of an FTP server with TLS, where the hosting gives nothing better: address, or "
        "address:port. Files then do not go over the server's own connection",
        "type": "string",
        "minLength": 1,
        "optional": True,
        "examples": ["ftp.pn-contoh.go.id", "ftp.pn-contoh.go.id:2121"],
    },
    "ftps_user": {
        "description": "Account of the FTP server",
        "type": "string",
        "optional": True,
        "examples": ["webadmin"],
    },
    "ftps_password": {
        "description": "Its password",
        "type": "string",
        "optional": True,
        "secret": True,
        "examples": ["{{ secret('ftp') }}"],
    },
    "ftps_certificate": {
        "description": "SHA-256 of the server's certificate, where no authority vouches for it",
        "type": "string",
        "pattern": "^([0-9A-Fa-f]{2}:?){32}$",
        "optional": True,
        "examples": ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    },
}
