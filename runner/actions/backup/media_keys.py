"""What backup.media takes and gives."""

from __future__ import annotations

from collections.abc import Mapping

from runner.actions.backup.part import DESTINATION
from runner.actions.backup.shelf import SET
from runner.contract import JsonSchema

TEXT: JsonSchema = {"type": "string", "minLength": 1}
_MEDIA: Mapping[str, JsonSchema] = {
    "disk": {
        **TEXT,
        "description": "A disk: the UUID or the label of its file system. It has to be mounted; where it is missing, "
        "nothing is written anywhere",
        "optional": True,
        "examples": ["3A1B-22CC", "BACKUP-PN-TAIS"],
    },
    "host": {
        "type": "object",
        "description": "Another host, over SFTP: how to connect, as in the inventory, and the folder there",
        "required": ["address", "folder"],
        "additionalProperties": False,
        "properties": {
            "address": {**TEXT, "description": "Its address", "examples": ["203.0.113.20"]},
            "folder": {**TEXT, "description": "The folder for all backups", "examples": ["/volume1/backups"]},
            "port": {"type": "integer", "description": "Port of SSH", "minimum": 1, "maximum": 65535, "examples": [22]},
            "user": {**TEXT, "description": "The account", "examples": ["backup"]},
            "identity": {**TEXT, "description": "Its private key", "examples": ["~/.ssh/id_ed25519"]},
            "host_key": {**TEXT, "description": "The host's public key", "examples": ["ssh-ed25519 AAAA…"]},
        },
        "optional": True,
        "examples": [{"address": "203.0.113.20", "user": "backup", "folder": "/volume1/backups"}],
    },
    "s3": {
        "type": "object",
        "description": "A bucket of S3-compatible storage",
        "required": ["endpoint", "bucket"],
        "additionalProperties": False,
        "properties": {
            "endpoint": {**TEXT, "description": "Its address", "examples": ["https://s3.example.id"]},
            "bucket": {**TEXT, "description": "The bucket, which has to be there", "examples": ["pn-tais"]},
            "prefix": {**TEXT, "description": "What the names of objects begin with", "examples": ["backups"]},
            "region": {**TEXT, "description": "Its region, where it has any", "examples": ["id-jkt-1"]},
        },
        "optional": True,
        "examples": [{"endpoint": "https://s3.example.id", "bucket": "pn-tais"}],
    },
    "disc": {
        "enum": ["cd", "dvd", "bd"],
        "description": "Images of discs of that size, which a person burns; each can be read without the others",
        "optional": True,
        "examples": ["dvd"],
    },
}
_S3 = "s3"  # not among what one variable may name: its keys are secrets, which a task of its own takes
INPUTS: Mapping[str, JsonSchema] = {
    "set": SET,
    "destination": DESTINATION,
    **_MEDIA,
    "medium": {
        "type": "object",
        "description": "One of disk, host and disc, as a variable of the inventory names it; where that is empty, "
        "nothing is copied, and a problem asks for a medium",
        "additionalProperties": False,
        "maxProperties": 1,
        "properties": {
            name: {key: value for key, value in schema.items() if key != "optional"}
            for name, schema in _MEDIA.items()
            if name != _S3
        },
        "optional": True,
        "examples": [{"disk": "BACKUP-PN-TAIS"}, {}],
    },
    "every_days": {
        "type": "integer",
        "description": "How many days after its last copy a disk may stay put away before that is a problem",
        "minimum": 0,
        "maximum": 366,
        "default": 0,
        "examples": [7],
    },
    "folder": {
        **TEXT,
        "description": "The folder on a disk for all backups",
        "default": "backups",
        "examples": ["backups"],
    },
    "images": {
        **TEXT,
        "description": "Folder on this machine for images of discs",
        "default": "discs",
        "examples": ["discs"],
    },
    "access_key": {
        **TEXT,
        "description": "Account of the S3 storage",
        "optional": True,
        "secret": True,
        "examples": ["{{ secret('s3_account') }}"],
    },
    "secret_key": {
        **TEXT,
        "description": "Its password",
        "optional": True,
        "secret": True,
        "examples": ["{{ secret('s3') }}"],
    },
    "check": {
        "type": "boolean",
        "description": "Write nothing: read again what lies there, and hold it against what was sealed",
        "default": False,
        "examples": [True],
    },
}
OUTPUTS: Mapping[str, JsonSchema] = {
    "set": {"type": "string", "description": "The set", "examples": ["WEB-PN-TAIS-2026-11-22-013000-P"]},
    "sets": {
        "type": "array",
        "items": {"type": "string"},
        "description": "The set and those it needs: all of them are on the medium",
        "examples": [["WEB-PN-TAIS-2026-11-22-013000-P"]],
    },
    "manifest_sha256": {"type": "string", "description": "SHA-256 of its manifest", "examples": ["9f86d0…"]},
    "medium": {
        "enum": ["disk", "host", "s3", "disc", "none"],
        "description": "Kind of medium; none where nothing was copied",
        "examples": ["disk"],
    },
    "summary": {
        "type": "string",
        "description": "What was done, in Indonesian",
        "examples": ["disalin ke hardisk BACKUP-PN-TAIS dan dibaca kembali"],
    },
    "label": {"type": "string", "description": "What the medium is called", "examples": ["BACKUP-PN-TAIS"]},
    "place": {"type": "string", "description": "Where on it", "examples": ["/media/disk/backups/WEB-PN-TAIS"]},
    "files": {"type": "integer", "description": "How many files were read back", "examples": [7]},
    "bytes": {"type": "integer", "description": "How much was written now, in bytes", "examples": [931000000]},
    "recheck_due": {
        "type": "string",
        "description": "Until when it is to be read again",
        "examples": ["2028-11-22"],
    },
    "reminder": {
        "type": "string",
        "description": "What a person does now, in Indonesian; empty where that is nothing",
        "examples": ["Lepaskan hardisk 'BACKUP-PN-TAIS' setelah selesai, lalu simpan terpisah dari komputer"],
    },
    "images": {
        "type": "array",
        "items": {"type": "object"},
        "description": "Images of discs: path, label, bytes, sha256, files, and the commands to `burn` and to `check`",
        "examples": [
            [{"path": "/srv/sop/discs/WEB-PN-TAIS-20261122-0130-01.iso", "label": "WEB-PN-TAIS-20261122-0130-01"}]
        ],
    },
}
