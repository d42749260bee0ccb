"""A restore's plan: what is to be brought back from which set, on a paper that a person signs before it is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from runner.contract import Call, JsonSchema
from runner.errors import Failed

CODE = "Kode rencana: "
LONGEST_ID = 12

_ORDER = {
    "made": "2026-11-22T02:00:00+00:00",
    "set": "WEB-PN-TAIS-2026-11-22-013000-P",
    "manifest_sha256": "9f86d0…",
    "target": "pn_tais",
    "root": "/var/www/html",
    "paths": [],
    "database": "mariadb:joomla",
    "tables": [],
}

PLAN: JsonSchema = {
    "description": "The plan: its paper (name, SHA-256, size), which a person signs, and the order that stands in it",
    "type": "object",
    "required": ["name", "sha256", "size", "order"],
    "properties": {
        "name": {"type": "string", "description": "The paper's name", "examples": ["rencana-pemulihan-pn_tais.txt"]},
        "sha256": {"type": "string", "description": "The paper's SHA-256", "examples": ["9f86d0…"]},
        "size": {"type": "integer", "description": "The paper's size in bytes", "examples": [2211]},
        "order": {
            "type": "object",
            "description": "What is restored: made, set, manifest_sha256, target, root, paths, database, tables",
            "required": ["made", "set", "manifest_sha256", "target", "root", "paths", "database", "tables"],
            "examples": [_ORDER],
            "additionalProperties": False,
            "properties": {
                "made": {
                    "type": "string",
                    "description": "When the plan was made, ISO 8601 in UTC: no two plans are the same",
                    "examples": ["2026-11-22T02:00:00+00:00"],
                },
                "set": {"type": "string", "description": "The set", "examples": ["WEB-PN-TAIS-2026-11-22-013000-P"]},
                "manifest_sha256": {"type": "string", "description": "Its manifest's SHA-256", "examples": ["9f86d0…"]},
                "target": {"type": "string", "description": "Whose it is", "examples": ["pn_tais"]},
                "root": {
                    "type": ["string", "null"],
                    "description": "The folder that files go to; null where none do",
                    "examples": ["/var/www/html"],
                },
                "paths": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Files and folders under the root; empty: the whole folder is replaced",
                    "examples": [[]],
                },
                "database": {
                    "type": ["string", "null"],
                    "description": "The database, as its part names it; null where none is restored",
                    "examples": ["mariadb:joomla"],
                },
                "tables": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Tables of it; empty: the whole database is replaced",
                    "examples": [[]],
                },
            },
        },
    },
    "examples": [
        {
            "name": "rencana-pemulihan-pn_tais-2026-11-22.txt",
            "sha256": "9f86d0…",
            "size": 2211,
            "order": _ORDER,
        }
    ],
}


@dataclass(frozen=True, slots=True)
class Order:
    """What is restored, from which set, onto which target (see PLAN)."""

    made: str
    set: str
    manifest_sha256: str
    target: str
    root: str | None
    paths: tuple[str, ...]
    database: str | None
    tables: tuple[str, ...]

    @property
    def code(self) -> str:
        """What stands for this order on its paper: another order has another one."""
        text = json.dumps(self.to_json(), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def id(self) -> str:
        """The beginning of its code, for the names of what is made on the server."""
        return self.code[:LONGEST_ID]

    def to_json(self) -> dict[str, Any]:
        """The order as plain JSON values."""
        return {**asdict(self), "paths": list(self.paths), "tables": list(self.tables)}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Order:
        """The inverse of `to_json`."""
        return cls(**{**body, "paths": tuple(body["paths"]), "tables": tuple(body["tables"])})


def check_signed(call: Call, plan: Mapping[str, Any]) -> tuple[Order, Mapping[str, Any]]:
    """Given a plan, return its order and who signed it in this run. Raise Failed unless a person signed the very paper
    that this order stands on."""
    order = Order.from_json(plan["order"])
    name = str((call.target or {}).get("name", ""))
    if order.target != name:
        raise Failed(f"this plan is for '{order.target}', not for '{name}'. nothing was restored: make a plan for it")
    signed = call.record.signed(plan["sha256"])
    if signed is None:
        raise Failed(
            f"{plan['name']}: nobody has signed this plan in this run, so nothing was restored. put a task person.sign "
            "before this one, with the plan as its document"
        )
    last = call.record.evidence(plan["sha256"]).decode("utf-8", "replace").rstrip().rpartition("\n")[2]
    if last != CODE + order.code:
        raise Failed(f"{plan['name']}: the paper that was signed orders something else. nothing was restored")
    return order, signed
